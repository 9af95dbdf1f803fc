"""The join in Polars: as-of joins by key of frames sorted by time, the fastest way we know in Polars 2.1.

Sorting by time alone is enough, since the join takes the keys apart and keeps the order in each of them; by (key, time) takes twice as long. The sort is
stable, and of equal times the join takes the last. Two ways: `eager`, and `streaming`, a lazy query for the streaming engine.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import polars as pl
from join_columns import COLUMNS, WITHIN_US


def prepare(data: Path, variant: str) -> Callable[[], pl.DataFrame]:
    """A function that joins once."""
    return {"eager": lambda: eager(data), "streaming": lambda: streaming(data)}[variant]


def eager(data: Path) -> pl.DataFrame:
    """One frame after the other."""
    joined = pl.read_parquet(data / "spine.parquet").sort("time")
    for table in COLUMNS:
        events = pl.read_parquet(data / f"{table}.parquet").sort("time", maintain_order=True)
        joined = joined.join_asof(events, on="time", by="key", tolerance=tolerance(table), check_sortedness=False)
    return joined


def streaming(data: Path) -> pl.DataFrame:
    """One lazy query."""
    joined = pl.scan_parquet(data / "spine.parquet").sort("time")
    for table in COLUMNS:
        events = pl.scan_parquet(data / f"{table}.parquet").sort("time", maintain_order=True)
        joined = joined.join_asof(events, on="time", by="key", tolerance=tolerance(table), check_sortedness=False)
    return joined.collect(engine="streaming")


def tolerance(table: str) -> timedelta | None:
    """How old a value may be; Polars includes the end, the window does not."""
    within = WITHIN_US.get(table)
    return None if within is None else timedelta(microseconds=within - 1)
