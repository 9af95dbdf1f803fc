"""The store's own rows of a source, as a reader: an event table at one version, and the pushed rows it has not yet taken in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from ..engine.errors import UnknownColumn, did_you_mean
from ..engine.reader import TimeBound, within
from ..engine.rows import ARRIVAL, SEQUENCE
from ..engine.source import SourceSpec
from .conform import conformed
from .event_files import EventFiles
from .fresh import CONTENT, Fresh, fresh, needed, with_content
from .log import Log

_STAMPS: dict[str, pl.DataType] = {ARRIVAL: pl.Datetime("us", "UTC"), SEQUENCE: pl.Int64()}


@dataclass(frozen=True)
class EventTable:
    """The rows of a source as a store holds them, pinned when it is made: every read gives the same rows.

    `settled` is True where no row has a second version or was deleted, so that rows may be left out by time.
    """

    spec: SourceSpec
    folder: Path
    version: int | None
    slab_us: int
    log: Path
    position: int
    upto: int
    table_settled: bool

    @property
    def settled(self) -> bool:
        """True where a row outside a time bound cannot end one inside it."""
        return self.table_settled and (self.upto <= self.position or self.spec.row_id is None)

    def schema(self) -> dict[str, pl.DataType]:
        """The source's columns, `__arrival` and `__sequence`."""
        return {**self.spec.schema, **_STAMPS}

    def read(self, columns: Sequence[str], bound: TimeBound | None = None) -> pl.DataFrame:
        """The columns of all rows in sequence order; slabs outside the bound are not opened."""
        schema = self.schema()
        for column in columns:
            if column not in schema:
                raise UnknownColumn(f"{self.describe()} has no column {column!r}. {did_you_mean(column, schema)}")
        wanted = list(dict.fromkeys([*columns, SEQUENCE, *([bound.column] if bound else [])]))
        rows = pl.concat([self.stored(wanted, bound), self.pushed().rows.select(wanted)], rechunk=True)
        kept = within(bound, schema[bound.column]) if bound else None
        rows = rows if kept is None else rows.filter(kept)
        return _in_sequence(rows).select(columns)

    def stored(self, columns: Sequence[str], bound: TimeBound | None = None) -> pl.DataFrame:
        """The columns of the rows of the table alone, in no promised order."""
        schema = self.schema() | {CONTENT: pl.Int64()}
        if self.version is None:
            return pl.DataFrame(schema={name: schema[name] for name in columns})
        rows = EventFiles(self.folder).read(self.version, columns, self._slabs(bound))
        return rows.with_columns(
            conformed(rows[name], schema[name], name) for name in columns if rows.schema[name] != schema[name]
        )

    def pushed(self) -> Fresh:
        """The rows of the log that the table has not taken in and does not hold; all columns and their content hash."""
        rows = with_content(self.spec, pl.concat([pl.DataFrame(schema=self.schema()), *self._tail()]))
        if not rows.height:
            return Fresh(rows, 0, 0)
        return fresh(self.spec, self.stored(needed(self.spec)), rows, snapshot=False)

    def fingerprint(self) -> str:
        """Which version of which table, and up to where in which log."""
        return repr((self.spec.name, str(self.folder), self.version, str(self.log), self.position, self.upto))

    def describe(self) -> str:
        """Which table and version."""
        pushed = ", pushed rows" if self.upto > self.position else ""
        return f"store {self.spec.name} (version {self.version}{pushed})"

    def _tail(self) -> list[pl.DataFrame]:
        if self.upto <= self.position:
            return []
        frames, _ = Log(self.log).read(self.position, self.upto)
        return [frame.select(list(self.schema())) for frame in frames]

    def _slabs(self, bound: TimeBound | None) -> tuple[int | None, int | None]:
        if bound is None or bound.column != self.spec.event_time:
            return None, None
        first, last = (None if limit is None else limit // self.slab_us for limit in (bound.first, bound.last))
        return first, last


def _in_sequence(rows: pl.DataFrame) -> pl.DataFrame:
    order = rows[SEQUENCE]
    return rows if order.is_sorted() else rows.sort(SEQUENCE)
