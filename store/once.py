"""A Lance table of immutable rows, each inserted once by its key: an insert is a compare-and-swap."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import pyarrow as pa

from ..engine.errors import Conflict
from .durable import make_folder, storing, sync_since
from .lance_library import lance

DATA_VERSION: Final = "2.1"  # of Lance's file format; pinned, so that an upgrade of the library changes no file
_KEY = {b"lance-schema:unenforced-primary-key": b"true"}  # without it concurrent inserts of one key both land (FACTS)
_RETRIES = 30


@dataclass(frozen=True)
class OnceTable:
    """The table in a folder. The first column is the key; a missing table is an empty one."""

    folder: Path
    columns: tuple[tuple[str, pa.DataType], ...]

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema, the key marked."""
        (key, kind), *others = self.columns
        marked = pa.field(key, kind, nullable=False, metadata=_KEY)
        return pa.schema([marked, *(pa.field(name, other) for name, other in others)])

    def insert(self, rows: Sequence[Mapping[str, Any]]) -> int:
        """How many rows were new and are now stored durably; rows whose key is there stay as they are."""
        started = time.time()
        table = pa.Table.from_pylist([dict(row) for row in rows], schema=self.schema)
        with storing(self.folder):
            done = self._merge(table)
        sync_since(self.folder, started)
        return int(done["num_inserted_rows"])

    def _merge(self, table: pa.Table) -> dict[str, Any]:
        merge = (
            self._created().merge_insert(self.columns[0][0]).when_not_matched_insert_all().conflict_retries(_RETRIES)
        )
        try:
            done: dict[str, Any] = merge.execute(table)
        except (OSError, RuntimeError, ValueError) as error:
            if "onflict" not in str(error):
                raise
            raise Conflict(f"too many writers at {self.folder}. Try again.") from error
        return done

    def rows(self, columns: list[str] | None = None) -> list[dict[str, Any]]:
        """All rows, in the order of insertion."""
        table = self.open()
        return [] if table is None else table.to_table(columns=columns, scan_in_order=True).to_pylist()

    def newest(self) -> list[dict[str, Any]]:
        """The rows of the last insert, without reading the others."""
        table = self.open()
        fragments = [] if table is None else table.get_fragments()
        return fragments[-1].to_table().to_pylist() if fragments else []

    def open(self) -> lance.LanceDataset | None:
        """The table as it is now, or None before the first insert."""
        return lance.dataset(str(self.folder)) if (self.folder / "_versions").is_dir() else None

    def _created(self) -> lance.LanceDataset:
        create(self.folder, self.schema)
        return lance.dataset(str(self.folder))


def create(folder: Path, schema: pa.Schema) -> None:
    """Make an empty table unless there is one.

    Lance's own mode="create" is no guard: of two at once the later may land as an overwrite of the other and of all it holds by then
    (tests/store/test_commits.py). So the table is made aside and moved to its place, which only one can do.
    """
    if (folder / "_versions").is_dir():
        return
    draft = folder.with_name(f".{folder.name}.{uuid4().hex[:12]}")
    make_folder(folder.parent)
    lance.write_dataset(schema.empty_table(), str(draft), mode="create", data_storage_version=DATA_VERSION)
    (draft / "data").mkdir(exist_ok=True)
    try:
        draft.rename(folder)
    except OSError:
        if not (folder / "_versions").is_dir():
            raise
        shutil.rmtree(draft)
