"""Data files: columns come back as they were, and take about so much room."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from lance.file import LanceFileReader

from nowthen.store.tables.data_file import described, written, written_again

N = 100_000


def stored(folder: Path, values: pa.Array) -> tuple[pa.Array, int]:
    """What comes back of a column, and how many bytes its file has."""
    table = pa.table({"x": values})
    part = written(folder, "x", "token", table.to_batches(max_chunksize=30_000), table.schema)
    (file,) = folder.glob("*.lance")
    assert (part.rows, part.bytes) == (len(values), file.stat().st_size)
    read = LanceFileReader(str(file)).read_all().to_table()
    return read.column("x").combine_chunks(), part.bytes


def noise(dtype: Any) -> Callable[[], pa.Array]:
    return lambda: pa.array(np.random.default_rng(3).random(N).astype(dtype))


CASES: dict[str, tuple[Callable[[], pa.Array], int, int]] = {
    "floats that differ": (noise(np.float64), 7, 9),
    "short floats that differ": (noise(np.float32), 3, 5),
    "one float": (lambda: pa.array(np.ones(N)), 0, 1),
    "nothing": (lambda: pa.nulls(N, pa.float64()), 0, 1),
    "no numbers": (lambda: pa.array(np.full(N, np.nan)), 0, 1),
    "mostly zeros": (lambda: pa.array(np.where(np.arange(N) % 10, 0.0, np.arange(N) / 7)), 0, 4),
    "small integers": (lambda: pa.array(np.arange(N) % 100), 0, 2),
    "floats and nulls": (
        lambda: pa.array([None if i % 3 == 0 else i / 7 for i in range(N)], pa.float64()),
        0,
        9,
    ),
    "one row": (lambda: pa.array([1.5]), 0, 10_000),
}


@pytest.mark.parametrize("name", CASES)
def test_columns_take_about_so_many_bytes_a_row_and_come_back(name: str, tmp_path: Path) -> None:
    made, least, most = CASES[name]
    values = made()
    back, size = stored(tmp_path, values)
    assert back.is_null().equals(values.is_null())
    assert np.array_equal(back.fill_null(0).to_numpy(), values.fill_null(0).to_numpy(), equal_nan=True)
    assert least <= size / len(values) <= most


def test_what_a_schema_says_of_how_its_columns_were_encoded_is_no_matter(tmp_path: Path) -> None:
    said = pa.schema([pa.field("x", pa.float64(), metadata={"lance-encoding:rle-threshold": "0", "unit": "s"})])
    table = pa.table({"x": np.ones(N)}).cast(said)
    part = written(tmp_path, "x", "token", table.to_batches(), said)
    assert part.bytes < N
    assert described(tmp_path / Path(part.path).name, part.path) == (part, pa.schema([said.field("x")]))
    assert described(tmp_path / Path(part.path).name, part.path)[1].field("x").metadata == {b"unit": b"s"}


@pytest.mark.parametrize("values", [np.ones(N), np.arange(N) / 7])
def test_equal_rows_written_again_have_equal_bytes(tmp_path: Path, values: Any) -> None:
    table = pa.table({"x": values})
    first = written(tmp_path, "x", "token", table.to_batches(), table.schema)
    again = written_again(tmp_path, "y", "token", table.to_batches(), like=tmp_path / Path(first.path).name)
    assert (tmp_path / Path(first.path).name).read_bytes() == (tmp_path / Path(again.path).name).read_bytes()


def test_a_table_of_no_rows_is_written(tmp_path: Path) -> None:
    schema = pa.schema([("x", pa.float64())])
    assert written(tmp_path, "x", "token", [], schema).rows == 0
    assert len(list(tmp_path.glob("*.lance"))) == 1


def test_columns_are_known_by_name_and_types_are_not_bent(tmp_path: Path) -> None:
    table = pa.table({"a": [1.0, 2.0], "b": [3.0, 4.0]})
    written(tmp_path, "x", "token", table.select(["b", "a"]).to_batches(), table.schema)
    (file,) = tmp_path.glob("*.lance")
    assert LanceFileReader(str(file)).read_all().to_table().to_pydict() == table.to_pydict()
    with pytest.raises(ValueError, match="Float"):
        written(tmp_path, "y", "token", table.to_batches(), pa.schema([("a", pa.float32()), ("b", pa.float64())]))
