"""What a store should hold, in plain Python: versions of orders in the tables and in the log, what each entry held, and what was saved."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

import polars as pl

from . import orders


class Row(NamedTuple):
    """One version of an order."""

    order: int
    when: datetime
    known: datetime
    buyer: str
    amount: float


Rows = frozenset[Row]


def frame(rows: Iterable[Row]) -> pl.DataFrame:
    """The rows as the source has them, in the order they became known."""
    return orders.frame([*sorted(rows, key=lambda row: (row.known, row.order))])


def found(rows: pl.DataFrame) -> list[Row]:
    """The rows of a frame; a list, as one that is there twice must not get lost."""
    return sorted(Row(*row) for row in rows.select(list(orders.SCHEMA)).rows())


def without(rows: Rows, buyer: str) -> Rows:
    """The rows once a buyer is forgotten: none of the buyer's versions, and none of orders that were the buyer's last."""
    newest = {row.order: row for row in sorted(rows, key=lambda row: row.known)}
    return frozenset(row for row in rows if buyer not in (row.buyer, newest[row.order].buyer))


@dataclass
class World:
    """The model of one store."""

    stored: Rows = frozenset()
    pushed: Rows = frozenset()
    offered: Rows = frozenset()  # what the source gives when it is asked
    gone: set[str] = field(default_factory=set)
    entries: dict[int, Rows] = field(default_factory=dict)  # what the tables held at the entries that were looked at
    pins: dict[str, int] = field(default_factory=dict)
    saved: dict[str, pl.DataFrame] = field(default_factory=dict)

    @property
    def now(self) -> Rows:
        """What a reader sees."""
        return self.stored | self.pushed

    def ingested(self) -> Rows:
        """What the tables hold after an ingest: all that is offered and was not forgotten, and what was pushed."""
        return self.stored | self.pushed | frozenset(row for row in self.offered if row.buyer not in self.gone)

    def drained(self) -> None:
        """What was pushed is in the tables."""
        self.stored, self.pushed = self.stored | self.pushed, frozenset()

    def forgotten(self, buyer: str) -> None:
        """A buyer is erased everywhere; only pinned entries are left of the past."""
        self.drained()
        self.gone.add(buyer)
        self.stored = without(self.stored, buyer)
        kept = set(self.pins.values())
        self.entries = {number: without(rows, buyer) for number, rows in self.entries.items() if number in kept}
        self.saved = {name: rows.filter(pl.col("buyer") != buyer) for name, rows in self.saved.items()}
