"""The files of an event table: one per (bucket, time slab), sorted, named for what is in them.

A version of the table is a list of files. A commit writes new files, forces them to the disk, and overwrites the list by one that names the
base version's files and its own; overwriting is a compare-and-swap in Lance (unlike appending), so no other list gets mixed in. A version
that no ledger row names is never read.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import polars as pl
import pyarrow as pa
from lance.commit import CommitConflictError
from lance.dataset import LanceScanner
from lance.file import LanceFileWriter
from lance.fragment import DataFile, FragmentMetadata, LanceFragment

from ..engine.errors import Conflict, Corrupt
from .durable import storing, sync_all, sync_since
from .lance_library import lance
from .once import DATA_VERSION, create

BUCKET, SLAB = "__bucket", "__slab"
_ATTEMPTS = 50
_BATCH_ROWS = 262_144  # Lance's own 8,192 cost twice the time; most files are one batch then, and stay in one piece


class StoredFile(NamedTuple):
    """A file of a version of a table, and what its name says."""

    number: int
    bucket: int
    slab: int
    rows: int


@dataclass(frozen=True)
class EventFiles:
    """The event table in a folder."""

    folder: Path

    def commit(self, base: int | None, rows: pl.DataFrame) -> int:
        """The version that holds the files of the base version and these rows, which come with BUCKET and SLAB, sorted by them."""
        started = time.time()
        with storing(self.folder):
            schema = _arrow(rows.drop(BUCKET, SLAB).clear()).schema
            create(self.folder, schema)
            table = lance.dataset(str(self.folder))
            added = [self._write(table, schema, part) for part in _parts(rows)]
            sync_all(self.folder / "data" / name for fragment in added for name in _names(fragment))
            kept = [] if base is None else [fragment.metadata for fragment in self._open(base).get_fragments()]
            version = self._overwrite(schema, [*kept, *added])
        sync_since(self.folder, started)
        return version

    def files(self, version: int) -> tuple[StoredFile, ...]:
        """The files of a version, by bucket, then by slab, then by age."""
        found = [_stored(fragment) for fragment in self._open(version).get_fragments()]
        return tuple(sorted(found, key=lambda file: (file.bucket, file.slab, file.number)))

    def read(self, version: int, columns: Sequence[str], files: Sequence[StoredFile]) -> pl.DataFrame:
        """The columns of the rows of some files of a version, file by file; no other file is opened."""
        scanner = self._scanner(version, columns, files)
        found: Any = pl.from_arrow(scanner.to_table() if files else scanner.projected_schema.empty_table())
        return found  # type: ignore[no-any-return]

    def batches(self, version: int, columns: Sequence[str], files: Sequence[StoredFile]) -> Iterator[pl.DataFrame]:
        """The same, a few rows at a time."""
        for batch in self._scanner(version, columns, files).to_batches() if files else ():
            found: Any = pl.from_arrow(batch)
            yield found

    def _scanner(self, version: int, columns: Sequence[str], files: Sequence[StoredFile]) -> LanceScanner:
        table = self._open(version)
        by_number = {fragment.fragment_id: fragment for fragment in table.get_fragments()}
        fragments = [by_number[file.number] for file in files]
        return table.scanner(columns=list(columns), fragments=fragments, batch_size=_BATCH_ROWS, scan_in_order=True)

    def schema(self, version: int) -> dict[str, pl.DataType]:
        """Names and types of the columns of a version."""
        empty: Any = pl.from_arrow(self._open(version).schema.empty_table())
        return dict(empty.schema)

    def _write(self, table: lance.LanceDataset, schema: pa.Schema, rows: pl.DataFrame) -> FragmentMetadata:
        name = f"b{rows[BUCKET][0]:04d}.s{rows[SLAB][0]}.{uuid4().hex[:12]}.lance"
        with LanceFileWriter(str(self.folder / "data" / name), schema, version=DATA_VERSION) as file:
            for batch in _arrow(rows.drop(BUCKET, SLAB)).to_batches(max_chunksize=_BATCH_ROWS):
                file.write_batch(batch)
        leaves = [leaf for field in table.lance_schema.fields() for leaf in _leaves(field)]
        file_version = [int(part) for part in DATA_VERSION.split(".")]
        return FragmentMetadata(0, [DataFile(name, leaves, list(range(len(leaves))), *file_version)], rows.height)

    def _overwrite(self, schema: pa.Schema, fragments: list[FragmentMetadata]) -> int:
        for attempt in range(_ATTEMPTS):
            latest = lance.dataset(str(self.folder)).version
            try:
                done = lance.LanceDataset.commit(
                    str(self.folder),
                    lance.LanceOperation.Overwrite(schema, fragments),
                    read_version=latest,
                    max_retries=0,
                )
            except (CommitConflictError, OSError) as error:
                if "onflict" not in str(error):
                    raise
                time.sleep(random.uniform(0, 0.01 * (attempt + 1)))
            else:
                return int(done.version)
        raise Conflict(f"too many writers at {self.folder}. Try again.")

    def _open(self, version: int) -> lance.LanceDataset:
        try:
            return lance.dataset(str(self.folder), version=version)
        except (ValueError, OSError) as error:
            raise Corrupt(
                f"version {version} of {self.folder}, which the ledger names, cannot be opened: {str(error)[:200]}"
            ) from error


def _parts(rows: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """The rows of each (bucket, slab)."""
    if rows.height:
        sizes = rows.group_by(BUCKET, SLAB, maintain_order=True).len()["len"].to_list()
        start = 0
        for size in sizes:
            yield rows.slice(start, size)
            start += size


def _arrow(rows: pl.DataFrame) -> pa.Table:
    return rows.to_arrow(compat_level=pl.CompatLevel.oldest())


def _leaves(field: Any) -> list[int]:
    """The ids of the columns that a field's values stand in; `create_from_file` also lists structs, which have none, and is then refused."""
    inner = field.children()
    return [leaf for one in inner for leaf in _leaves(one)] if inner else [field.id()]


def _names(fragment: FragmentMetadata) -> list[str]:
    return [file.path for file in fragment.files]


def _stored(fragment: LanceFragment) -> StoredFile:
    facts = fragment.metadata
    bucket, slab, _, _ = facts.files[0].path.split(".")
    return StoredFile(facts.id, int(bucket.removeprefix("b")), int(slab.removeprefix("s")), facts.physical_rows)
