"""Rows of an event table where they lie: some of its files, as a reader that can be cut at files, and rows pushed since as its last stretch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field, replace
from functools import cached_property
from itertools import accumulate, chain, pairwise
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from ...engine.folds.column import Index
from ...engine.folds.hashing import HASH_VERSION, bucket
from ...engine.folds.rows import SEQUENCE
from ...engine.plan.reader import Loaded, Reader, TimeBound, within
from ...engine.record import record
from ..ports import Here, Version
from .event_files import EventFiles, StoredFile

if TYPE_CHECKING:
    from .event_table import EventTable


@record
class KeyedTable:
    """One of the tables that hold all rows of a source: by which keys it is bucketed, where it is, and at which version."""

    keys: tuple[str, ...]
    here: Here = field(repr=False)
    place: str
    version: Version

    @property
    def stored(self) -> EventFiles:
        """The table."""
        return EventFiles(self.here, self.place, self.version)

    @cached_property
    def files(self) -> tuple[StoredFile, ...]:
        """Its files, by bucket, then by slab, then by age."""
        return self.stored.files()


@record
class StoredPart:
    """A reader of some files of a table, and perhaps of rows pushed since.

    Rows of a file are sorted by keys, event time, known time and sequence. If `ordered`, they come without `__sequence` where it says no
    more than their order, for rows of equal keys: where a bucket has one file for each slab, and no pushed rows.
    """

    rows: EventTable
    keyed: KeyedTable | None  # None before anything was stored
    files: tuple[StoredFile, ...]
    pushed: Loaded | bool = False  # the rows pushed since that belong to it, or whether all do
    ordered: bool = True  # rows of equal keys are told apart by their order, if they can

    def schema(self) -> dict[str, pl.DataType]:
        """The columns of the source, and what the store adds."""
        schema = self.rows.schema()
        if self._tells_by_order:
            del schema[SEQUENCE]
        return schema

    def read(self, columns: Sequence[str], bound: TimeBound | None = None) -> pl.DataFrame:
        """The columns of the rows, file by file; files of slabs outside the bound are not opened."""
        wanted, files = self._wanted(columns, bound), self.rows.inside(self.files, bound)
        parts = [self.rows.stored(wanted, self.keyed, files), *self._pushed(wanted)]
        kept = self._kept(files, bound)
        rows = pl.concat(parts) if len(parts) > 1 else parts[0]
        return (rows if kept is None else rows.filter(kept)).select(columns)

    def batches(self, columns: Sequence[str], bound: TimeBound | None = None) -> Iterator[pl.DataFrame]:
        """The same rows, a file's at a time where files are not large."""
        wanted, files = self._wanted(columns, bound), self.rows.inside(self.files, bound)
        found = () if self.keyed is None else self.rows.batches(wanted, self.keyed, files)
        kept = self._kept(files, bound)
        for rows in chain(found, self._pushed(wanted)):
            rows = rows if kept is None else rows.filter(kept)
            yield (rows if wanted == columns else rows.select(columns)).rechunk()

    def cuts(self) -> Sequence[int]:
        """Where files begin, then the rows that were pushed."""
        pushed = [self.rows.pushes] if self.pushed and self.rows.pushes else []
        return [0, *accumulate([*(file.rows for file in self.files), *pushed])]

    def stretch(self, first: int, last: int) -> Reader:
        """The rows [first, last)."""
        spans = list(pairwise(self.cuts()))
        files = [file for file, (begin, end) in zip(self.files, spans, strict=False) if first <= begin and end <= last]
        ends = last > sum(file.rows for file in self.files)
        return replace(self, files=tuple(files), pushed=self.pushed if ends else False)

    def fingerprint(self) -> str:
        """Which files of which version, and up to where in the log."""
        return repr((self.rows.fingerprint(), self.keyed, self.files, bool(self.pushed)))

    def describe(self) -> str:
        """Which table and version."""
        return self.rows.describe()

    @property
    def _tells_by_order(self) -> bool:
        places = [(file.bucket, file.slab) for file in self.files]
        return self.ordered and not self.pushed and len(set(places)) == len(places)

    def _wanted(self, columns: Sequence[str], bound: TimeBound | None) -> list[str]:
        self.rows.check(columns)
        return list(dict.fromkeys([*columns, *([bound.column] if bound else [])]))

    def _kept(self, files: Sequence[StoredFile], bound: TimeBound | None) -> pl.Expr | None:
        """The bound, where much may lie outside: most rows are pushed ones, or in slabs that an end of it cuts."""
        ends = self.rows.ends(bound)
        inside = sum(file.rows for file in files if file.slab not in ends)
        if bound is None or 2 * inside > sum(file.rows for file in files) + (self.rows.pushes if self.pushed else 0):
            return None
        return within(bound, self.rows.schema()[bound.column])

    def _pushed(self, columns: Sequence[str]) -> list[pl.DataFrame]:
        """The pushed rows, if there may be any."""
        if isinstance(self.pushed, Loaded):
            return [self.pushed.read(columns)]
        return [self.rows.pushed().rows.select(columns)] if self.pushed else []


@record
class StoredLayout:
    """How the rows of a table lie: a bucket for each file, by the keys of the table."""

    rows: EventTable
    keyed: KeyedTable
    hash_version: int = HASH_VERSION  # the one the source was stored by: others are refused when it is opened

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys hashed."""
        return self.keyed.keys

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """The rows of each bucket."""
        sizes = np.bincount(self._places, minlength=self.rows.buckets)
        for file in self.keyed.files:
            sizes[file.bucket] += file.rows
        return tuple(sizes.tolist())

    def bucket(self, numbers: Sequence[int], bound: TimeBound | None) -> Reader:
        """The rows of some buckets; slabs outside the bound are left out."""
        wanted = set(numbers)
        files = [file for file in self.keyed.files if file.bucket in wanted]
        pushed = Loaded(self._pushed(numbers)) if self.rows.pushes else False
        return StoredPart(self.rows, self.keyed, self.rows.inside(files, bound), pushed)

    def _pushed(self, numbers: Sequence[int]) -> pl.DataFrame:
        """The rows pushed since that would lie in some buckets."""
        return self.rows.pushed().rows.filter(pl.Series(np.isin(self._places, numbers)))

    @cached_property
    def _places(self) -> Index:
        """The bucket of each row that was pushed."""
        if not self.rows.pushes:
            return np.empty(0, dtype=np.int64)
        return bucket(self.rows.pushed().rows.select(self.keys), self.rows.buckets)


def laid_by(tables: Sequence[KeyedTable], keys: Mapping[str, pl.DataType]) -> KeyedTable | None:
    """The table by most of these keys, and by no other."""
    found = [table for table in tables if table.keys and set(table.keys) <= set(keys)]
    return max(found, key=lambda table: len(table.keys), default=None)
