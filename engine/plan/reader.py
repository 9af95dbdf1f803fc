"""The door to stored rows: what a source reads from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import polars as pl

from ..record import record


@record
class TimeBound:
    """Rows whose `column` lies in [first, last]; both are microseconds UTC, None is open."""

    column: str
    first: int | None
    last: int | None


@runtime_checkable
class Reader(Protocol):
    """Rows of one table, opened anew at every read; picklable, so that a task on another node can open it itself."""

    def schema(self) -> dict[str, pl.DataType]:
        """Names and types of all columns, without reading rows."""

    def read(self, columns: Sequence[str], bound: TimeBound | None = None) -> pl.DataFrame:
        """The columns of all rows in sequence order (files by path, then row number).

        A bound is a help, not a promise: rows outside it may be returned, rows inside it are never left out. Its column may be
        naive, zoned or a Date; where it is not plainly comparable with UTC the reader ignores it.
        """

    def describe(self) -> str:
        """What is read, in a word or two, for people. Never holds credentials."""


@dataclass(frozen=True, eq=False)
class Loaded:
    """A reader of a frame in memory."""

    frame: pl.DataFrame
    name: str = "frame"

    def schema(self) -> dict[str, pl.DataType]:
        """Names and types of all columns."""
        return dict(self.frame.schema)

    def read(self, columns: Sequence[str], bound: TimeBound | None = None) -> pl.DataFrame:
        """The columns of all rows, or of those within the bound."""
        kept = within(bound, self.frame.schema[bound.column]) if bound and bound.column in self.frame.columns else None
        rows = self.frame.select(columns)
        if kept is None:
            return rows
        inside = self.frame.select(kept).to_series()
        return rows if inside.all() else rows.filter(inside)

    def describe(self) -> str:
        """The frame's name and size."""
        return f"{self.name} ({self.frame.height:,} rows)"


def within(bound: TimeBound | None, dtype: pl.DataType) -> pl.Expr | None:
    """The bound as a Polars predicate, or None where the column cannot be compared with UTC instants as it is."""
    if bound is None or not isinstance(dtype, pl.Datetime) or dtype.time_zone not in (None, "UTC"):
        return None
    column = pl.col(bound.column)
    kept = pl.lit(True)
    for limit, keep in ((bound.first, column.__ge__), (bound.last, column.__le__)):
        if limit is not None:
            kept = kept & keep(_instant(limit, dtype))
    return kept | column.is_null()


def _instant(limit_us: int, dtype: pl.Datetime) -> pl.Expr:
    return pl.lit(limit_us).cast(pl.Datetime("us", dtype.time_zone))
