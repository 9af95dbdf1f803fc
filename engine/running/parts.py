"""Answers to some of the spine's rows, and the places they are put in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from math import inf

import numpy as np
import polars as pl

from ..folds.ask import Answer, Ask
from ..folds.column import Array, Column, Index, Mask
from ..folds.filling import Filling
from ..folds.memory import nowhere
from ..language import dtype as types
from ..record import record
from .settling import ROW
from .step import Each

_STRETCH = 262_144  # rows; 2 MB a column: smaller ones cost more calls, larger ones more lines of memory (benchmarks/windows.py, 2026-11)
_VALUE = 8  # bytes of an answer, about
_VALID, _FOUND, _EXPIRED = "/valid", "/found", "/expired"  # after a slot's name, which has no slash


@record(eq=False)
class Part:
    """The answers of some folds to the spine's rows `rows`, which rise; None where it is all rows in their order."""

    rows: Index | None
    answers: Mapping[str, Answer]

    @property
    def nbytes(self) -> int:
        """Bytes of all of it."""
        arrays = [self.rows] + [part for answer in self.answers.values() for part in _arrays(answer)]
        return sum(array.nbytes for array in arrays if array is not None)

    def between(self, first: int, last: int) -> Part:
        """What it says of the rows [first, last), numbered from `first` on; nothing but the numbers is copied."""
        begin, end = located(self.rows, first, last)
        cut = slice(begin, end)
        rows = None if self.rows is None else self.rows[cut] - first
        return Part(rows, {slot: answer.slice(cut) for slot, answer in self.answers.items()})

    def frame(self) -> pl.DataFrame:
        """It as a table, to be filed: masks are columns of their own, so that arrays are neither changed nor copied."""
        columns = [] if self.rows is None else [pl.Series(ROW, self.rows)]
        for slot, answer in self.answers.items():
            value = answer.value
            columns.append(Column(value.dtype, value.values).to_series(slot))
            masks = ((_VALID, value.valid), (_FOUND, answer.found), (_EXPIRED, answer.expired))
            columns += [pl.Series(slot + name, mask) for name, mask in masks if mask is not None]
        return pl.DataFrame(columns)

    @staticmethod
    def of(frame: pl.DataFrame) -> Part:
        """What such a table says."""
        slots = [name for name in frame.columns if "/" not in name and name != ROW]
        answers = {
            slot: Answer(_column(frame, slot), _mask(frame, slot + _FOUND), _mask(frame, slot + _EXPIRED))
            for slot in slots
        }
        return Part(frame[ROW].to_numpy() if ROW in frame.columns else None, answers)


class Places:
    """The places of the answers of asks to n rows: parts come in any order, and together fill them; answers to all rows are taken as they are.

    Many parts at once are put in their places faster than one after the other, so they wait for each other, up to `room` bytes of them.
    `each` says how folds are put in their places once all is there: before, others use the cores. Places are taken when they are needed; at
    once where parts will need more than the room, as what an earlier run gave back is there then, and used.
    """

    def __init__(self, asks: Sequence[Ask], n: int, with_status: bool, each: Each, room: float = inf) -> None:
        self._asks, self._n, self._with_status = asks, n, with_status
        self._each, self._room, self._size = each, room, 0
        self._places: dict[str, _Places] = {}
        self._whole: dict[str, Answer] = {}
        self._waiting: dict[str, list[tuple[Index, Answer]]] = {}
        if n * len(asks) * _VALUE > room:
            self._take()

    def put(self, part: Part) -> None:
        """Take a part."""
        if part.rows is None:
            self._whole.update(part.answers)
            return
        for slot, answer in part.answers.items():
            self._waiting.setdefault(slot, []).append((part.rows, answer))
        self._size += part.nbytes
        if self._size > self._room:
            self._fill(map)

    def answers(self) -> dict[str, Answer]:
        """All answers, once every part is there."""
        self._fill(self._each)
        return self._whole | {slot: places.answer() for slot, places in self._places.items()}

    def _take(self) -> None:
        self._places = {ask.name: _Places(ask, self._n, self._with_status) for ask in self._asks}

    def _fill(self, each: Each) -> None:
        if not self._places:
            self._take()

        def fill(slot: str) -> None:
            self._places[slot].fill(self._waiting.pop(slot))

        for _ in each(fill, list(self._waiting)):
            pass
        self._size = 0


class _Places:
    """The places of one ask's answers. They are filled a stretch after the other, so that what is written stays in the cache."""

    def __init__(self, ask: Ask, n: int, with_status: bool) -> None:
        self._filling, self._n = Filling(ask.dtype, n), n
        self._found = nowhere(n) if with_status else None
        self._expired = nowhere(n) if with_status and ask.span.ttl is not None else None

    def fill(self, parts: Sequence[tuple[Index, Answer]]) -> None:
        cuts = range(0, self._n + _STRETCH, _STRETCH)
        within = [pairwise(np.searchsorted(rows, cuts).tolist()) for rows, _ in parts]
        for stretch in zip(*within, strict=True):
            for (rows, answer), (begin, end) in zip(parts, stretch, strict=True):
                if begin < end:
                    self._put(rows[begin:end], answer.slice(slice(begin, end)))

    def _put(self, rows: Index, answer: Answer) -> None:
        self._filling.scatter(rows, answer.value)
        for places, values in ((self._found, answer.found), (self._expired, answer.expired)):
            if places is not None and values is not None:
                places[rows] = values

    def answer(self) -> Answer:
        return Answer(self._filling.column(), self._found, self._expired)


def stretches(height: int, rows: int) -> Iterator[tuple[int, int]]:
    """The rows [first, last) of each stretch of a table; one empty stretch of an empty table."""
    for first in range(0, max(height, 1), rows):
        yield first, min(first + rows, height)


def located(rows: Index | None, first: int, last: int) -> tuple[int, int]:
    """Where the rows [first, last) begin and end among rows that rise; None are all rows."""
    if rows is None:
        return first, last
    begin, end = rows.searchsorted([first, last])
    return int(begin), int(end)


def _column(frame: pl.DataFrame, slot: str) -> Column:
    column = Column.from_series(frame[slot].cast(types.settled(frame[slot].dtype)))
    valid = _mask(frame, slot + _VALID)
    return column if valid is None else Column(column.dtype, column.values, valid)


def _mask(frame: pl.DataFrame, name: str) -> Mask | None:
    return frame[name].to_numpy() if name in frame.columns else None


def _arrays(answer: Answer) -> list[Array | None]:
    return [answer.value.values, answer.value.valid, answer.found, answer.expired]
