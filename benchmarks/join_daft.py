"""The join in Daft: three as-of joins of a lazy frame.

Of equal times Daft takes any (0.7), even of rows that are sorted. Rows are therefore ordered by time and number in the file, as one decimal, which costs
a third more than a plain join; removing such rows first would cost three times as much. Runs in an environment of its own: daft_environment.py.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import daft
import pyarrow as pa
from daft import DataType, Expression, col, lit
from daft.functions import monotonically_increasing_id, when
from join_columns import COLUMNS, WITHIN_US

ROWS = 10**12  # more than a file has


def prepare(data: Path, _variant: str) -> Callable[[], pa.Table]:
    """A function that joins once."""
    return lambda: join(data).to_arrow()


def join(data: Path) -> daft.DataFrame:
    """The spine's rows with the values."""
    joined = daft.read_parquet(str(data / "spine.parquet")).with_column("place", place(lit(ROWS - 1)))
    for table, columns in COLUMNS.items():
        events = daft.read_parquet(str(data / f"{table}.parquet")).with_column("row", monotonically_increasing_id())
        events = events.with_columns({"place": place(col("row")), f"time_{table}": col("time")}).exclude("row", "time")
        joined = joined.join_asof(events, on="place", by="key").with_columns(
            {column: young(table, column) for column in columns}
        )
    return joined.exclude("place", *(f"time_{table}" for table in COLUMNS))


def place(row: Expression) -> Expression:
    """Where a row stands: by its time, then by its number."""
    time = col("time").to_unix_epoch("us").cast(DataType.decimal128(17, 0))
    number = row.cast(DataType.decimal128(13, 0))
    return (time * lit(ROWS).cast(DataType.decimal128(13, 0)) + number).cast(DataType.decimal128(38, 0))


def young(table: str, column: str) -> Expression:
    """The column, null where its event is too long ago."""
    if table not in WITHIN_US:
        return col(column)
    age = col("time") - col(f"time_{table}")
    return when(age < lit(timedelta(microseconds=WITHIN_US[table])), col(column)).otherwise(lit(None))
