"""The latest row before each question, learned from rows that come in any order, a piece at a time: memory is that of the questions.

The third way to answer folds, for those whose value is that of the latest row they see, over sliding windows of rows that always exist.
A row goes to the first question at or after it, which keeps the latest that came. In the end a question without a row takes the row
of the question before it, and then it shows whether the row lies within the window.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from ..language.window import Sliding
from . import compiled
from .ask import Answer, Ask, Span
from .column import Column, Index, Mask, physical
from .evaluate import true_rows
from .kernels_latest import NEVER
from .memory import fresh
from .positions import take
from .reach import Kept, Looped, Piece, Questions, Sorted, Upto, owned
from .rows import Rows

# Rows that numpy answers while compiled loops are worth loading for one of other work (2026-11: 40 ns a row).
LIGHT = 50
_BLOCK = 1 << 20  # rows at a time: in more, rows find later ones of their key oftener; fewer fit the cache (2026-11)


class _Sight(NamedTuple):
    """What rows an ask can see, whenever its window begins."""

    upto: Upto
    kept: str | None  # the filter
    filled: str | None  # the column whose nulls are no rows


class Latest:
    """The latest rows of questions, sorted by (group, time): group g has the questions [offsets[g], offsets[g + 1])."""

    def __init__(self, asks: Sequence[Ask], questions: Questions, with_status: bool) -> None:
        self._asks, self._questions, self._with_status = asks, questions, with_status
        self._known: Knowledge = {}
        self._rows = 0
        for ask in asks:
            self._of(_sight(ask)).columns.setdefault(ask.column, _Values(ask.dtype, len(questions.times)))
            if with_status:
                self._of(_anything(ask))

    @staticmethod
    def of(asks: Sequence[Ask], offsets: Index, times: Index, *, with_status: bool = True) -> Latest | None:
        """Nothing learned yet; None where an ask is not for the latest row of a sliding window."""
        if not all(looks_at_the_latest(ask) for ask in asks):
            return None
        return Latest(asks, Questions(offsets, times), with_status)

    def add(self, rows: Rows, group: Index) -> None:
        """Learn from one more piece of the rows, in sequence order or with their sequence; `group` is that of each, -1 nobody's."""
        self._rows += len(rows)
        loops = compiled.kernels(self._rows // LIGHT)
        step = _BLOCK if loops else max(len(rows), 1)
        for begin in range(0, len(rows), step):
            cut = slice(begin, begin + step)
            self._add(loops, rows.take(cut), group[cut])

    @property
    def knowledge(self) -> Knowledge:
        """What was learned, without the questions: what travels to others that have them."""
        return self._known

    def knows(self, knowledge: Knowledge) -> None:
        """Take over what others learned for the same questions, instead of what is known here."""
        self._known = knowledge

    def merge(self, later: Knowledge) -> None:
        """Learn what others learned for the same questions from pieces that come later."""
        for sight, known in self._known.items():
            known.merge(later[sight])

    def answers(self) -> Iterator[tuple[Ask, Answer]]:
        """The value of each ask for every question in order; with statuses, whether any row was there and whether one had expired."""
        carried = {sight: self._questions.carried(known.kept) for sight, known in self._known.items()}
        for ask in self._asks:
            sight = _sight(ask)
            source, time = carried[sight]
            value = self._known[sight].columns[ask.column].carried(source, self._inside(ask.span, time))
            if not self._with_status:
                yield ask, Answer(value)
                continue
            _, time = carried[_anything(ask)]
            found = self._inside(ask.span, time)
            expired = None if ask.span.ttl is None else ~found & self._inside(ask.whole_span, time)
            yield ask, Answer(value, found, expired)

    def _of(self, sight: _Sight) -> _Known:
        return self._known.setdefault(sight, _Known(Kept.nothing(len(self._questions.times)), {}))

    def _inside(self, span: Span, time: Index) -> Mask:
        """Whether the latest row, before the window's end, lies in the window."""
        if span.forever:
            return time > NEVER
        after, _ = span.ends(self._questions.base(span.clocks))
        return time > after()

    def _add(self, loops: Any, rows: Rows, group: Index) -> None:
        parts = (self._questions, rows.time, group, rows.sequence)
        piece: Piece = Looped(loops, *parts) if loops else Sorted(*parts)
        for sight, known in self._known.items():
            known.own()
            known.kept.expect(rows.sequence)
            questions, at = piece.keep(sight.upto, _seen(sight, rows), known.kept)
            for name, values in known.columns.items():
                values.put(questions, at, rows.columns[name] if name else _times(rows), loops)


Knowledge = dict[_Sight, "_Known"]


def looks_at_the_latest(ask: Ask) -> bool:
    """Whether the latest row of a sliding window says the value."""
    return ask.fold.latest and isinstance(ask.window, Sliding)


def _sight(ask: Ask) -> _Sight:
    return _Sight(_upto(ask), ask.kept, None if ask.fold.sees_nulls else ask.column)


def _anything(ask: Ask) -> _Sight:
    """Any row, filtered out or null: what a status tells of."""
    return _Sight(_upto(ask), None, None)


def _upto(ask: Ask) -> Upto:
    assert isinstance(ask.window, Sliding), "checked by `looks_at_the_latest`"
    return Upto(ask.clocks, ask.window.late)


def _seen(sight: _Sight, rows: Rows) -> Mask | None:
    """The rows that can be seen; None where all can."""
    mask = true_rows(rows.columns[sight.kept]) if sight.kept else None
    valid = rows.columns[sight.filled].valid if sight.filled else None
    return valid if mask is None else mask if valid is None else mask & valid


def _times(rows: Rows) -> Column:
    return Column(pl.Datetime("us", "UTC"), rows.time)


@dataclass(eq=False)
class _Known:
    """What is known by one sight: the latest row of every question, and what columns hold there."""

    kept: Kept
    columns: dict[str | None, _Values]

    def own(self) -> None:
        """Take copies of what must not be changed."""
        self.kept.own()
        for values in self.columns.values():
            values.own()

    def merge(self, later: _Known) -> None:
        """Take over the rows that are later."""
        self.own()
        loops = compiled.kernels(len(self.kept.time))
        questions = self.kept.merge(later.kept, loops)
        for name, values in self.columns.items():
            other = later.columns[name]
            values.put(questions, questions, Column(values.dtype, other.values, other.valid), loops)


class _Values:
    """What a column holds in the latest row of every question; anything where there is none."""

    def __init__(self, dtype: pl.DataType, n: int) -> None:
        kind = physical(dtype)
        self.dtype = dtype
        self.values = np.full(n, "", dtype=kind) if kind.hasobject else fresh(n, kind)
        self.valid: Mask | None = None  # all are, until a null comes

    def own(self) -> None:
        """Take copies of what must not be changed."""
        self.values = owned(self.values)
        self.valid = None if self.valid is None else owned(self.valid)

    def put(self, questions: Index, rows: Index, column: Column, loops: Any) -> None:
        """Take the values of rows for some questions."""
        if loops and not self.values.dtype.hasobject:
            loops.put_values(column.values, rows, questions, self.values)
        else:
            self.values[questions] = column.values[rows]
        if self.valid is None and column.valid is not None:
            self.valid = np.ones(len(self.values), dtype=np.bool_)
        if self.valid is not None:
            self.valid[questions] = True if column.valid is None else column.valid[rows]

    def carried(self, source: Index, inside: Mask) -> Column:
        """The values at the questions given, null where these lie outside."""
        valid = inside if self.valid is None else inside & self.valid[source]
        return Column(self.dtype, take(self.values, source), None if valid.all() else valid)
