"""The question a row reaches: the first of its key at or after it. A question keeps the latest row that reached it.

Two forms of equal result. The compiled one takes rows as they come and looks for the question of each. The other sorts the rows by key
and time and looks for the row of each question, which costs numpy less.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import numpy as np

from .column import Array, Index, Mask
from .memory import fresh
from .positions import ordered, smallest, take
from .window import rounded

_NONE = np.empty(0, dtype=np.int64)
_MOST = 0.75  # of the rows somebody's: to pick them out costs as much as to sort the others with them
NEVER = int(np.iinfo(np.int64).min)  # the time of no row


class Upto(NamedTuple):
    """Where a window ends: so long before the time asked, rounded down to the clocks."""

    clocks: tuple[int, ...]
    late: int


@dataclass(eq=False)
class Kept:
    """The latest row of every question: its time, NEVER where there is none, and its sequence where rows have one."""

    time: Index
    sequence: Index | None = None

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

    def of(self, questions: Index) -> tuple[Index, Index | None]:
        """Time and sequence of the rows of some questions."""
        return self.time[questions], None if self.sequence is None else self.sequence[questions]

    def better(self, questions: Index, time: Index, sequence: Index | None) -> Mask:
        """Whether rows that came later are later than what the questions have."""
        held = self.time[questions]
        not_before: Mask = time >= held
        if sequence is None or self.sequence is None:
            return not_before
        return not_before & ((time > held) | (sequence >= self.sequence[questions]))

    def put(self, questions: Index, time: Index, sequence: Index | None) -> None:
        """Give the questions other rows."""
        self.time[questions] = time
        if sequence is not None and self.sequence is not None:
            self.sequence[questions] = sequence


@dataclass(eq=False)
class Questions:
    """Questions sorted by (group, time): group g has [offsets[g], offsets[g + 1])."""

    offsets: Index
    times: Index

    def __getstate__(self) -> tuple[Index, Index]:
        return self.offsets, self.times

    def __setstate__(self, state: tuple[Index, Index]) -> None:
        self.offsets, self.times = (owned(part) for part in state)

    @cached_property
    def group(self) -> Index:
        """The group of each."""
        return np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))

    @cached_property
    def row(self) -> Index:
        """Scratch of the loops: -1 for each question."""
        return _filled(len(self.times), -1)

    def base(self, clocks: tuple[int, ...]) -> Index:
        """The times asked, rounded down to the clocks."""
        if clocks not in self._bases:
            self._bases[clocks] = rounded(self.times, clocks)
        return self._bases[clocks]

    def cursor(self, upto: Upto) -> Index:
        """Where the search in each group goes on."""
        if upto not in self._cursors:
            self._cursors[upto] = self.offsets[:-1].copy()
        return self._cursors[upto]

    def carried(self, kept: Kept) -> tuple[Index, Index]:
        """For each question the one whose row is its latest, itself or one before, and that row's time, NEVER where there is none."""
        own = np.arange(len(self.times))
        source = np.maximum.accumulate(np.where(kept.time == NEVER, -1, own))
        lacking = source < self.offsets[self.group]
        source[lacking] = own[lacking]
        return source, take(kept.time, source)

    @cached_property
    def _bases(self) -> dict[tuple[int, ...], Index]:
        return {}

    @cached_property
    def _cursors(self) -> dict[Upto, Index]:
        return {}


class Piece(Protocol):
    """Some rows on their way to the questions."""

    def keep(self, upto: Upto, seen: Mask | None, kept: Kept) -> tuple[Index, Index]:
        """Let the questions keep the rows that are seen, before the windows' end: the questions that got one, and its position."""


@dataclass(eq=False)
class Looped:
    """Rows as the compiled loops take them: as they come."""

    loops: Any
    questions: Questions
    time: Index
    group: Index
    sequence: Index | None
    _reached: dict[Upto, Index] = field(default_factory=dict)

    def keep(self, upto: Upto, seen: Mask | None, kept: Kept) -> tuple[Index, Index]:
        """The questions that got a row, and its position."""
        row, touched = self.questions.row, np.empty(len(self.time), dtype=np.int64)
        mask = np.empty(0, dtype=np.bool_) if seen is None else seen
        ours, theirs = (_NONE if part is None else part for part in (self.sequence, kept.sequence))
        count = self.loops.keep_latest(self.time, ours, self._question(upto), mask, kept.time, theirs, row, touched)
        questions = touched[:count]
        rows = row[questions]
        row[questions] = -1
        return questions, rows

    def _question(self, upto: Upto) -> Index:
        if upto not in self._reached:
            asked = self.questions
            out = np.empty(len(self.time), dtype=smallest(len(asked.times)))
            base, cursor = asked.base(upto.clocks), asked.cursor(upto)
            self.loops.reached(self.time, self.group, upto.late, base, asked.offsets, cursor, out)
            self._reached[upto] = out
        return self._reached[upto]


@dataclass(eq=False)
class Sorted:
    """Rows sorted by group and time, both in one number; where that does not fit, times are numbered first."""

    questions: Questions
    time: Index
    group: Index
    sequence: Index | None

    def keep(self, upto: Upto, seen: Mask | None, kept: Kept) -> tuple[Index, Index]:
        """The questions that got a row, and its position."""
        rows, ranks = self._order, self._ranks
        if seen is not None:
            visible = seen[rows]
            rows, ranks = rows[visible], ranks[visible]
        bound = self._ranked_asked(upto)
        last = np.searchsorted(ranks, bound, side="right") - 1
        first = np.concatenate([[True], last[1:] != last[:-1]])  # of several after the same row the first keeps it
        questions = np.flatnonzero(first & (last >= 0))
        last = last[questions]
        same = ranks[last] >= self.questions.group[questions] * self._width
        questions, last = questions[same], last[same]
        found = rows[self._latest_tied(ranks, rows, last)]
        sequence = None if self.sequence is None else self.sequence[found]
        better = kept.better(questions, self.time[found], sequence)
        questions, found = questions[better], found[better]
        kept.put(questions, self.time[found], None if self.sequence is None else self.sequence[found])
        return questions, found

    @cached_property
    def _order(self) -> Index:
        """The rows, sorted; those that are nobody's come first, or not at all where that spares much."""
        live = np.flatnonzero(self.group >= 0)
        if len(live) > _MOST * len(self.group):
            return ordered(self.group, self.time)
        return live[ordered(self.group[live], self.time[live])]

    @cached_property
    def _ranks(self) -> Index:
        return self._numbers[self._order]

    @cached_property
    def _numbers(self) -> Index:
        """A number for group and time of each row, below 0 where it is nobody's."""
        numbers = self.group.astype(np.int64)
        numbers *= self._width
        numbers += self._instant
        return numbers

    @cached_property
    def _instants(self) -> Index | None:
        """All times that occur, where a time itself is too large beside a group."""
        groups = len(self.questions.offsets) - 1
        return None if (self._high - self._low + 2) * groups < 2**62 else np.unique(self.time)

    @cached_property
    def _low(self) -> int:
        return int(self.time.min())

    @cached_property
    def _high(self) -> int:
        return int(self.time.max())

    @cached_property
    def _width(self) -> int:
        return self._high - self._low + 2 if self._instants is None else len(self._instants) + 1

    @cached_property
    def _instant(self) -> Index:
        """The number of each row's time, 1 for the earliest."""
        return self.time - (self._low - 1) if self._instants is None else self._numbered(self.time)

    def _numbered(self, times: Index) -> Index:
        """The number of the last instant up to each time, 0 before the earliest."""
        if self._instants is not None:
            return np.searchsorted(self._instants, times, side="right")
        return np.clip(times, self._low - 1, self._high) - (self._low - 1)

    def _ranked_asked(self, upto: Upto) -> Index:
        asked = self.questions
        return asked.group * np.int64(self._width) + self._numbered(asked.base(upto.clocks) - upto.late)

    def _latest_tied(self, ranks: Index, rows: Index, last: Index) -> Index:
        """Of the rows of equal group and time the place of the one that comes last, by sequence and position."""
        if self.sequence is None:
            return last
        begin = np.searchsorted(ranks, ranks[last], side="left")
        tied = np.flatnonzero(begin < last)
        if not len(tied):
            return last
        sizes = (last - begin)[tied] + 1
        ends = np.cumsum(sizes)
        owner = np.repeat(np.arange(len(tied)), sizes)
        places = np.arange(ends[-1]) + (begin[tied] - ends + sizes)[owner]
        among = rows[places]
        by = np.lexsort((among, self.sequence[among], owner))
        out = last.copy()
        out[tied] = places[by[ends - 1]]
        return out


def owned(array: Array) -> Array:
    """The array, or a copy where it must not be written to: memory that came from elsewhere."""
    return array if array.flags.writeable else array.copy()


def _filled(n: int, value: int) -> Index:
    out = fresh(n, np.dtype(np.int64))
    out[:] = value
    return out
