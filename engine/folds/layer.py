"""Keys' rows that came together, by a snapshot or a push, and the events they make: what a timeline is built of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from ..record import record
from .ask import Answer, Ask
from .at import Asked, Driver
from .column import Column, Index, concat
from .events import Events
from .grouping import Order
from .holders import Key
from .ready import Ready
from .rows import Rows, arrange


@record(eq=False)
class Layer:
    """Events of keys, one group each; the last group is empty: that of all unknown keys."""

    asks: Sequence[Ask]
    events: Events

    @cached_property
    def ready(self) -> Ready:
        """The events with what the folds need of them, prepared once for all that is asked."""
        return Ready.of(self.events, self.asks)

    def ask(self, groups: Iterable[int], at: Index, known: Index | None) -> dict[str, Answer]:
        """The answer of each fold for each group at its time, (n,); -1 is an unknown key."""
        group = np.fromiter(groups, np.int64, len(at))
        group[group < 0] = len(self.events.offsets) - 2
        return {ask.name: answer for ask, answer in Driver(self.ready, Asked(group, at, known)).answers()}


class Stretch(NamedTuple):
    """One key's part of a layer, and the rows it was made of: every version that may still matter."""

    layer: Layer
    group: int
    versions: Rows

    @property
    def size(self) -> int:
        """How many events there are."""
        first, last = self.layer.events.offsets[self.group : self.group + 2].tolist()
        return int(last - first)

    @property
    def events(self) -> Events:
        """The events of the key alone; nothing is copied."""
        events = self.layer.events
        first, last = events.offsets[self.group : self.group + 2].tolist()
        cut = slice(first, last)
        columns = {name: column.slice(cut) for name, column in events.columns.items()}
        known = (None if part is None else part[cut] for part in (events.known_from, events.known_until))
        return Events(events.time[cut], np.array([0, last - first]), columns, *known)

    def alone(self) -> Stretch:
        """The same in a layer of its own, so that nothing else is kept alive with it."""
        events = self.events
        rows = np.arange(len(events.time))
        columns = {name: column.take(rows) for name, column in events.columns.items()}
        known = (None if part is None else part.copy() for part in (events.known_from, events.known_until))
        own = Events(events.time.copy(), np.array([0, len(rows), len(rows)]), columns, *known)
        return Stretch(Layer(self.layer.asks, own), 0, self.versions.take(np.arange(len(self.versions))))


@record(eq=False)
class Keyed:
    """A layer with the group of each key, and the rows of each group."""

    layer: Layer
    group: Mapping[Key, int]
    rows: Rows
    offsets: Index

    @staticmethod
    def of(asks: Sequence[Ask], rows: Rows, keys: Sequence[Key | None]) -> Keyed:
        """The layer of rows in any order. A null key is nobody's."""
        number: dict[Key, int] = {}
        group = np.array([-1 if key is None else number.setdefault(key, len(number)) for key in keys], dtype=np.int64)
        arranged = arrange(rows, group, len(number) + 1)
        if ended(rows):
            # A version that moved to another key is not read again with this one, so each row remembers its end.
            every, offsets = _by_group(replace(rows, until=arranged.lives.known_until), group, len(number))
        else:
            every, offsets = _as_rows(arranged.events, rows, arranged.order), arranged.events.offsets
        return Keyed(Layer(asks, arranged.events), number, every, offsets)

    def stretch(self, key: Key) -> Stretch | None:
        """A key's part; None for an unknown key."""
        group = self.group.get(key)
        if group is None:
            return None
        return Stretch(self.layer, group, self.rows.take(slice(int(self.offsets[group]), int(self.offsets[group + 1]))))

    @property
    def nothing(self) -> Stretch:
        """The part of a key without rows."""
        return Stretch(self.layer, len(self.layer.events.offsets) - 2, self.rows.take(slice(0, 0)))


def side_by_side(parts: Sequence[Stretch]) -> Layer:
    """The events of several keys in one layer, copied; group i is that of part i."""
    events = [part.events for part in parts]

    def each(part: Callable[[Events], Any]) -> Any:
        return None if part(events[0]) is None else np.concatenate([part(one) for one in events])

    sizes = np.cumsum([len(one.time) for one in events])
    columns: dict[str, Column] = {name: concat([one.columns[name] for one in events]) for name in events[0].columns}
    known = (each(lambda one: one.known_from), each(lambda one: one.known_until))
    offsets = np.concatenate([[0], sizes, sizes[-1:]])
    return Layer(parts[0].layer.asks, Events(each(lambda one: one.time), offsets, columns, *known))


def ended(rows: Rows) -> bool:
    """True where versions that do not exist now must be kept: one that was known earlier may still arrive."""
    return rows.known is not None and rows.row_id is not None


def _as_rows(events: Events, rows: Rows, order: Order) -> Rows:
    """The events as rows again; they share the arrays."""
    parts = (rows.sequence, rows.known, rows.row_id, rows.deleted)
    return Rows(events.time, events.columns, *(None if part is None else order.sorted(part) for part in parts))


def _by_group(rows: Rows, group: Index, groups: int) -> tuple[Rows, Index]:
    order = np.argsort(group, kind="stable")
    order = order[np.searchsorted(group[order], 0) :]
    return rows.take(order), np.searchsorted(group[order], np.arange(groups + 1))
