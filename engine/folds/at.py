"""The one driver: folds at asked times, over events sorted by key and time.

Training asks at many past times, serving asks at now; both come here, with the same folds. Every fold becomes index ranges over its
own dense column (rows that pass its filter, null entries dropped), so a fold never sees what it should not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property

import numpy as np

from ..language.fold import Ranged
from ..language.window import End, rounded
from ..record import record
from .ask import Answer, Ask, Span
from .column import Column, Index, Mask, concat
from .events import Events
from .positions import upper_indices
from .ready import Dense, Ready, prepared
from .stopping import may_stop

FOREVER = 2**62
_CHUNK = 4_000_000  # rows listed at a time where versions make ranges ragged: 32 MB an index


@record
class Asked:
    """Questions: the group, the time asked at, and what was known by then (None: at that same time). Cheapest by (group, time)."""

    group: Index
    time: Index
    known: Index | None = None


class Driver:
    """Answers to folds, fused ones first. The bounds of all windows are found in one pass, equal ones once."""

    def __init__(self, ready: Ready, asked: Asked) -> None:
        self._ready, self._asked = ready, asked
        self._runs: dict[str, _Runs] = {}
        self._ends: Index | None = None  # the index of the ends that the fused pass knows, once it is done

    def values(self) -> Iterator[tuple[Ask, Answer]]:
        """The value of each ask."""
        yield from self._fused()
        for ask, ranged in self._ready.single:
            yield ask, Answer(self._rows(ask.span).fold(ask, ranged))

    def answers(self) -> Iterator[tuple[Ask, Answer]]:
        """The value of each ask, and whether any row was there."""
        yield from self._fused()
        for ask, ranged in self._ready.single:
            span = ask.span
            rows = self._rows(span)
            expired = None if span.ttl is None else ~rows.found & self._rows(ask.whole_span).found
            yield ask, Answer(rows.fold(ask, ranged), rows.found, expired)

    def _fused(self) -> Iterable[tuple[Ask, Answer]]:
        fused, asked = self._ready.fused, self._asked
        if fused is None:
            return ()
        self._ends, answers = fused.answered(self._ready.events, asked.group, asked.time)
        return answers

    def _rows(self, span: Span) -> _Runs:
        runs = self._runs.get(span.start)
        if runs is None:
            start, stop = self._index[span.start], self._index[span.stop]
            if span.may_cross:
                start = np.minimum(start, stop)
            runs = self._runs[span.start] = _Runs(self._ready, start, stop, self._known(span.clocks))
        return runs

    @cached_property
    def _index(self) -> dict[str, Index]:
        """The index of every end of the spans, by its name."""
        events, asked = self._ready.events, self._asked
        found = self._found_before()
        ends: dict[str, End] = {}
        for span in self._ready.spans:
            if span.start in found:
                continue
            after, ends[span.stop] = span.ends(self._time(span.clocks))
            if span.forever:
                found[span.start] = events.offsets[asked.group]
            else:
                ends[span.start] = after
        if not ends:
            return found
        index = upper_indices(events.time, events.offsets, asked.group, asked.time, list(ends.values()))
        return found | dict(zip(ends, index, strict=True))

    def _found_before(self) -> dict[str, Index]:
        fused, ends = self._ready.fused, self._ends
        return {} if fused is None or ends is None else {name: ends[row] for name, row in fused.ends.items()}

    def _time(self, clocks: tuple[int, ...]) -> Index:
        return rounded(self._asked.time, clocks)

    def _known(self, clocks: tuple[int, ...]) -> Index | None:
        """What is known when asked; a view with a grid knows no more than it did at the grid point."""
        if self._ready.events.known_from is None:
            return None
        time = self._time(clocks)
        if self._asked.known is None:
            return time
        return np.minimum(self._asked.known, time) if clocks else self._asked.known


class _Runs:
    """The rows of every question: a range, or where rows inside it do not exist for the observer, the list of those that do."""

    def __init__(self, ready: Ready, start: Index, stop: Index, known: Index | None) -> None:
        self._events, self._start, self._stop = ready.events, start, stop
        self._ragged = _ragged(ready, start, stop, known)
        self._known = known
        self._dense: dict[int, tuple[Index, Index]] = {}

    def fold(self, ask: Ask, ranged: Ranged) -> Column:
        """The fold's value for every question."""
        if not len(self._ragged):
            return (
                ranged.ranged(*self._mapped(ranged)) if isinstance(ranged, Dense) else ranged(self._start, self._stop)
            )
        stop = self._stop.copy()
        stop[self._ragged] = self._start[self._ragged]
        pieces, places = [ranged(self._start, stop)], []
        for questions, rows, offsets in self._lists():
            pieces.append(prepared(ask, self._events, rows, offsets)(offsets[:-1], offsets[1:]))
            places.append(questions)
        source = np.arange(len(stop))
        source[np.concatenate(places)] = np.arange(len(stop), sum(len(piece) for piece in pieces))
        return concat(pieces).take(source)

    def _mapped(self, dense: Dense) -> tuple[Index, Index]:
        """The ranges among the rows that a fold sees, for all folds that see the same once."""
        key = id(dense.position)
        if key not in self._dense:
            self._dense[key] = dense.mapped(self._start, self._stop)
        return self._dense[key]

    @cached_property
    def found(self) -> Mask:
        """Which questions have any row."""
        out = self._stop > self._start
        for questions, _, offsets in self._lists():
            out[questions] = np.diff(offsets) > 0
        return out

    def _lists(self) -> Iterator[tuple[Index, Index, Index]]:
        """Chunks of (questions, the rows that exist for them, offsets of each question's rows), one after another: each may be large."""
        if not len(self._ragged):
            return
        sizes = np.cumsum(self._stop[self._ragged] - self._start[self._ragged])
        cuts = np.searchsorted(sizes, np.arange(_CHUNK, sizes[-1], _CHUNK))
        for part in filter(len, np.split(self._ragged, cuts)):
            may_stop()
            yield self._listed(part)

    def _listed(self, questions: Index) -> tuple[Index, Index, Index]:
        start, size = self._start[questions], self._stop[questions] - self._start[questions]
        owner = np.repeat(np.arange(len(questions)), size)
        first = np.cumsum(size) - size
        rows = np.arange(len(owner)) - first[owner] + start[owner]
        exists = _exists(self._events, rows, _of(self._known)[questions][owner])
        offsets = np.concatenate([[0], np.cumsum(np.bincount(owner[exists], minlength=len(questions)))])
        return questions, rows[exists], offsets.astype(np.int64)


def _ragged(ready: Ready, start: Index, stop: Index, known: Index | None) -> Index:
    """The questions whose range holds a row that does not exist for them."""
    if ready.latest_known is None or ready.first_ended is None or known is None:
        return np.empty(0, dtype=np.int64)
    hidden = ready.latest_known(start, stop) > known
    hidden |= ready.first_ended(start, stop) <= known
    return np.flatnonzero(hidden & (start < stop))


def _exists(events: Events, rows: Index, known: Index) -> Mask:
    return (_of(events.known_from)[rows] <= known) & (known < _of(events.known_until)[rows])


def _of(part: Index | None) -> Index:
    assert part is not None, "only called for events with versions"
    return part
