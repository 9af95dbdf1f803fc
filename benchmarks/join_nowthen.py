"""The join in NowThen: the fold `last` of every column.

The variant is the engine: "local" is this process, "ray" a Ray cluster on this machine, started before the clock runs, "store" this process with
a store of NowThen's in place of the files, "file" this process with a file in place of the frame.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
from join_columns import COLUMNS, WITHIN_US
from travel_nowthen import collecting, source


def prepare(
    data: Path, variant: str, memory: str | None = None, workers: int | None = None
) -> Callable[[], pl.DataFrame | pl.LazyFrame]:
    """A function that joins once."""
    features = {column: feature for table in COLUMNS for column, feature in latest(data, table).items()}
    return collecting(data, features, variant, memory, workers)


def latest(data: Path, table: str) -> dict[str, Any]:
    """The latest value of each column of a table."""
    events = source(data, table)
    window = f"{WITHIN_US[table]}us" if table in WITHIN_US else "forever"
    return {column: events[column].last().over(window) for column in COLUMNS[table]}
