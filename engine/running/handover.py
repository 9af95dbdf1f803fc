"""Training sets in the forms that other libraries take. Every function takes frames as they come, so that a whole set need not be held.

Rows keep their order, integers stay integers, and a null is never quietly something else.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import polars as pl

from ..errors import NotFound, WrongType

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

Schema = Mapping[str, pl.DataType]
ROWS = 65_536  # of a batch; what Arrow's consumers like best


def arrow_schema(schema: Schema) -> pa.Schema:
    """The Arrow types of columns.

    >>> arrow_schema({"a": pl.Int64()}).types
    [DataType(int64)]
    """
    import pyarrow as pa

    return pa.schema([_field(name, dtype) for name, dtype in schema.items()])


def _field(name: str, dtype: pl.DataType) -> pa.Field:
    import pyarrow as pa

    try:
        found = pl.DataFrame(schema={name: dtype}).to_arrow().schema.field(0)
    except pa.ArrowException:
        found = None
    if found is None or dtype == pl.Object:  # whose addresses would be written
        raise WrongType(f"column {name!r} is {dtype}, a type that Arrow does not have. Cast it first.") from None
    return found


def batches(schema: Schema, frames: Iterable[pl.DataFrame]) -> pa.RecordBatchReader:
    """A stream of Arrow batches, which is read once. Frames are asked for one by one, the first not before a batch is."""
    import pyarrow as pa

    types = arrow_schema(schema)
    return pa.RecordBatchReader.from_batches(types, (_batch(frame, types) for frame in frames))


def _batch(frame: pl.DataFrame, types: pa.Schema) -> pa.RecordBatch:
    import pyarrow as pa

    parts = frame.rechunk().to_arrow().to_batches()
    return parts[0] if parts else pa.RecordBatch.from_arrays([pa.nulls(0, kind) for kind in types.types], schema=types)


def pandas_frame(frame: pl.DataFrame) -> pd.DataFrame:
    """A pandas frame. Integers and truth values with nulls are of pandas' nullable types, as floats could not hold them."""
    library("pandas", "to_pandas()")
    made = frame.to_pandas()
    for name, dtype in frame.schema.items():
        if (dtype.is_integer() or dtype == pl.Boolean()) and frame[name].null_count():
            made[name] = _nullable(frame[name])
    return made


def _nullable(column: pl.Series) -> Any:
    """Pandas' own array of integers or truth values and a mask."""
    import pandas as pd

    kind = pd.arrays.BooleanArray if column.dtype == pl.Boolean() else pd.arrays.IntegerArray
    # Arrays of their own: pandas writes to what it holds.
    filled = column.fill_null(strategy="zero") if kind is pd.arrays.IntegerArray else column.fill_null(False)
    return kind(filled.to_numpy(writable=True), column.is_null().to_numpy(writable=True))


def relation(schema: Schema, frames: Iterable[pl.DataFrame], connection: Any = None) -> Any:
    """A relation of DuckDB, on its default connection unless one is given. It holds the rows, so it may be asked again and again."""
    known = library("duckdb", "to_duckdb()") if connection is None else connection
    if not hasattr(known, "from_arrow"):
        raise WrongType(f"connection={connection!r} is not a DuckDB connection. Pass duckdb.connect(), or nothing.")
    return known.from_arrow(batches(schema, frames).read_all())


def library(name: str, asked: str) -> Any:
    """A library that only `asked` uses, or `NotFound` with how to get it."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
    raise NotFound(f"{asked} needs {name}, which is not installed. Run: pip install 'nowthen[{name}]'.")
