"""A bucket with a hot key, cut by time. A slice of its questions needs the rows since the longest window before it; and for folds over
"forever" the states of all rows before those, which others found: the carry.

The carry stands in front of a key's rows as one row more, earlier than any window begins, whose state is the state carried.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, reduce
from typing import Any

import numpy as np
import polars as pl

from ..folds.ask import Ask
from ..folds.column import Array, Column, Index, Mask
from ..folds.events import Events
from ..folds.grouping import Coder, Order
from ..folds.memory import nowhere
from ..folds.prefixes import Prefixes, lifted
from ..folds.ready import Ready, folding
from ..folds.rows import arrange, passing, rows_of, times_of
from ..folds.tree import Tree, put
from ..language.fold import Ranged, State
from ..language.window import BEGINNING, Sliding
from ..record import record
from .packed import Packed, put_together
from .parts import Part
from .settling import ROW
from .step import Each, Outcome, Report
from .task import AtTask, Gathered, known_column

_FOREVER = 2**62  # after every event
_STANDING: dict[str, Any] = {
    "b": True,
    "O": "",
}  # what columns hold in a row that stands for others, 0 where nothing is said


def may_slice(task: AtTask) -> bool:
    """Whether rows exist for ever and every window is plain: then a slice needs no more of the past than reach and carry.

    And whether a carry is small: one that holds the values of the past would be merged, and held, anew for every question.
    """
    plain = all(isinstance(ask.window, Sliding) and ask.ttl is None for ask in task.side.asks)
    small = not any(ask.span.forever and ask.fold.holds_values for ask in task.side.asks)
    return plain and small and known_column(task) is None and task.side.scan.source.deleted is None


def needs_carry(task: AtTask) -> bool:
    """Whether some fold looks back for ever."""
    return any(ask.span.forever for ask in task.side.asks)


@record(eq=False)
class Carried:
    """The states of folds over "forever", one for each group, and which groups have any row."""

    states: dict[str, State]  # by the name of the ask
    some: Mask


@record
class Slicing:
    """A bucket to be answered in `count` slices of about as many questions each."""

    task: AtTask
    bucket: int
    count: int

    def open(self, asked: Packed, packed: Sequence[Packed]) -> Opened:
        """The bucket's tables."""
        spine = asked.buckets(self.bucket, self.bucket + 1)
        own = [one.buckets(self.bucket, self.bucket + 1) for one in packed]
        return Opened(self.task, self.count, spine.rechunk(), put_together(own) if own else spine.rechunk())


@record(eq=False)
class Opened:
    """A bucket's questions and rows, and where its slices begin and end."""

    task: AtTask
    count: int
    spine: pl.DataFrame
    source: pl.DataFrame

    @cached_property
    def times(self) -> Index:
        """When each question asks."""
        return self.task.spine.times(self.spine)

    @cached_property
    def coder(self) -> Coder:
        """Codes of keys, the same in all slices."""
        return Coder.of(self.spine, dict(self.task.side.keys), rows=self.source.height)

    @cached_property
    def cuts(self) -> Index:
        """The last time asked of each slice but the last one."""
        ordered = np.sort(self.times)
        return ordered[[len(ordered) * number // self.count for number in range(1, self.count)]]

    def since(self, number: int) -> int:
        """The time after which a slice needs rows; those up to it are all before any finite window of it, and seen by any other."""
        return BEGINNING if number == 0 else int(self.cuts[number - 1]) - self._reach

    def upto(self, number: int) -> int:
        """The last time that a slice asks at."""
        return _FOREVER if number == self.count - 1 else int(self.cuts[number])

    def events(self, after: int, upto: int) -> Events:
        """The rows in a stretch of time, by group."""
        side = self.task.side
        times = times_of(side.scan.source, self.source)
        frame = passing(side.scan.kept, self.source.filter(pl.Series((times > after) & (times <= upto))))
        rows = rows_of(side.scan.source, side.parts, frame.rechunk(), None)
        return arrange(rows, self.coder.codes(frame), self.coder.groups).events

    @cached_property
    def _reach(self) -> int:
        return max((ask.window.reach or _late(ask)) + sum(ask.clocks) for ask in self.task.side.asks)


@record
class Carry:
    """The work of a step that finds the states of the rows between where a slice and the next one need rows."""

    slicing: Slicing
    number: int

    def __call__(self, each: Each, asked: Packed, *packed: Packed) -> Outcome:
        """The states."""
        opened = self.slicing.open(asked, packed)
        events = opened.events(opened.since(self.number), opened.since(self.number + 1))
        states = {ask.name: _states(ask, events) for ask in self.slicing.task.side.asks if ask.span.forever}
        return Outcome(Carried(states, events.offsets[1:] > events.offsets[:-1]), Report(len(events.time)))


@record
class Slice:
    """The work of a step that answers one slice, with what is carried from all before it."""

    slicing: Slicing
    number: int
    carries: int  # how many of what it needs are carries

    def __call__(self, each: Each, asked: Packed, *others: Carried | Packed) -> Outcome:
        """The answers for the slice's rows of the spine."""
        carried: Sequence[Any] = others[: self.carries]
        packed: Sequence[Any] = others[self.carries :]
        opened, task = self.slicing.open(asked, packed), self.slicing.task
        mine = np.searchsorted(opened.cuts, opened.times) == self.number
        events = opened.events(opened.since(self.number), opened.upto(self.number))
        order = Order.of(opened.coder.asked[mine], opened.coder.groups, opened.times[mine])
        events, ready = _ready(events, task.side.asks, carried, each)
        gathered = Gathered(events, order, order.sorted(opened.times[mine]), None)
        numbers = opened.spine[ROW].to_numpy()[mine]
        part = Part(numbers, task.answered(gathered, ready, each))  # rows of one bucket rise
        return Outcome(part, Report(len(numbers), part.nbytes))


def _states(ask: Ask, events: Events) -> State:
    """The state of all rows of each group that a fold sees."""
    column, offsets, _ = folding(ask, events)
    return Tree.of(ask.fold, column).over(offsets[:-1], offsets[1:], ask.fold.empty(len(offsets) - 1, column))


def _ready(events: Events, asks: Sequence[Ask], carried: Sequence[Carried], each: Each) -> tuple[Events, Ready]:
    """The events made ready, with the carry in front of each group that has one."""
    if not carried:
        return events, Ready.of(events, asks)
    some = np.logical_or.reduce([one.some for one in carried])
    led = _led(events, some)
    at = led.offsets[:-1][some]
    ranged: dict[str, Ranged] = {}

    def carry(ask: Ask) -> None:
        state = reduce(ask.fold.merge, (one.states[ask.name] for one in carried))
        ranged[ask.name] = _carried(ask, led, at, tuple(part[some] for part in state))

    for _ in each(carry, [ask for ask in asks if ask.span.forever]):
        pass
    return led, Ready.of(led, asks, ranged)


def _led(events: Events, some: Mask) -> Events:
    """The events with one more in front of some groups, earlier than all; every filter keeps it."""
    places = events.offsets[:-1][some]
    columns = {
        name: Column(
            column.dtype,
            _inserted(column, places),
            None if column.valid is None else np.insert(column.valid, places, True),
        )
        for name, column in events.columns.items()
    }
    shift = np.concatenate([[0], np.cumsum(some)])
    return Events(np.insert(events.time, places, BEGINNING), events.offsets + shift, columns)


def _inserted(column: Column, places: Index) -> Array:
    """Its values with one more at some places, which stands for others; of lists any will do."""
    values = column.values
    if isinstance(values, np.ndarray):
        return np.insert(values, places, _STANDING.get(values.dtype.kind, 0))
    lists = values if len(values) else Column.nulls(1, column.dtype).values
    return lists[np.insert(np.arange(len(values)), places, 0)]


def _carried(ask: Ask, events: Events, at: Index, state: State) -> Ranged:
    """A fold over "forever" of events some of which stand for many: those at `at` have the states given."""
    fold = ask.fold
    column, offsets, position = folding(ask, events)
    rows = lifted(fold, column)
    put(rows, at if position is None else position[at], state)
    prefixes = Prefixes(rows, _begins(offsets, len(column)), fold.merge)

    def ranged(start: Index, stop: Index) -> Column:
        if position is not None:
            start, stop = position[start], position[stop]
        return fold.value(prefixes.upto(start, stop, fold.empty(len(start), column)), ask.dtype)

    return ranged


def _begins(offsets: Index, n: int) -> Mask:
    """Which rows are the first of a group; groups may be empty."""
    begins = nowhere(n)
    begins[offsets[:-1][offsets[:-1] < offsets[1:]]] = True
    return begins


def _late(ask: Ask) -> int:
    assert isinstance(ask.window, Sliding), "checked by `may_slice`"
    return ask.window.late
