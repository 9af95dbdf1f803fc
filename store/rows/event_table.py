"""The store's own rows of a source, as a reader: an event table at one version, and the pushed rows it has not yet taken in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import polars as pl

from ...engine.errors import UnknownColumn, did_you_mean
from ...engine.folds.rows import SEQUENCE
from ...engine.language.source import SourceSpec
from ...engine.plan.reader import Reader, TimeBound
from ..ports import Here
from ..sources.conform import conformed
from .event_files import EventFiles, StoredFile
from .fresh import CONTENT, Fresh, fresh, is_settled, needed, with_content
from .log import Log
from .pushed import declared
from .records import STAMPS
from .stored_parts import KeyedTable, StoredLayout, StoredPart, laid_by


@dataclass(frozen=True)
class EventTable:
    """The rows of a source as a store holds them, pinned when it is made: every read gives the same rows.

    `settled` is True where no row has a second version or was deleted, so that rows may be left out by time.
    """

    spec: SourceSpec
    here: Here = field(repr=False)
    entry: int  # of the ledger, where it stands
    tables: tuple[KeyedTable, ...]  # each holds all rows; none before anything was stored
    buckets: int
    slab_us: int
    position: int  # in the log, up to which the tables have its rows
    upto: int
    table_settled: bool
    reserved = frozenset(STAMPS)

    @property
    def settled(self) -> bool:
        """True where a row outside a time bound cannot end one inside it."""
        return self.table_settled and (self.upto <= self.position or is_settled(self.spec, self._fresh))

    def schema(self) -> dict[str, pl.DataType]:
        """The source's columns, `__arrival` and `__sequence`."""
        return {**self.spec.schema, **STAMPS}

    def read(self, columns: Sequence[str], bound: TimeBound | None = None) -> pl.DataFrame:
        """The columns of all rows in sequence order; slabs outside the bound are not opened."""
        self.check(columns)
        rows = self._as_they_lie.read(list(dict.fromkeys([*columns, SEQUENCE])), bound)
        order = rows[SEQUENCE]
        return (rows if order.is_sorted() else rows.sort(SEQUENCE)).select(columns)

    def cuts(self) -> Sequence[int]:
        """Where files of its first table begin, then the rows that were pushed."""
        return self._as_they_lie.cuts()

    def stretch(self, first: int, last: int) -> Reader:
        """The rows [first, last) as they lie, with `__sequence`."""
        return self._as_they_lie.stretch(first, last)

    def laid(self, keys: Mapping[str, pl.DataType]) -> StoredLayout | None:
        """How rows lie by some of these keys: in the table by most of them."""
        keyed = laid_by(self.tables, keys)
        return None if keyed is None else StoredLayout(self, keyed)

    @cached_property
    def pushes(self) -> int:
        """How many rows of the log the table has not taken in; it may hold some of them."""
        return sum(frame.height for frame in self._tail())

    def check(self, columns: Sequence[str]) -> None:
        """Refuse columns that are not there."""
        schema = self.schema()
        for column in columns:
            if column not in schema:
                raise UnknownColumn(f"{self.describe()} has no column {column!r}. {did_you_mean(column, schema)}")

    def inside(self, files: Sequence[StoredFile], bound: TimeBound | None) -> tuple[StoredFile, ...]:
        """The files of slabs that a bound reaches."""
        first, last = self.ends(bound)
        return tuple(
            file for file in files if (first is None or file.slab >= first) and (last is None or file.slab <= last)
        )

    def ends(self, bound: TimeBound | None) -> tuple[int | None, int | None]:
        """The slabs that the ends of a bound lie in."""
        if bound is None or bound.column != self.spec.event_time:
            return None, None
        first, last = (None if limit is None else limit // self.slab_us for limit in (bound.first, bound.last))
        return first, last

    def stored(
        self, columns: Sequence[str], keyed: KeyedTable | None = None, files: Sequence[StoredFile] | None = None
    ) -> pl.DataFrame:
        """The columns of the rows of the table alone, or of some of its files, in no promised order."""
        table = keyed or next(iter(self.tables), None)
        if table is None:
            schema = self._all()
            return pl.DataFrame(schema={name: schema[name] for name in columns})
        rows = table.stored.read(_there(table.stored, columns), table.files if files is None else files)
        return self._conformed(rows, columns)

    def batches(self, columns: Sequence[str], keyed: KeyedTable, files: Sequence[StoredFile]) -> Iterator[pl.DataFrame]:
        """The columns of the rows of some files, a few rows at a time."""
        for rows in keyed.stored.batches(_there(keyed.stored, columns), files):
            yield self._conformed(rows, columns)

    def _conformed(self, rows: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
        """The rows in the types of the source; a column that this version of the table does not have yet is null."""
        schema, there = self._all(), rows.schema
        made = [pl.lit(None, schema[name]).alias(name) for name in columns if name not in there]
        made += [pl.lit(conformed(rows[name], schema[name], name)) for name in there if there[name] != schema[name]]
        return rows.with_columns(made).select(columns) if made else rows

    def _all(self) -> dict[str, pl.DataType]:
        return self.schema() | {CONTENT: pl.Int64()}

    def pushed(self) -> Fresh:
        """The rows of the log that the table has not taken in and does not hold; all columns and their content hash."""
        return self._fresh

    @cached_property
    def _fresh(self) -> Fresh:
        rows = with_content(self.spec, pl.concat([pl.DataFrame(schema=self.schema()), *self._tail()]))
        if not rows.height:
            return Fresh(rows, 0, 0)
        return fresh(self.spec, self.stored(needed(self.spec)), rows, snapshot=False)

    def __getstate__(self) -> dict[str, Any]:
        """It travels without the rows that were pushed; buckets take theirs with them."""
        return {name: part for name, part in self.__dict__.items() if name != "_fresh"}

    def fingerprint(self) -> str:
        """Which version of which table, and up to where in which log."""
        tables = [(table.place, table.version.digest) for table in self.tables]
        return repr((self.here.folder.url, self.spec.name, tables, str(self.here.logs), self.position, self.upto))

    def describe(self) -> str:
        """Which table and version."""
        pushed = ", pushed rows" if self.upto > self.position else ""
        return f"store {self.spec.name} (version {self.entry}{pushed})"

    @property
    def _as_they_lie(self) -> StoredPart:
        """All rows, with `__sequence`."""
        first = next(iter(self.tables), None)
        files = () if first is None else first.files
        return StoredPart(self, first, files, pushed=self.pushes > 0, ordered=False)

    def _tail(self) -> list[pl.DataFrame]:
        if self.upto <= self.position or self.here.logs is None:
            return []
        frames, _ = Log(self.here.logs / self.spec.name).read(self.position, self.upto)
        return [declared(frame, self.schema()) for frame in frames]


def _there(table: EventFiles, columns: Sequence[str]) -> list[str]:
    """The columns that a table has; where it has none of them one that says how many rows there are."""
    known = table.schema().names
    return [name for name in columns if name in known] or [SEQUENCE]
