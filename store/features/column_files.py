"""The files of a view's values: rows of keys and times, and beside them a file for each column; and the version that lists them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field, replace
from itertools import count
from pathlib import Path

import polars as pl
import pyarrow as pa

from ...engine.record import record
from ..ports import DataPart, Here, Stretch
from .chunks import Chunk
from .feature_table import FeatureTable

_BATCH_ROWS = 65_536  # larger ones take Lance twice as long to write (2026-11)


@record
class ColumnFiles:
    """Writes files of a view into the draft of an attempt, from several threads if need be, and knows what it wrote.

    Each has a number of its own in its name: chunks that are alike would have one file between them, and nothing would tell them apart.
    """

    here: Here
    place: str
    draft: Path
    token: str
    parts: dict[str, DataPart] = field(default_factory=dict)  # by path
    fields: dict[str, pa.Field] = field(default_factory=dict)  # by name
    numbers: Iterator[int] = field(default_factory=count)

    def frame(self, stem: str, frame: pl.DataFrame) -> DataPart | None:
        """A file with the rows of a frame; None where it has none."""
        if not frame.height:
            return None
        table = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
        return self.batches(stem, table.to_batches(), table.schema)

    def batches(self, stem: str, rows: Iterable[pa.RecordBatch], schema: pa.Schema) -> DataPart:
        """A file with rows that come bit by bit."""
        numbered = f"{stem}-{next(self.numbers)}"
        part = self.here.tables.write(self.place, numbered, _cut(rows), schema, self.draft, self.token)
        self.parts[part.path] = part
        self.fields.update({one.name: one for one in schema})
        return part


def files_of(chunk: Chunk) -> list[str]:
    """The files of a chunk: that of keys and times, then those of columns; none where it has no rows."""
    return [one.file for one in (chunk.keys, *chunk.columns.values()) if one.file]


def relisted(
    here: Here, table: FeatureTable, chunks: Iterable[Chunk], parts: Mapping[str, DataPart], fields: Mapping[str, pa.Field],
    draft: Path,
) -> FeatureTable:  # fmt: skip
    """The table with a version of the files that its chunks name, by grid and time; of columns that no chunk has none is left."""
    ordered = sorted(chunks, key=lambda chunk: (chunk.grid.id, chunk.first, chunk.start))
    stretches = [Stretch(tuple(parts[file] for file in files_of(chunk)), chunk.rows) for chunk in ordered if chunk.rows]
    if not stretches:
        return replace(table, version=None)
    names = dict.fromkeys(name for one in stretches for part in one.parts for name in part.columns)
    schema = pa.schema([fields[name] for name in names])
    return replace(table, version=here.tables.version(table.place, schema, stretches, draft))


def _cut(rows: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Batches that are not too long."""
    for batch in rows:
        for first in range(0, batch.num_rows, _BATCH_ROWS):
            yield batch.slice(first, _BATCH_ROWS)
