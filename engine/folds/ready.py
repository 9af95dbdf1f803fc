"""Events made ready: what folds prepare of them before any question is asked, once for all questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from ..language.fold import Ranged
from ..record import record
from .ask import Ask, Span
from .column import Column, Index, Mask
from .events import Events
from .fused import Fused
from .memory import fresh
from .positions import take
from .ranges import Over, greatest, least
from .summed import Held, Summed
from .tree import Tree


@record(eq=False)
class Ready:
    """Events with all that the folds of some asks need of them, so that any number of questions can be asked."""

    events: Events
    fused: Fused | None  # the asks that are answered together
    single: Sequence[tuple[Ask, Ranged]]  # the others
    spans: Sequence[Span]  # of the others, each once
    latest_known: Over | None = None  # of ranges of rows: when the last of them is known
    first_ended: Over | None = None  # and when the first of them ends

    @staticmethod
    def of(events: Events, asks: Sequence[Ask], own: Mapping[str, Ranged] | None = None) -> Ready:
        """The events made ready; some asks, by name, may come with a way of their own. Cost: linear in the events for each fold and column."""
        rest = [ask for ask in asks if own is None or ask.name not in own]
        made, seen, held = {ask.folded: ask for ask in rest}, _Seen(events), Held()
        ranged = {folded: _sharing(seen.by(ask), held) for folded, ask in made.items()}
        fused = Fused.of(events, rest, [ranged[ask.folded] for ask in rest])
        together = set() if fused is None else {ask.name for ask in fused.asks}
        single = [(ask, ranged[ask.folded]) for ask in rest if ask.name not in together]
        single += [(ask, own[ask.name]) for ask in asks if own is not None and ask.name in own]
        spans = tuple(dict.fromkeys(span for ask, _ in single for span in (ask.span, ask.whole_span)))
        return Ready(events, fused, single, spans, *_known(events))


@record(eq=False)
class Dense:
    """A fold over some of the rows, asked by ranges of all: those before row r are the first position[r]."""

    ranged: Ranged
    position: Index

    def __call__(self, start: Index, stop: Index) -> Column:
        """The value of each range."""
        return self.ranged(*self.mapped(start, stop))

    def mapped(self, start: Index, stop: Index) -> tuple[Index, Index]:
        """Ranges of all rows as ranges of those."""
        return take(self.position, start), take(self.position, stop)


def prepared(ask: Ask, events: Events, rows: Index, offsets: Index) -> Ranged:
    """The fold over ranges of some rows of the events, in groups that begin at the offsets."""
    column = _column(ask, events)
    kept = _kept(ask, events, column)
    column = column.take(rows)
    if kept is None:
        return _whole(ask, column, offsets)
    dense, position = _dense(ask, column, kept[rows])
    return Dense(_whole(ask, dense, position[offsets]), position)


class _Seen:
    """The columns of events as folds see them, each made once: without the rows that a filter or a null takes away."""

    def __init__(self, events: Events) -> None:
        self._events = events
        self._made: dict[tuple[str | None, str | None, bool], tuple[Column, Index, Index | None]] = {}

    def by(self, ask: Ask) -> Ranged:
        """The fold over ranges of the events."""
        column, offsets, position = self.seen(ask)
        ranged = _whole(ask, column, offsets)
        return ranged if position is None else Dense(ranged, position)

    def seen(self, ask: Ask) -> tuple[Column, Index, Index | None]:
        """The column, where groups begin in it, and the position of each row in it where rows are left out."""
        name = ask.column, ask.kept, ask.fold.sees_nulls
        if name not in self._made:
            self._made[name] = self._of(ask)
        return self._made[name]

    def _of(self, ask: Ask) -> tuple[Column, Index, Index | None]:
        events = self._events
        column = _column(ask, events)
        kept = _kept(ask, events, column)
        if kept is None:
            return column, events.offsets, None
        dense, position = _dense(ask, column, kept)
        return dense, position[events.offsets], position


def folding(ask: Ask, events: Events) -> tuple[Column, Index, Index | None]:
    """What a fold sees: its dense column, where groups begin in it, and, if rows are left out, the position of each row in it."""
    return _Seen(events).seen(ask)


def _column(ask: Ask, events: Events) -> Column:
    return events.columns[ask.column] if ask.column else Column(pl.Datetime("us", "UTC"), events.time)


def _kept(ask: Ask, events: Events, column: Column) -> Mask | None:
    """The rows that the fold sees; None where it sees all."""
    kept = events.columns[ask.kept] if ask.kept else None
    mask = None if kept is None else (kept.values if kept.valid is None else kept.values & kept.valid)
    if ask.fold.sees_nulls or column.valid is None:
        return mask
    return column.valid if mask is None else mask & column.valid


def _dense(ask: Ask, column: Column, kept: Mask) -> tuple[Column, Index]:
    """The rows kept, and how many of them stand before each row and before the end."""
    position = fresh(len(kept) + 1, np.dtype(np.int64))
    position[0] = 0
    np.cumsum(kept, dtype=np.int64, out=position[1:])
    dense = column.where(kept)
    return dense if ask.fold.sees_nulls else Column(column.dtype, dense.values), position


def _whole(ask: Ask, column: Column, offsets: Index) -> Ranged:
    """The fold's own way with ranges, or its states on a tree."""
    fold, dtype = ask.fold, ask.dtype
    bulk = fold.bulk(column, offsets, dtype)
    if bulk is not None:
        return bulk
    tree = Tree.of(fold, column)
    return lambda start, stop: fold.value(tree.over(start, stop, fold.empty(len(start), column)), dtype)


def _sharing(ranged: Ranged, held: Held) -> Ranged:
    """The same with its sums prepared, or another's where that has them."""
    if isinstance(ranged, Dense):
        return Dense(_sharing(ranged.ranged, held), ranged.position)
    return ranged.sharing(held) if isinstance(ranged, Summed) else ranged


def _known(events: Events) -> tuple[Over | None, Over | None]:
    if events.known_from is None or events.known_until is None:
        return None, None
    return greatest(events.known_from), least(events.known_until)
