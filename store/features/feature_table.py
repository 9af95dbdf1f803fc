"""The backfilled values of a view: a table of chunks, each a file of keys and times, and beside it a file for each column computed.

A column is named by its feature and the beginning of its hash, so that a changed feature is another column: it is added beside, and nothing
else is written again. Which chunk holds what is in the chunks' notes; a commit names the chunk it filled, and fails if another filled it first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import field
from typing import Any, Self

import polars as pl

from ...engine.errors import Corrupt
from ...engine.record import record
from ..ports import Entry, Here, Stretch, Version
from ..rows.source_note import state_of
from .chunks import Chunk, States

KIND = "view"
AT = "__at"  # the column with the time asked at
_DIGITS = 16  # of a feature's hash, in the name of its column and files
_AT_ONCE = 16  # notes that are read
_VERSION = ("digest", "rows", "files", "bytes")


@record
class FeatureTable:
    """What an entry says of a view's values."""

    name: str  # of its folder; the view may have been renamed since
    keys: Mapping[str, Any]  # types, as JSON
    columns: Mapping[str, str] = field(default_factory=dict)  # the hash each feature was last filled with
    chunks: Mapping[str, str] = field(default_factory=dict)  # the note of each chunk
    version: Version | None = None

    @property
    def place(self) -> str:
        """The folder of its table."""
        return f"features/{self.name}"

    @classmethod
    def of(cls, note: Mapping[str, Any]) -> Self:
        """What a note says."""
        table = note["table"]
        version = None if table is None else Version(table["version"], **{part: table[part] for part in _VERSION})
        return cls(note["name"], dict(note["keys"]), note["columns"], note["chunks"], version)

    def note(self) -> dict[str, Any]:
        """The same as a note."""
        made = self.version
        table = None if made is None else {"version": made.number, **{part: getattr(made, part) for part in _VERSION}}
        lists = {"keys": list(map(list, self.keys.items())), "columns": dict(self.columns), "chunks": dict(self.chunks)}
        return {"kind": KIND, "name": self.name, "table": table, **lists}


def named(view: str) -> str:
    """The name of a view's note in the ledger.

    >>> named("customer_spend")
    'view/customer_spend'
    """
    return f"view/{view}"


def column_of(feature: str, version: str) -> str:
    """The name of a feature's column.

    >>> column_of("tx_count_1d", "0123456789abcdef0123456789abcdef")
    'tx_count_1d@0123456789abcdef'
    """
    return f"{feature}@{version[:_DIGITS]}"


def stem_of(version: str) -> str:
    """What the files of a column begin with."""
    return f"c{version[:_DIGITS]}"


def table_of(entry: Entry, here: Here, view: str) -> FeatureTable | None:
    """What an entry says of a view; None where nothing of it was filled."""
    noted = entry.names.get(named(view))
    return None if noted is None else FeatureTable.of(here.notes.get(noted))


class Chunks:
    """Reads the notes of chunks, each once."""

    def __init__(self, here: Here) -> None:
        self._here = here
        self._read: dict[str, Chunk] = {}

    def of(self, table: FeatureTable | None, grid: str = "") -> list[Chunk]:
        """The chunks of a table, or of one of its grids."""
        listed = {} if table is None else table.chunks
        with ThreadPoolExecutor(_AT_ONCE) as threads:  # on an object store each is a round trip
            return list(threads.map(self.get, [note for id, note in listed.items() if id.startswith(grid)]))

    def keep(self, note: str, chunk: Chunk) -> None:
        """What a note says that is not written yet."""
        self._read[note] = chunk

    def get(self, note: str) -> Chunk:
        """The chunk of a note."""
        if note not in self._read:
            self._read[note] = Chunk.of(self._here.notes.get(note))
        return self._read[note]


def states_of(entry: Entry, here: Here, chunks: Iterable[Chunk]) -> States:
    """What an entry says of the sources that chunks were computed from."""
    columns = (column for chunk in chunks for column in (chunk.keys, *chunk.columns.values()))
    names = {name for column in columns for name in column.turns}
    found = {name: state_of(entry, here.notes, name) for name in names}
    return {name: state for name, state in found.items() if state is not None}


def stretches_of(here: Here, table: FeatureTable) -> dict[str, Stretch]:
    """The stretch of each chunk, by the path of its file of keys."""
    if table.version is None:
        return {}
    _, stretches = here.tables.opened(table.place, table.version)
    return {part.path: stretch for stretch in stretches for part in stretch.parts if AT in part.columns}


def values(
    here: Here,
    table: FeatureTable,
    chunk: Chunk,
    columns: Sequence[str],
    stretches: Mapping[str, Stretch] | None = None,
) -> Iterator[pl.DataFrame]:
    """Columns of a chunk, as they were computed; what is read is checked. Who reads many says the `stretches_of` the table."""
    assert table.version is not None, "a table with chunks has a version"
    found = (stretches_of(here, table) if stretches is None else stretches).get(chunk.keys.file)
    if found is None:
        raise Corrupt(f"version {table.version.number} of {table.place} lacks {chunk.keys.file}, which its notes name.")
    for batch in here.tables.batches(table.place, table.version, columns, [found]):
        made: Any = pl.from_arrow(batch)
        yield made
