"""The online form of a source: every key's events, sorted, in memory.

A timeline serves one At: it holds the columns its folds read, already computed, and what the folds prepare of them, so a read is a
search and a few look-ups. It begins from a snapshot (one layer of all keys) and takes pushed rows; keys that got rows have a layer of
their own from then on, made by the same `arrange` that training uses. `branch` gives a cheap copy to try rows on that nobody else sees.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass, replace
from itertools import repeat
from typing import Any

import numpy as np
import polars as pl

from ..plan.plan import At
from ..record import record
from .ask import Answer
from .at import FOREVER
from .column import Array, Index, concat
from .grouping import typed
from .holders import Holders, Key
from .layer import Keyed, Layer, Stretch, ended, side_by_side
from .rows import Rows, joined, rows_of

_SMALL = 4096  # events; up to here copying a key costs less than asking it by itself


@record
class Nobody:
    """Where versions with a null key stand: they answer nothing, but end the versions before them."""

    row_id: Any


@dataclass
class Timeline:
    """All keys' events for one At. Not safe for writers at the same time; readers see whole pushes."""

    side: At
    base: Keyed
    later: MutableMapping[Key, Stretch]  # of keys that got rows since
    holders: Holders
    exact_from: int | None = None  # asked times before this one may reach rows that are not held
    watermark: int | None = None  # the greatest event_time seen

    @staticmethod
    def load(side: At, frame: pl.DataFrame, exact_from: int | None = None) -> Timeline:
        """The timeline of a snapshot's rows."""
        rows, keys = _rows(side, frame)
        timeline = Timeline(side, Keyed.of(side.asks, rows, keys), {}, Holders.of(rows.row_id, keys), exact_from)
        timeline._advance(rows)
        return timeline

    def branch(self) -> Timeline:
        """A copy that shares everything until it takes rows; this one never sees them."""
        return replace(self, later=ChainMap({}, self.later), holders=self.holders.branch())

    def append(self, frame: pl.DataFrame) -> None:
        """Take rows, in sequence order. A version of a row that is held already corrects it, wherever that row stood."""
        rows, keys = _rows(self.side, frame)
        if not len(rows):
            return
        touched = dict.fromkeys([key for key in keys if key is not None])
        for held in self.holders.of_rows(rows.row_id):
            touched.setdefault(held)
        old = [(key, stretch.versions) for key in touched if (stretch := self._stretch(key)) is not None]
        pieces = joined([*(part for _, part in old), rows])
        made = Keyed.of(self.side.asks, pieces, [key for key, part in old for _ in range(len(part))] + keys)
        new = {key: made.stretch(key) or made.nothing for key in touched}
        self.later.update(new if len(new) == 1 else {key: stretch.alone() for key, stretch in new.items()})
        self.holders.add(rows.row_id, keys)
        self._advance(rows)

    def ask(self, keys: Sequence[Key], at: Index, known: Index | None = None) -> dict[str, Answer]:
        """The answer of each fold for each key at its time, (n,); an unknown or null key has no events.

        Keys are asked where they lie, however many events they have; but those with few that got rows since the snapshot are laid side by
        side first, so that many of them are one question.
        """
        if self.later.keys().isdisjoint(keys):
            return self.base.layer.ask(map(self.base.group.get, keys, repeat(-1)), at, known)
        parts = []
        for layer, rows, groups in self._by_layer(keys):
            parts.append((rows, layer.ask(groups, at[rows], None if known is None else known[rows])))
        return parts[0][1] if len(parts) == 1 else _merged(parts)

    def _by_layer(self, keys: Sequence[Key]) -> list[tuple[Layer, list[int], list[int]]]:
        """The layers to ask, with the questions that each answers and their groups in it."""
        stretches = [self.later.get(key) for key in keys]
        small: list[int] = []
        asked: dict[int, tuple[Layer, list[int], list[int]]] = {}
        for row, (key, stretch) in enumerate(zip(keys, stretches, strict=True)):
            if stretch is not None and stretch.size < _SMALL:
                small.append(row)
                continue
            layer = self.base.layer if stretch is None else stretch.layer
            _, rows, groups = asked.setdefault(id(layer), (layer, [], []))
            rows.append(row)
            groups.append(self.base.group.get(key, -1) if stretch is None else stretch.group)
        parts = [stretch for row in small if (stretch := stretches[row]) is not None]
        if len(parts) == 1:
            asked[id(parts[0].layer)] = parts[0].layer, small, [parts[0].group]
        elif parts:
            beside = side_by_side(parts)
            asked[id(beside)] = beside, small, list(range(len(parts)))
        return list(asked.values())

    def _stretch(self, key: Key) -> Stretch | None:
        return self.later.get(key) or self.base.stretch(key)

    def _advance(self, rows: Rows) -> None:
        if len(rows):
            newest = int(rows.time.max())
            self.watermark = newest if self.watermark is None else max(self.watermark, newest)


def _rows(side: At, frame: pl.DataFrame) -> tuple[Rows, list[Key]]:
    """The rows of a frame, and the key of each."""
    source = side.scan.source
    rows = rows_of(source, side.parts, frame, source.known_time)
    if ended(rows):
        rows = replace(rows, until=np.full(len(rows), FOREVER))
    if not side.keys:
        return rows, [()] * len(rows)
    table = typed(frame, dict(side.keys), source.name)
    keys = keys_of_rows([table[name].to_list() for name in table.columns])
    if rows.row_id is None or not ended(rows) or None not in keys:
        return rows, keys
    ids = rows.row_id.tolist()
    return rows, [Nobody(one) if key is None and one is not None else key for key, one in zip(keys, ids, strict=True)]


def keys_of_rows(columns: Sequence[Sequence[Any]]) -> list[Key]:
    """The keys of a table given by its key columns; a key with a null part is None, which is unknown."""
    if len(columns) == 1:
        return list(columns[0])
    return [None if None in row else row for row in zip(*columns, strict=True)]


def _merged(parts: Sequence[tuple[list[int], dict[str, Answer]]]) -> dict[str, Answer]:
    """The answers of several parts as one; each says which questions are its own."""
    place = np.argsort(np.concatenate([rows for rows, _ in parts]))

    def put(masks: Sequence[Array | None]) -> Array | None:
        present = [mask for mask in masks if mask is not None]
        return np.concatenate(present)[place] if present else None

    def one(answers: Sequence[Answer]) -> Answer:
        value = concat([answer.value for answer in answers]).take(place)
        return Answer(value, put([answer.found for answer in answers]), put([answer.expired for answer in answers]))

    return {name: one([answers[name] for _, answers in parts]) for name in parts[0][1]}


__all__ = ["Key", "Timeline", "keys_of_rows"]
