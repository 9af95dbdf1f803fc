"""The question a row reaches: the first of its key at or after it. A question keeps the latest row that reached it.

Two forms of equal result. The compiled one takes rows as they come and looks for the question of each. The other sorts rows and questions
together by key and time, which costs numpy less.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import numpy as np

from ..language.window import rounded
from . import compiled
from .column import Array, Index, Mask
from .kernels_latest import FRONT, NEVER
from .memory import fresh
from .positions import ordered, smallest, take

_NONE = np.empty(0, dtype=np.int64)
_MOST = 0.75  # of the rows somebody's: to pick them out costs as much as to sort the others with them


def _no_scratch() -> Index:
    return np.empty((2, 0), dtype=np.int64)


class Upto(NamedTuple):
    """Where a window ends: so long before the time asked, rounded down to the clocks."""

    clocks: tuple[int, ...]
    late: int


@dataclass(eq=False)
class Kept:
    """The latest row of every question: its time, NEVER where there is none, and its sequence where rows have one."""

    time: Index
    sequence: Index | None = None
    _front: Index | None = field(default=None, repr=False)

    def __getstate__(self) -> tuple[Index, Index | None]:
        return self.time, self.sequence

    def __setstate__(self, state: tuple[Index, Index | None]) -> None:
        self.time, self.sequence = state
        self._front = None

    @staticmethod
    def nothing(n: int) -> Kept:
        """No row for any of n questions."""
        return Kept(_filled(n, NEVER))

    def own(self) -> None:
        """Take copies where arrays came from elsewhere and must not be changed."""
        self.time = owned(self.time)
        self.sequence = None if self.sequence is None else owned(self.sequence)

    def expect(self, sequence: Index | None) -> None:
        """Make ready for rows with a sequence; what is there came before them."""
        if sequence is not None and self.sequence is None:
            self.sequence = _filled(len(self.time), NEVER)

    def merge(self, later: Kept, loops: Any) -> Index:
        """Take over rows that came later where they are later; the questions that got one."""
        self.expect(later.sequence)
        if loops:
            self._front = None
            touched = fresh(len(self.time), smallest(len(self.time)))
            theirs, ours = (_NONE if part is None else part for part in (later.sequence, self.sequence))
            return touched[: loops.merge_latest(later.time, theirs, self.time, ours, touched)]
        questions = np.flatnonzero(later.time > NEVER)
        sequence = None if later.sequence is None else later.sequence[questions]
        better = self.better(questions, later.time[questions], sequence)
        questions = questions[better]
        self.put(questions, later.time[questions], None if sequence is None else sequence[better])
        return questions

    def front(self, offsets: Index, loops: Any) -> Index:
        """What `keep_latest` remembers of each group from piece to piece; it is wrong once another changed what is kept."""
        if self._front is None:
            groups = len(offsets) - 1
            self._front = fresh(groups * FRONT, np.dtype(np.int64)).reshape(groups, FRONT)
            loops.stand_first(offsets, self._front)
        return self._front

    def better(self, questions: Index, time: Index, sequence: Index | None) -> Mask:
        """Whether rows that came later are later than what the questions have."""
        held = self.time[questions]
        not_before: Mask = time >= held
        if sequence is None or self.sequence is None:
            return not_before
        return not_before & ((time > held) | (sequence >= self.sequence[questions]))

    def put(self, questions: Index, time: Index, sequence: Index | None) -> None:
        """Give the questions other rows."""
        self._front = None  # it tells of those they had
        self.time[questions] = time
        if sequence is not None and self.sequence is not None:
            self.sequence[questions] = sequence


@dataclass(eq=False)
class Questions:
    """Questions sorted by (group, time): group g has [offsets[g], offsets[g + 1])."""

    offsets: Index
    times: Index
    _scratch: Index = field(default_factory=_no_scratch, repr=False)

    def __getstate__(self) -> tuple[Index, Index]:
        return self.offsets, self.times

    def __setstate__(self, state: tuple[Index, Index]) -> None:
        self.offsets, self.times = state
        self._scratch = _no_scratch()

    @cached_property
    def group(self) -> Index:
        """The group of each."""
        groups = len(self.offsets) - 1
        return np.repeat(np.arange(groups, dtype=smallest(groups)), np.diff(self.offsets))

    def scratch(self, rows: int) -> Index:
        """Scratch of the loops (2, n) for so many rows or more; what is in it lasts until it is asked for again."""
        if self._scratch.shape[1] < rows:
            self._scratch = fresh(2 * rows, smallest(max(rows, len(self.times)))).reshape(2, rows)
        return self._scratch

    def base(self, clocks: tuple[int, ...]) -> Index:
        """The times asked, rounded down to the clocks."""
        if clocks not in self._bases:
            self._bases[clocks] = rounded(self.times, clocks)
        return self._bases[clocks]

    def carried(self, kept: Kept) -> tuple[Index, Index]:
        """For each question the one whose row is its latest, itself or one before, and that row's time, NEVER where there is none."""
        loops = compiled.kernels(len(self.times))
        if loops:
            size = smallest(len(self.times))
            source, time = fresh(len(self.times), size), fresh(len(self.times), kept.time.dtype)
            loops.carry(self.offsets, kept.time, source, time)
            return source, time
        own = np.arange(len(self.times))
        source = np.maximum.accumulate(np.where(kept.time == NEVER, -1, own))
        lacking = source < self.offsets[self.group]
        source[lacking] = own[lacking]
        return source, take(kept.time, source)

    @cached_property
    def _bases(self) -> dict[tuple[int, ...], Index]:
        return {}


class Piece(Protocol):
    """Some rows on their way to the questions."""

    def keep(self, upto: Upto, seen: Mask | None, kept: Kept) -> tuple[Index, Index]:
        """Let the questions keep the rows that are seen, before the windows' end: the questions that got one, and its position.

        Of equal questions the last one counts.
        """


@dataclass(eq=False)
class Looped:
    """Rows as the compiled loops take them: as they come."""

    loops: Any
    questions: Questions
    time: Index
    group: Index
    sequence: Index | None

    def keep(self, upto: Upto, seen: Mask | None, kept: Kept) -> tuple[Index, Index]:
        """The questions that got a row, and its position."""
        asked, front = self.questions, kept.front(self.questions.offsets, self.loops)
        mine = np.zeros(len(asked.times) // 8 + 1, dtype=np.uint8)
        touched, rows = asked.scratch(len(self.time))
        mask = np.empty(0, dtype=np.bool_) if seen is None else seen
        ours, theirs = (_NONE if part is None else part for part in (self.sequence, kept.sequence))
        count = self.loops.keep_latest(
            *(self.time, ours, self.group, mask, upto.late, asked.base(upto.clocks)),
            *(front, kept.time, theirs, mine, touched, rows),
        )
        return touched[:count], rows[:count]


@dataclass(eq=False)
class Sorted:
    """Rows and questions sorted together by group and time: a question gets the last row before it."""

    questions: Questions
    time: Index
    group: Index
    sequence: Index | None
    _merged: dict[Upto, Index] = field(default_factory=dict)

    def keep(self, upto: Upto, seen: Mask | None, kept: Kept) -> tuple[Index, Index]:
        """The questions that got a row, and its position."""
        questions, found = self._reached(upto, seen)
        sequence = None if self.sequence is None else self.sequence[found]
        better = kept.better(questions, self.time[found], sequence)
        questions, found = questions[better], found[better]
        kept.put(questions, self.time[found], None if self.sequence is None else self.sequence[found])
        return questions, found

    def _reached(self, upto: Upto, seen: Mask | None) -> tuple[Index, Index]:
        """The questions that are the first after some row of their group, and the last such row."""
        order = self._order(upto)
        asks = order >= len(self._time)
        before = np.arange(len(order), dtype=smallest(len(order)))
        before[asks] = -1
        if seen is not None:
            rows = np.flatnonzero(~asks)
            before[rows[~seen[self._at(order[rows])]]] = -1
        last = np.maximum.accumulate(before)[asks]
        first = np.concatenate([[True], last[1:] != last[:-1]])
        questions = np.flatnonzero(first & (last >= 0))
        found = self._at(order[last[questions]])
        same = self.group[found] == self.questions.group[questions]
        return questions[same], found[same]

    def _order(self, upto: Upto) -> Index:
        """The rows, and the questions numbered after them, by group and time; equal ones by number. Nobody's rows come first."""
        if upto not in self._merged:
            asked, time = self.questions, self._time
            low, high = (int(time.min()), int(time.max())) if len(time) else (0, 0)
            until = np.clip(asked.base(upto.clocks) - upto.late, low - 1, high)
            group = self.group if self._rows is None else self.group[self._rows]
            both = np.concatenate([group, asked.group]), np.concatenate([time, until])
            self._merged[upto] = ordered(*both)
        return self._merged[upto]

    @cached_property
    def _rows(self) -> Index | None:
        """The rows by sequence, without those that are nobody's where that spares much; None where it is all as they come."""
        if self.sequence is not None and not bool((self.sequence[1:] >= self.sequence[:-1]).all()):
            rows = np.argsort(self.sequence, kind="stable")
            return rows[self.group[rows] >= 0]
        live = np.flatnonzero(self.group >= 0)
        return None if len(live) > _MOST * len(self.group) else live

    @cached_property
    def _time(self) -> Index:
        return self.time if self._rows is None else self.time[self._rows]

    def _at(self, numbers: Index) -> Index:
        """The positions of rows by their numbers in the order."""
        return numbers if self._rows is None else self._rows[numbers]


def owned(array: Array) -> Array:
    """The array, or a copy where it must not be written to: memory that came from elsewhere."""
    return array if array.flags.writeable else array.copy()


def _filled(n: int, value: int) -> Index:
    out = fresh(n, np.dtype(np.int64))
    out[:] = value
    return out
