"""The join in pandas: `merge_asof` of frames sorted by time, stably, so that of equal times it takes the last in the file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
from join_columns import COLUMNS, WITHIN_US


def prepare(data: Path, _variant: str) -> Callable[[], pd.DataFrame]:
    """A function that joins once."""
    return lambda: join(data)


def join(data: Path) -> pd.DataFrame:
    """The spine's rows, by time, with the values; integers become floats where one is missing."""
    joined = pd.read_parquet(data / "spine.parquet").sort_values("time", kind="stable", ignore_index=True)
    for table in COLUMNS:
        events = pd.read_parquet(data / f"{table}.parquet").sort_values("time", kind="stable", ignore_index=True)
        joined = pd.merge_asof(joined, events, on="time", by="key", tolerance=tolerance(table))
    return joined


def tolerance(table: str) -> pd.Timedelta | None:
    """How old a value may be; pandas includes the end, the window does not."""
    within = WITHIN_US.get(table)
    return None if within is None else pd.Timedelta(within - 1, unit="us")
