"""The fraud-15 features in DuckDB: one query of range frames, six named windows.

A range frame is closed on both sides, so the open lower end of `(t - d - w, t - d]` is one microsecond more. Frames over an integer of microseconds
are about a tenth faster than over intervals (DuckDB 2.0). Rows of equal time are peers and see each other.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow as pa
from fraud_check import DELAY_DAYS, WINDOWS_DAYS

DAY_US = 86_400_000_000

QUERY = """
    SELECT transaction_id, amount,
           isodow(tx_datetime) >= 6 AS tx_during_weekend,
           hour(tx_datetime) <= 6 AS tx_during_night,
           {features}
    FROM (SELECT *, epoch_us(tx_datetime) AS us FROM read_parquet($path))
    WINDOW {windows}
"""
FEATURES = """
    count(*) OVER customer_{days} AS customer_tx_count_{days}d,
    avg(amount) OVER customer_{days} AS customer_amount_mean_{days}d,
    count(*) OVER terminal_{days} AS terminal_tx_count_{days}d,
    coalesce(avg(fraud::INTEGER) OVER terminal_{days}, 0) AS terminal_fraud_share_{days}d
"""
WINDOWS = """
    customer_{days} AS (PARTITION BY customer_id ORDER BY us RANGE BETWEEN {customer_from} PRECEDING AND CURRENT ROW),
    terminal_{days} AS (PARTITION BY terminal_id ORDER BY us RANGE BETWEEN {terminal_from} PRECEDING AND {terminal_to} PRECEDING)
"""


def prepare(path: Path, _variant: str) -> Callable[[], pa.Table]:
    """A function that computes the features of the file once."""
    connection = duckdb.connect()
    query = statement()
    return lambda: connection.sql(query, params={"path": str(path)}).to_arrow_table()


def statement() -> str:
    """The whole query."""
    features = ",".join(FEATURES.format(days=days) for days in WINDOWS_DAYS)
    return QUERY.format(features=features, windows=",".join(windows_of(days) for days in WINDOWS_DAYS))


def windows_of(days: int) -> str:
    """The two named windows of one length."""
    return WINDOWS.format(
        days=days,
        customer_from=days * DAY_US - 1,
        terminal_from=(days + DELAY_DAYS) * DAY_US - 1,
        terminal_to=DELAY_DAYS * DAY_US,
    )
