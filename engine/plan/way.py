"""How an At is answered, and the memory that is projected to take, before anything runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl

from ..folds.column import Index, physical
from ..language.dtype import inner_of
from ..record import record

if TYPE_CHECKING:
    from ..folds.ask import Ask

_CODES = 16  # bytes a row: codes, places, order
HOT = 1.5  # times what a step should take: a bucket that takes more stands alone, or is cut by time
_PLACE = 16  # bytes that say where a list lies
_LATEST = 24  # bytes a question: the time of its latest row, and a quarter of what is remembered of its key, as keys are asked about four times or oftener
_PREPARED = 16  # bytes a row of each column that is folded: prefix sums of floats, the largest usual form


@record
class Resources:
    """What a run may use."""

    memory: int  # bytes, of everything in flight and everything kept
    slots: int  # steps at a time

    @property
    def of_steps(self) -> int:
        """Bytes for the steps that run."""
        return self.memory * 3 // 8

    @property
    def of_shelf(self) -> int:
        """Bytes for packed tables that wait, and as many for answers that do; the rest is for results and for the process itself."""
        return self.memory // 8

    @property
    def of_store(self) -> int:
        """Bytes for the object store of a Ray that is started for the run."""
        return self.memory // 4


@record
class Way:
    """Whole, streamed, bucketed or bucketed as stored; into how many buckets, and the rows of the source that are read at a time."""

    kind: str = "whole"
    buckets: int = 1
    steps: int = 1  # that answer
    groups: int = 1  # of buckets, that are answered one after another
    rows: int = 0  # in a piece of the source; 0 is all
    memory: int = 0  # bytes that a step is projected to take; 0 is not known
    even: int = 1  # so many equal steps would give work to all cores
    room: int = 0  # bytes that steps may take together; 0 is not known

    @property
    def in_parts(self) -> bool:
        """Whether each step answers some of the questions, and not all."""
        return self.kind in _KINDS

    def fair(self, size: int) -> int:
        """Of so many bytes what one step may take at most: no core waits for it alone, and there is room for it."""
        share = size // self.even
        return max(min(share, self.room) if self.room else share, 1)

    def describe(self) -> str:
        """A few words for people."""
        size = f", {self.memory / 2**20:,.0f} MB a step" if self.memory else ""
        pieces = f", pieces of {self.rows:,} rows" if self.rows else ""
        groups = f" in {self.groups} groups" if self.groups > 1 else ""
        return f"{_KINDS.get(self.kind, self.kind).format(self.buckets)}{groups}{pieces}{size}"


_KINDS = {"bucketed": "bucketed into {} buckets", "stored": "bucketed as stored into {} buckets"}


def per_row(read: int, asks: Sequence[Ask]) -> int:
    """Bytes that a row of the source takes at most while it is answered from, `read` of them as it is read."""
    folded = {ask.folded for ask in asks}
    columns = {name for ask in asks for name in (ask.column, ask.kept) if name}
    return 2 * read + _CODES + 8 * len(columns) + _PREPARED * len(folded)


def per_question(read: int, asks: Sequence[Ask]) -> int:
    """Bytes that a row of the spine takes at most while it is answered, its answers included."""
    answers = sum(_answer(ask) + 1 for ask in asks)
    widest = max(map(_answer, asks), default=0)
    return 2 * read + _CODES + answers + widest


def learned_per_question(asks: Sequence[Ask]) -> int:
    """Bytes that what is learned of a row of the spine takes while rows of the source pass by."""
    return _LATEST + sum(_answer(ask) + 1 for ask in asks)


def _answer(ask: Ask) -> int:
    """Bytes of one answer at most; a list has its place and as many entries as it may have."""
    if not isinstance(ask.dtype, pl.List):
        return physical(ask.dtype).itemsize
    return _PLACE + ask.fold.longest * physical(inner_of(ask.dtype)).itemsize


def grouped(cost: Index, steps: int) -> list[tuple[int, int]]:
    """Neighbouring buckets put together, into about so many groups of equal cost; one that is hot stands alone.

    >>> import numpy as np
    >>> grouped(np.array([5, 1, 1, 1, 2, 9]), 3)
    [(0, 2), (2, 5), (5, 6)]
    >>> grouped(np.array([0, 0, 9, 0, 0]), 3)
    [(0, 2), (2, 3), (3, 5)]
    """
    out: list[tuple[int, int]] = []
    first, held, left, hot = 0, 0, int(cost.sum()), HOT * int(cost.sum()) / steps
    for place, one in enumerate(cost.tolist()):
        share = left / max(steps - len(out), 1)  # of each group that is still to be made
        full = held and len(out) < steps - 1 and held + one / 2 > share
        if place > first and (full or max(held, one) > hot):
            out.append((first, place))
            first, held, left = place, 0, left - held
        held += one
    return [*out, (first, len(cost))]


WHOLE = Way()  # until it is chosen
