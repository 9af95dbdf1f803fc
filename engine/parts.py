"""Answers to some of the spine's rows, and the places they are put in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from . import dtype as types
from .ask import Answer, Ask
from .column import Array, Column, Index, Mask
from .filling import Filling
from .memory import nowhere
from .settling import ROW

_FOUND, _EXPIRED = "/found", "/expired"  # after a slot's name, which has no slash


@dataclass(frozen=True, eq=False)
class Part:
    """The answers of some folds to the spine's rows `rows`; None where it is all rows in their order."""

    rows: Index | None
    answers: Mapping[str, Answer]

    @property
    def nbytes(self) -> int:
        """Bytes of all of it."""
        arrays = [self.rows] + [part for answer in self.answers.values() for part in _arrays(answer)]
        return sum(array.nbytes for array in arrays if array is not None)

    def in_order(self) -> Part:
        """The same with rows that rise."""
        if self.rows is None or bool((self.rows[1:] > self.rows[:-1]).all()):
            return self
        order = np.argsort(self.rows)
        return Part(self.rows[order], {slot: _taken(answer, order) for slot, answer in self.answers.items()})

    def between(self, first: int, last: int) -> Part:
        """What it says of the rows [first, last), numbered from `first` on; of a part in order. Nothing but the numbers is copied."""
        if self.rows is None:
            return Part(None, {slot: answer.slice(slice(first, last)) for slot, answer in self.answers.items()})
        begin, end = np.searchsorted(self.rows, [first, last])
        cut = slice(int(begin), int(end))
        return Part(self.rows[cut] - first, {slot: answer.slice(cut) for slot, answer in self.answers.items()})

    def frame(self) -> pl.DataFrame:
        """It as a table, to be filed."""
        columns = [] if self.rows is None else [pl.Series(ROW, self.rows)]
        for slot, answer in self.answers.items():
            columns.append(answer.value.to_series(slot))
            masks = ((_FOUND, answer.found), (_EXPIRED, answer.expired))
            columns += [pl.Series(slot + name, mask) for name, mask in masks if mask is not None]
        return pl.DataFrame(columns)

    @staticmethod
    def of(frame: pl.DataFrame) -> Part:
        """What such a table says."""
        slots = [name for name in frame.columns if "/" not in name and name != ROW]
        answers = {
            slot: Answer(_column(frame[slot]), _mask(frame, slot + _FOUND), _mask(frame, slot + _EXPIRED))
            for slot in slots
        }
        return Part(frame[ROW].to_numpy() if ROW in frame.columns else None, answers)


class Places:
    """The places of the answers of some asks to n rows; parts come in any order and fill them."""

    def __init__(self, asks: Sequence[Ask], n: int, with_status: bool) -> None:
        self._asks, self._n, self._with_status = {ask.name: ask for ask in asks}, n, with_status
        self._whole: dict[str, Answer] = {}
        self._fillings: dict[str, _Places] = {}

    def put(self, part: Part) -> None:
        """Put a part's answers in their places."""
        if part.rows is None:
            self._whole.update(part.answers)
            return
        for slot, answer in part.answers.items():
            if slot not in self._fillings:
                self._fillings[slot] = _Places(self._asks[slot], self._n, self._with_status)
            self._fillings[slot].put(part.rows, answer)

    def answers(self) -> dict[str, Answer]:
        """All answers, once every part is there."""
        return self._whole | {slot: filling.answer() for slot, filling in self._fillings.items()}


class _Places:
    """The places of one ask's answers."""

    def __init__(self, ask: Ask, n: int, with_status: bool) -> None:
        self._filling = Filling(ask.dtype, n)
        self._found = nowhere(n) if with_status else None
        self._expired = nowhere(n) if with_status and ask.span.ttl is not None else None

    def put(self, rows: Index, answer: Answer) -> None:
        self._filling.put(rows, answer.value)
        for places, values in ((self._found, answer.found), (self._expired, answer.expired)):
            if places is not None and values is not None:
                places[rows] = values

    def answer(self) -> Answer:
        return Answer(self._filling.column(), self._found, self._expired)


def stretches(height: int, rows: int) -> Iterator[tuple[int, int]]:
    """The rows [first, last) of each stretch of a table; one empty stretch of an empty table."""
    for first in range(0, max(height, 1), rows):
        yield first, min(first + rows, height)


def _taken(answer: Answer, order: Index) -> Answer:
    found, expired = (None if part is None else part[order] for part in (answer.found, answer.expired))
    return Answer(answer.value.take(order), found, expired)


def _column(series: pl.Series) -> Column:
    return Column.from_series(series.cast(types.settled(series.dtype)))


def _mask(frame: pl.DataFrame, name: str) -> Mask | None:
    return frame[name].to_numpy() if name in frame.columns else None


def _arrays(answer: Answer) -> list[Array | None]:
    return [answer.value.values, answer.value.valid, answer.found, answer.expired]
