"""The one driver: folds at asked times, over events sorted by key and time.

Training asks at many past times, serving asks at now; both come here, with the same folds. Every fold becomes index ranges over its
own dense column (rows that pass its filter, null entries dropped), so a fold never sees what it should not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from .column import Column, Index, Mask, concat
from .fold import Fold
from .ranges import range_max, range_min, upper_index
from .tree import fold_ranges
from .window import BEGINNING, Sliding, Window, floor

FOREVER = 2**62
_CHUNK = 4_000_000  # rows listed at a time where versions make ranges ragged: 32 MB an index


@dataclass(frozen=True)
class Events:
    """Events of groups (keys), sorted by (group, event_time, known_time, sequence).

    Group g is [offsets[g], offsets[g + 1]). A row exists for an observer at s iff known_from <= s < known_until; both are None where
    every row exists always. `columns` holds what folds read, by name.
    """

    time: Index
    offsets: Index
    columns: Mapping[str, Column]
    known_from: Index | None = None
    known_until: Index | None = None


@dataclass(frozen=True)
class Asked:
    """Questions sorted by (group, time): the group, the time asked at, and what was known by then (None: at that same time)."""

    group: Index
    time: Index
    known: Index | None = None


@dataclass(frozen=True)
class Span:
    """A window at the clocks of its view, cut off at a ttl. The names of its ends are equal where the ends always are."""

    window: Window
    clocks: tuple[int, ...]
    ttl: int | None

    @cached_property
    def start(self) -> str:
        """Names where it begins."""
        return f"after {self.window} {self.clocks} {self.ttl}"

    @cached_property
    def stop(self) -> str:
        """Names where it ends: windows that differ in width alone end alike."""
        window = self.window
        end = f"{window.delay} {window.closed}" if isinstance(window, Sliding) else str(window)
        return f"upto {end} {self.clocks}"

    def bounds(self, time: Index) -> tuple[Index, Index]:
        """(after, upto] for each time, which the clocks have rounded down already."""
        after, upto = self.window.bounds(time)
        return (after if self.ttl is None else time - self.ttl - 1), upto


@dataclass(frozen=True)
class Ask:
    """One fold as it is asked: its column and filter by name, window, and the clocks its time is rounded down to."""

    name: str
    fold: Fold
    column: str | None
    kept: str | None
    window: Window
    dtype: pl.DataType
    clocks: tuple[int, ...] = ()
    ttl: int | None = None

    @cached_property
    def span(self) -> Span:
        """The stretch of time it sees; ttl counts for folds over "forever" alone."""
        forever = isinstance(self.window, Sliding) and self.window.width is None
        return Span(self.window, self.clocks, self.ttl if forever else None)

    @cached_property
    def whole_span(self) -> Span:
        """The same without the ttl."""
        return Span(self.window, self.clocks, None)


@dataclass(frozen=True)
class Answer:
    """The value of one fold for every question; and, where it was asked, why there may be none."""

    value: Column
    found: Mask | None = None  # some row was in the window
    expired: Mask | None = None  # no row was, but an older one is outside the ttl


class Driver:
    """Answers to folds, in the order of the questions. Windows that end or begin alike share their bounds."""

    def __init__(self, events: Events, asked: Asked) -> None:
        self._events, self._asked = events, asked
        self._index: dict[str, Index] = {}
        self._runs: dict[str, _Runs] = {}

    def value(self, ask: Ask) -> Answer:
        """The value alone. Cost: linear in events and questions."""
        return Answer(self._rows(ask.span).fold(ask))

    def answer(self, ask: Ask) -> Answer:
        """The value, and whether any row was there."""
        rows = self._rows(ask.span)
        found = rows.found
        if ask.span.ttl is None:
            return Answer(rows.fold(ask), found)
        return Answer(rows.fold(ask), found, ~found & self._rows(ask.whole_span).found)

    def _rows(self, span: Span) -> _Runs:
        runs = self._runs.get(span.start)
        if runs is None:
            after, upto = span.bounds(self._time(span.clocks))
            start, stop = self._upper(span.start, after), self._upper(span.stop, upto)
            if span.ttl is not None:  # a ttl shorter than the delay ends before the window does
                start = np.minimum(start, stop)
            runs = self._runs[span.start] = _Runs(self._events, start, stop, self._known(span.clocks))
        return runs

    def _upper(self, name: str, bound: Index) -> Index:
        index = self._index.get(name)
        if index is None:
            events, group = self._events, self._asked.group
            forever = len(bound) and bound[0] <= BEGINNING
            index = self._index[name] = (
                events.offsets[group] if forever else upper_index(events.time, events.offsets, group, bound)
            )
        return index

    def _time(self, clocks: tuple[int, ...]) -> Index:
        time = self._asked.time
        for step in clocks:
            time = floor(time, step)
        return time

    def _known(self, clocks: tuple[int, ...]) -> Index | None:
        """What is known when asked; a view with a grid knows no more than it did at the grid point."""
        if self._events.known_from is None:
            return None
        time = self._time(clocks)
        if self._asked.known is None:
            return time
        return np.minimum(self._asked.known, time) if clocks else self._asked.known


class _Runs:
    """The rows of every question: a range, or where rows inside it do not exist for the observer, the list of those that do."""

    def __init__(self, events: Events, start: Index, stop: Index, known: Index | None) -> None:
        self._events, self._start, self._stop = events, start, stop
        self._ragged = _ragged(events, start, stop, known)
        self._known = known

    def fold(self, ask: Ask) -> Column:
        """The fold's value for every question."""
        column = self._events.columns[ask.column] if ask.column else _times(self._events)
        kept = self._keep(ask, column)
        if not len(self._ragged):
            return _on_ranges(ask, column, kept, self._start, self._stop)
        plain_stop = self._stop.copy()
        plain_stop[self._ragged] = self._start[self._ragged]
        return self._with_ragged(ask, column, kept, _on_ranges(ask, column, kept, self._start, plain_stop))

    @cached_property
    def found(self) -> Mask:
        """Which questions have any row."""
        out = self._stop > self._start
        for questions, _, offsets in self._lists():
            out[questions] = np.diff(offsets) > 0
        return out

    def _keep(self, ask: Ask, column: Column) -> Mask | None:
        kept = self._events.columns[ask.kept] if ask.kept else None
        mask = None if kept is None else (kept.values if kept.valid is None else kept.values & kept.valid)
        if ask.fold.sees_nulls or column.valid is None:
            return mask
        return column.valid if mask is None else mask & column.valid

    def _with_ragged(self, ask: Ask, column: Column, kept: Mask | None, plain: Column) -> Column:
        pieces, places = [plain], []
        for questions, rows, offsets in self._lists():
            listed = None if kept is None else kept[rows]
            pieces.append(_on_ranges(ask, column.take(rows), listed, offsets[:-1], offsets[1:]))
            places.append(questions)
        source = np.arange(len(plain))
        source[np.concatenate(places)] = np.arange(len(plain), sum(len(piece) for piece in pieces))
        return concat(pieces).take(source)

    def _lists(self) -> list[tuple[Index, Index, Index]]:
        """Chunks of (questions, the rows that exist for them, offsets of each question's rows)."""
        if not len(self._ragged):
            return []
        sizes = np.cumsum(self._stop[self._ragged] - self._start[self._ragged])
        cuts = np.searchsorted(sizes, np.arange(_CHUNK, sizes[-1], _CHUNK))
        return [self._listed(part) for part in np.split(self._ragged, cuts) if len(part)]

    def _listed(self, questions: Index) -> tuple[Index, Index, Index]:
        start, size = self._start[questions], self._stop[questions] - self._start[questions]
        owner = np.repeat(np.arange(len(questions)), size)
        first = np.cumsum(size) - size
        rows = np.arange(len(owner)) - first[owner] + start[owner]
        exists = _exists(self._events, rows, _of(self._known)[questions][owner])
        offsets = np.concatenate([[0], np.cumsum(np.bincount(owner[exists], minlength=len(questions)))])
        return questions, rows[exists], offsets.astype(np.int64)


def _on_ranges(ask: Ask, column: Column, kept: Mask | None, start: Index, stop: Index) -> Column:
    """The fold over ranges of the column; a mask of rows to keep moves the ranges onto the rows kept."""
    if kept is not None:
        position = np.concatenate([[0], np.cumsum(kept)])
        column, start, stop = column.where(kept), position[start], position[stop]
        if not ask.fold.sees_nulls:
            column = Column(column.dtype, column.values)
    done = ask.fold.bulk(column, start, stop, ask.dtype)
    return done if done is not None else ask.fold.value(fold_ranges(ask.fold, column, start, stop), ask.dtype)


def _ragged(events: Events, start: Index, stop: Index, known: Index | None) -> Index:
    """The questions whose range holds a row that does not exist for them."""
    if events.known_from is None or events.known_until is None or known is None:
        return np.empty(0, dtype=np.int64)
    hidden = range_max(events.known_from, start, stop) > known
    hidden |= range_min(events.known_until, start, stop) <= known
    return np.flatnonzero(hidden & (start < stop))


def _exists(events: Events, rows: Index, known: Index) -> Mask:
    return (_of(events.known_from)[rows] <= known) & (known < _of(events.known_until)[rows])


def _of(part: Index | None) -> Index:
    assert part is not None, "only called for events with versions"
    return part


def _times(events: Events) -> Column:
    return Column(pl.Datetime("us", "UTC"), events.time)
