"""The online form of a source: every key's events, sorted, in memory.

A timeline serves one At: it holds the columns its folds read, already computed, so a read is slices and folds. It begins from a
snapshot (one stretch of rows for each key) and takes pushed rows; a key that got rows has a stretch of its own from then on, made by
the same `arrange` that training uses. `branch` gives a cheap copy to try rows on that nobody else sees.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Hashable, Iterable, MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from .ask import Answer
from .at import FOREVER, Asked, Driver
from .column import Array, Column, Index, concat
from .events import Events, Ready
from .grouping import Order, typed
from .plan import At
from .rows import Rows, arrange, joined, rows_of

Key = Hashable  # one key column: its value; several: a tuple of them; none (global): ()


@dataclass(frozen=True)
class Nobody:
    """Where versions with a null key stand: they answer nothing, but end the versions before them."""

    row_id: Any


class Stretch(NamedTuple):
    """One key's part of shared arrays: every version that may still matter, and the events they make."""

    rows: Rows
    rows_at: tuple[int, int]
    events: Events
    events_at: tuple[int, int]

    @property
    def versions(self) -> Rows:
        """The rows of the key alone."""
        return self.rows.take(slice(*self.rows_at))


@dataclass
class Timeline:
    """All keys' events for one At. Not safe for writers at the same time; readers see whole pushes."""

    side: At
    stretches: MutableMapping[Key, Stretch]
    holders: Holders
    exact_from: int | None = None  # asked times before this one may reach rows that are not held
    watermark: int | None = None  # the greatest event_time seen

    @staticmethod
    def load(side: At, frame: pl.DataFrame, exact_from: int | None = None) -> Timeline:
        """The timeline of a snapshot's rows."""
        timeline = Timeline(side, {}, Holders.of(None, []), exact_from)
        rows, keys = timeline._rows(frame)
        timeline.stretches.update(_stretches(rows, keys))
        timeline.holders = Holders.of(rows.row_id, keys)
        timeline._advance(rows)
        return timeline

    def branch(self) -> Timeline:
        """A copy that shares everything until it takes rows; this one never sees them."""
        return replace(self, stretches=ChainMap({}, self.stretches), holders=self.holders.branch())

    def append(self, frame: pl.DataFrame) -> None:
        """Take rows, in sequence order. A version of a row that is held already corrects it, wherever that row stood."""
        rows, keys = self._rows(frame)
        if not len(rows):
            return
        touched = dict.fromkeys([key for key in keys if key is not None])
        for held in self.holders.of_rows(rows.row_id):
            touched.setdefault(held)
        old = [(key, self.stretches[key].versions) for key in touched if key in self.stretches]
        pieces = joined([*(part for _, part in old), rows])
        owners = [key for key, part in old for _ in range(len(part))] + keys
        made = _stretches(pieces, owners)
        self.stretches.update({key: made.get(key, _nothing(rows)) for key in touched})
        self.holders.add(rows.row_id, keys)
        self._advance(rows)

    def ask(self, keys: Sequence[Key], at: Index, known: Index | None = None) -> dict[str, Answer]:
        """The answer of each fold for each key at its time, (n,); an unknown or null key has no events."""
        events = self._events(keys)
        driver = Driver(Ready.of(events, self.side.asks), Asked(np.arange(len(keys)), at, known))
        return {ask.name: answer for ask, answer in driver.answers()}

    def keys(self, columns: Sequence[Sequence[Any]]) -> list[Key]:
        """The keys of a table given by key columns; a key with a null part is None, which is unknown."""
        if len(columns) == 1:
            return list(columns[0])
        return [None if None in row else row for row in zip(*columns, strict=True)]

    def _rows(self, frame: pl.DataFrame) -> tuple[Rows, list[Key]]:
        source = self.side.scan.source
        rows = rows_of(source, self.side.parts, frame, source.known_time)
        if _ended(rows):
            rows = replace(rows, until=np.full(len(rows), FOREVER))
        if not self.side.keys:
            return rows, [()] * len(rows)
        table = typed(frame, dict(self.side.keys), source.name)
        keys = self.keys([table[name].to_list() for name in table.columns])
        if not _ended(rows) or None not in keys:
            return rows, keys
        return rows, [
            Nobody(one) if key is None and one is not None else key for key, one in zip(keys, _ids(rows), strict=True)
        ]

    def _events(self, keys: Sequence[Key]) -> Events:
        held = [self.stretches.get(key) for key in keys]
        if len(held) == 1 and held[0] is not None:
            return _slice(held[0])
        return _side_by_side(held, self.side)

    def _advance(self, rows: Rows) -> None:
        if len(rows):
            newest = int(rows.time.max())
            self.watermark = newest if self.watermark is None else max(self.watermark, newest)


@dataclass
class Holders:
    """Which keys hold a version of a row_id: sorted arrays for the snapshot, a dict for what came after."""

    ids: Array | None
    owners: Array
    later: MutableMapping[Any, tuple[Key, ...]] = field(default_factory=dict)

    @staticmethod
    def of(row_id: Array | None, keys: list[Key]) -> Holders:
        """The holders of a snapshot's rows."""
        owners = np.empty(len(keys), dtype=object)
        owners[:] = keys
        if row_id is None or row_id.dtype == np.object_:
            later: dict[Any, tuple[Key, ...]] = {}
            made = Holders(None, owners[:0], later)
            made.add(row_id, keys)
            return made
        order = np.argsort(row_id, kind="stable")
        return Holders(row_id[order], owners[order])

    def branch(self) -> Holders:
        """A copy that takes rows of its own."""
        return replace(self, later=ChainMap({}, self.later))

    def of_rows(self, row_id: Array | None) -> Iterable[Key]:
        """The keys that hold a version of any of these rows."""
        if row_id is None:
            return
        for one in row_id.tolist():
            yield from self.later.get(one, ())
        if self.ids is not None:
            if row_id.dtype == np.object_:
                row_id = np.array([one for one in row_id.tolist() if one is not None], dtype=self.ids.dtype)
            first, last = np.searchsorted(self.ids, row_id, "left"), np.searchsorted(self.ids, row_id, "right")
            for low, high in zip(first.tolist(), last.tolist(), strict=True):
                yield from (key for key in self.owners[low:high] if key is not None)

    def add(self, row_id: Array | None, keys: list[Key]) -> None:
        """Remember who holds new rows."""
        if row_id is None:
            return
        for one, key in zip(row_id.tolist(), keys, strict=True):
            if one is not None and key is not None and key not in self.later.get(one, ()):
                self.later[one] = (*self.later.get(one, ()), key)


def _stretches(rows: Rows, keys: list[Key]) -> dict[Key, Stretch]:
    """The stretch of every key, from rows in any order. A null key is nobody's."""
    number: dict[Key, int] = {}
    group = np.array([-1 if key is None else number.setdefault(key, len(number)) for key in keys], dtype=np.int64)
    arranged = arrange(rows, group, len(number))
    events = arranged.events
    if _ended(rows):
        # A version that moved to another key is not read again with this one, so each row remembers its end.
        every, offsets = _by_group(replace(rows, until=arranged.lives.known_until), group, len(number))
    else:
        every, offsets = _as_rows(events, rows, arranged.order), events.offsets
    cuts, inner = offsets.tolist(), events.offsets.tolist()
    return {key: Stretch(every, (cuts[g], cuts[g + 1]), events, (inner[g], inner[g + 1])) for key, g in number.items()}


def _as_rows(events: Events, rows: Rows, order: Order) -> Rows:
    """The events as rows again; they share the arrays."""
    parts = (rows.sequence, rows.known, rows.row_id, rows.deleted)
    return Rows(events.time, events.columns, *(None if part is None else order.sorted(part) for part in parts))


def _ended(rows: Rows) -> bool:
    """True where versions that do not exist now must be kept: one that was known earlier may still arrive."""
    return rows.known is not None and rows.row_id is not None


def _ids(rows: Rows) -> list[Any]:
    assert rows.row_id is not None, "only called for rows with versions"
    return list(rows.row_id.tolist())


def _by_group(rows: Rows, group: Index, groups: int) -> tuple[Rows, Index]:
    order = np.argsort(group, kind="stable")
    order = order[np.searchsorted(group[order], 0) :]
    return rows.take(order), np.searchsorted(group[order], np.arange(groups + 1))


def _nothing(rows: Rows) -> Stretch:
    """The stretch of a key whose last row went to another key."""
    none = rows.take(slice(0, 0))
    return Stretch(none, (0, 0), arrange(none, np.empty(0, dtype=np.int64), 1).events, (0, 0))


def _slice(stretch: Stretch) -> Events:
    """One key's events: views, nothing is copied."""
    events, (first, last) = stretch.events, stretch.events_at
    cut = slice(first, last)
    columns = {
        name: Column(c.dtype, c.values[cut], None if c.valid is None else c.valid[cut])
        for name, c in events.columns.items()
    }
    known = (None if part is None else part[cut] for part in (events.known_from, events.known_until))
    return Events(events.time[cut], np.array([0, last - first]), columns, *known)


def _side_by_side(held: Sequence[Stretch | None], side: At) -> Events:
    """Several keys' events, one group each, in the order asked."""
    owners = {id(stretch.events): stretch.events for stretch in held if stretch is not None}
    spans = np.array([(0, 0) if stretch is None else stretch.events_at for stretch in held], dtype=np.int64).reshape(
        -1, 2
    )
    first, size = spans[:, 0], spans[:, 1] - spans[:, 0]
    offsets = np.concatenate([[0], np.cumsum(size)])
    if not owners:
        return _empty(side, offsets)
    if len(owners) == 1:
        rows = np.repeat(first - offsets[:-1], size) + np.arange(offsets[-1])
        return _taken(next(iter(owners.values())), rows, offsets)
    return _joined([_slice(stretch) for stretch in held if stretch is not None], offsets)


def _taken(events: Events, rows: Index, offsets: Index) -> Events:
    """Some rows of the events of one snapshot."""

    def cut(part: Any) -> Any:
        return None if part is None else part[rows]

    columns = {name: Column(c.dtype, c.values[rows], cut(c.valid)) for name, c in events.columns.items()}
    return Events(events.time[rows], offsets, columns, cut(events.known_from), cut(events.known_until))


def _joined(parts: list[Events], offsets: Index) -> Events:
    """The events of several keys, one after another."""

    def each(part: Callable[[Events], Any]) -> Any:
        return np.concatenate([part(events) for events in parts])

    columns = {name: concat([events.columns[name] for events in parts]) for name in parts[0].columns}
    versioned = parts[0].known_from is not None
    known = (each(lambda e: e.known_from), each(lambda e: e.known_until)) if versioned else (None, None)
    return Events(each(lambda e: e.time), offsets, columns, *known)


def _empty(side: At, offsets: Index) -> Events:
    columns = {key: Column(part.dtype, Column.nulls(0, part.dtype).values) for key, part in side.parts.items()}
    none = np.empty(0, dtype=np.int64) if side.scan.source.known_time else None
    return Events(np.empty(0, dtype=np.int64), offsets, columns, none, none)


__all__ = ["Holders", "Key", "Stretch", "Timeline"]
