"""The files of an event table: one per (bucket, time slab) and ingest, sorted, named for what is in them, so that none is opened to choose."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import polars as pl
import pyarrow as pa

from ...engine.record import record
from ..ports import Here, Stretch, Version
from ..tables.lost import looked_again
from .placed import where


class StoredFile(NamedTuple):
    """A file of a version of a table, and what its name says."""

    number: int  # its place in the version: of two files of a bucket and slab the later is the younger
    bucket: int
    slab: int
    rows: int


@record
class EventFiles:
    """One version of the event table at a place."""

    here: Here
    place: str
    version: Version

    def files(self) -> tuple[StoredFile, ...]:
        """Its files, by bucket, then by slab, then by age."""
        found = [_stored(number, stretch) for number, stretch in enumerate(self._opened()[1])]
        return tuple(sorted(found, key=lambda file: (file.bucket, file.slab, file.number)))

    def schema(self) -> pa.Schema:
        """Its columns."""
        return self._opened()[0]

    def read(self, columns: Sequence[str], files: Sequence[StoredFile]) -> pl.DataFrame:
        """The columns of the rows of some files, file by file; no other file is opened."""
        schema = pa.schema([self.schema().field(name) for name in columns])
        found: Any = pl.from_arrow(pa.Table.from_batches(self._batches(columns, files), schema))
        return found  # type: ignore[no-any-return]

    def batches(self, columns: Sequence[str], files: Sequence[StoredFile]) -> Iterator[pl.DataFrame]:
        """The same, a few rows at a time."""
        for batch in self._batches(columns, files):
            found: Any = pl.from_arrow(batch)
            yield found

    def _batches(self, columns: Sequence[str], files: Sequence[StoredFile]) -> Iterator[pa.RecordBatch]:
        stretches = self._opened()[1]
        with looked_again(self.here.ledger):
            wanted = [stretches[file.number] for file in files]
            yield from self.here.tables.batches(self.place, self.version, columns, wanted)

    def _opened(self) -> tuple[pa.Schema, tuple[Stretch, ...]]:
        with looked_again(self.here.ledger):
            return self.here.tables.opened(self.place, self.version)


def _stored(number: int, stretch: Stretch) -> StoredFile:
    return StoredFile(number, *where(stretch.parts[0].path), stretch.rows)
