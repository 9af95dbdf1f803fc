"""The folds in NowThen, as a user defines them.

The variant is the engine: "local" is this process, "ray" a Ray cluster on this machine, started before the clock runs, "store" this process with
a store of NowThen's in place of the files, "file" this process with a file in place of the frame.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
from travel_nowthen import collecting, source
from windows_columns import COLUMNS, QUANTILE, name


def prepare(
    data: Path,
    variant: str,
    windows: list[str],
    folds: list[str],
    memory: str | None = None,
    workers: int | None = None,
) -> Callable[[], pl.DataFrame | pl.LazyFrame]:
    """A function that folds once."""
    events = source(data, "a")
    features = {
        name(fold, window): of(fold, events[COLUMNS[fold]]).over(window) for window in windows for fold in folds
    }
    return collecting(data, features, variant, memory, workers)


def of(fold: str, column: Any) -> Any:
    """The fold of a column."""
    return column.quantile(QUANTILE) if fold == "quantile" else getattr(column, fold)()
