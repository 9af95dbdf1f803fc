"""The folds in DuckDB: the spine's rows among the events, range frames over all of them, and the rows of the spine kept.

Rows of the spine have no amount, so that folds skip them, and see events of equal time, which are their peers. A range frame is closed on both sides, so
its open lower end is one microsecond more; frames are over an integer of microseconds. The latest value, which a range frame takes from any of several
peers, is looked up once for all windows in a frame of rows in the order of the file, and belongs to the windows that are not empty.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow as pa
from windows_columns import QUANTILE, WIDTHS_US, columns_read, name

LAST_ROW = 2**40  # more than a file has

QUERY = """
    SELECT * FROM (
        SELECT key, time, label, {folds}
        FROM (
            SELECT key, time, {columns}, NULL::BIGINT AS label, epoch_us(time) AS us, file_row_number AS row
            FROM read_parquet('{data}/a.parquet', file_row_number = true)
            UNION ALL
            SELECT key, time, {nulls}, label, epoch_us(time) AS us, {last_row} AS row FROM read_parquet('{data}/spine.parquet')
        )
        WINDOW {windows}, so_far AS (PARTITION BY key ORDER BY us, row ROWS UNBOUNDED PRECEDING)
    )
    WHERE label IS NOT NULL
"""
FOLDS = {
    "count": "count(amount) OVER {window}",
    "sum": "coalesce(sum(amount) OVER {window}, 0)",
    "mean": "avg(amount) OVER {window}",
    "std": "stddev_samp(amount) OVER {window}",
    "min": "min(amount) OVER {window}",
    "max": "max(amount) OVER {window}",
    "last": "CASE WHEN count(amount) OVER {window} > 0 THEN last_value(amount IGNORE NULLS) OVER so_far END",
    "quantile": f"quantile_cont(amount, {QUANTILE}) OVER {{window}}",
    "n_unique": "count(DISTINCT merchant) OVER {window}",
}


def prepare(data: Path, _variant: str, windows: list[str], folds: list[str]) -> Callable[[], pa.Table]:
    """A function that folds once."""
    connection = duckdb.connect()
    query = statement(data, windows, folds)
    return lambda: connection.sql(query).to_arrow_table()


def statement(data: Path, windows: list[str], folds: list[str]) -> str:
    """The whole query."""
    names = [(fold, window) for window in windows for fold in folds]
    columns = columns_read(folds)
    return QUERY.format(
        folds=", ".join(
            f"{FOLDS[fold].format(window=f'in_{window}')} AS {name(fold, window)}" for fold, window in names
        ),
        windows=", ".join(map(frame, windows)),
        columns=", ".join(columns),
        nulls=", ".join(f"NULL AS {column}" for column in columns),
        last_row=LAST_ROW,
        data=data,
    )


def frame(window: str) -> str:
    """The named window of one width."""
    width = WIDTHS_US[window]
    begin = "UNBOUNDED" if width is None else str(width - 1)
    return f"in_{window} AS (PARTITION BY key ORDER BY us RANGE BETWEEN {begin} PRECEDING AND CURRENT ROW)"
