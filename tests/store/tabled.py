"""A table of some rows, for the tests of tables: written in stretches, and read back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from nowthen.store.folders.names import new_token
from nowthen.store.ports import DataPart, Folder, Stretch, Version
from nowthen.store.tables.tables import Tables

PLACE = "tables/payments/card"


def rows(n: int = 600, first: int = 0) -> pa.Table:
    """Rows with columns of all kinds that take different ways into a file."""
    return _rows(np.arange(first, first + max(n, 12))).slice(0, n)


def _rows(numbers: np.ndarray[Any, Any]) -> pa.Table:
    return pa.table(
        {
            "key": pa.array(numbers // 7),
            "time": pa.array(numbers * 1_000_003, pa.timestamp("us", "UTC")),
            "amount": pa.array([None if i % 11 == 0 else i * 0.1 for i in numbers]),
            "name": pa.array([None if i % 5 == 0 else f"name {i * i % 97}" for i in numbers], pa.large_string()),
            "good": pa.array([[True, False, None][i % 3] for i in numbers]),
            "pair": pa.array([{"left": int(i), "right": [int(i)] * (i % 3)} for i in numbers]),
            "list": pa.array([None if i % 4 == 0 else [i * 0.5, None] for i in numbers]),
            "point": pa.FixedSizeListArray.from_arrays(pa.array(np.arange(2 * len(numbers), dtype=np.float32)), 2),
            "none": pa.nulls(len(numbers), pa.int64()),
        }
    )


def stretch(*parts: DataPart) -> Stretch:
    """Files side by side."""
    return Stretch(parts, parts[0].rows)


def stored(folder: Folder, tables: Tables, parts: Sequence[pa.Table], schema: pa.Schema | None = None) -> Version:
    """A version that has a file for each of these."""
    token = new_token()
    with folder.draft(token) as draft:
        made = [
            tables.write(PLACE, f"b{number:04d}.s0", part.to_batches(), part.schema, draft, token)
            for number, part in enumerate(parts)
        ]
        tables.take_in(draft)
        return tables.version(PLACE, schema or parts[0].schema, [stretch(part) for part in made], draft)


def read(tables: Tables, version: Version, columns: Sequence[str] | None = None) -> pa.Table:
    """All rows of a version."""
    schema, _ = tables.opened(PLACE, version)
    chosen = schema.names if columns is None else list(columns)
    return pa.Table.from_batches(tables.batches(PLACE, version, chosen), pa.schema([schema.field(n) for n in chosen]))
