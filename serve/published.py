"""What a shard needs of a store, and the only file of this room that knows how the store gives it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import polars as pl

from ..engine.service import FeatureService


@dataclass(frozen=True)
class Published:
    """A service as it was last published: for every side of its plan, in order, the rows that may still matter."""

    service: FeatureService
    frames: Sequence[pl.DataFrame]
    exact_from: Sequence[int | None]
    positions: Mapping[str, int]  # the position in each source's log up to which the frames hold pushed rows


@dataclass(frozen=True)
class Entry:
    """One push as the log takes it."""

    rows: pl.DataFrame
    key: str | None = None


class Publication(Protocol):
    """Where a shard loads from, and where it makes rows durable."""

    def services(self) -> list[Published]:
        """Every published service, newest snapshots."""

    def checked(self, source: str, rows: Any) -> pl.DataFrame:
        """Rows in the source's types, complete, not ahead of the clock; or what is wrong with them. Writes nothing."""

    def append(self, source: str, entries: Sequence[Entry]) -> list[int]:
        """Make pushes durable together; the log's position after each (of the first push, for a key that was seen before)."""

    def end(self, source: str) -> int:
        """The position after the last durable row of a source's log. Asked at every read: cheap."""

    def tail(self, source: str, position: int) -> Iterator[tuple[pl.DataFrame, int]]:
        """Rows of a source's log from a position on, with the position after them; they have `__sequence`."""

    def state(self) -> object:
        """Something that changes when a newer snapshot is published. Asked now and then."""


def open_store(store: Any) -> Publication:
    """What a store (or the path of one) has published."""
    raise NotImplementedError(store)
