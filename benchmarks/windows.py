"""Folds over sliding windows, asked at each row of a spine, by several engines in one run.

    python benchmarks/windows.py --size M --engines nowthen,polars --json windows.json
    python benchmarks/windows.py --size S --folds quantile,n_unique

Parquet files in, a frame out: one column for each fold and window over table a. What is measured and what makes it fair: benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import math
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import agreement
import numpy as np
import polars as pl
import travel
from numpy.typing import NDArray
from race import Workload, parser_of, race
from travel_data import travel_data
from windows_columns import COLUMNS, EXACT, HEAVY, LIGHT, WIDTHS_US, name

DEFAULT_ENGINES = "nowthen,nowthen-ray,polars,duckdb"
WINDOWS_OF_HEAVY = ("1d", "30d")


def main() -> None:
    """Runs the benchmark."""
    parser = parser_of("windows", "Fold over windows at the rows of a spine and compare.", DEFAULT_ENGINES)
    travel.add_arguments(parser)
    parser.add_argument("--folds", type=some_of(COLUMNS), default=list(LIGHT), help=f"of {', '.join(COLUMNS)}")
    parser.add_argument("--windows", type=some_of(WIDTHS_US), help=f"of {', '.join(WIDTHS_US)}")
    given = parser.parse_args()
    heavy = any(fold in HEAVY for fold in given.folds)
    given.windows = given.windows or list(WINDOWS_OF_HEAVY if heavy else WIDTHS_US)
    with tempfile.TemporaryDirectory(prefix="nowthen-bench-") as folder:
        race(workload(given), given, Path(folder))


def some_of(known: dict[str, Any]) -> Callable[[str], list[str]]:
    """A reader of names that are parted by commas."""

    def names(text: str) -> list[str]:
        asked = text.split(",")
        if unknown := [each for each in asked if each not in known]:
            raise argparse.ArgumentTypeError(f"unknown {', '.join(unknown)}; there are {', '.join(known)}")
        return asked

    return names


def workload(given: argparse.Namespace) -> Workload:
    """The folds on the data asked for."""
    data = travel_data(given.size, given.hot, given.cache)
    asked = {"windows": given.windows, "folds": given.folds}
    exact = [name(fold, window) for fold in given.folds for window in given.windows if fold in EXACT]
    near = [name(fold, window) for fold in given.folds for window in given.windows if fold not in EXACT]
    return Workload(
        name="windows",
        title=f"{len(exact + near)} folds over windows on {travel.in_words(given)}",
        data=data,
        about=travel.about(given) | asked,
        expected=lambda: expected(data, given.windows, given.folds),
        differing=lambda found, right: agreement.differing(found, right, "label", exact=exact, near=near),
        options=lambda engine: travel.collect_options(engine, given) | asked,
    )


def expected(data: Path, windows: list[str], folds: list[str]) -> pl.DataFrame:
    """The right values of a sample."""
    rows = travel.sample(data, "a")
    found: list[dict[str, float | None]] = []
    for row, events in travel.with_events(rows, data / "a.parquet"):
        values: dict[str, float | None] = {}
        for window in windows:
            which = travel.inside(events, row["time"], WIDTHS_US[window])
            values |= {name(fold, window): folded(fold, events, which) for fold in folds}
        found.append({"label": row["label"], **values})
    names = [name(fold, window) for window in windows for fold in folds]
    return pl.DataFrame(found, schema={"label": pl.Int64, **dict.fromkeys(names, pl.Float64)})


def folded(fold: str, events: travel.Columns, which: NDArray[np.bool_]) -> float | None:
    """One fold by its definition, over the events in the window."""
    if fold == "last":
        return travel.latest(events, which, COLUMNS[fold])
    values = events[COLUMNS[fold]][which]
    needed = {"count": 0, "sum": 0, "n_unique": 0, "std": 2}.get(fold, 1)
    return float(MEANINGS[fold](values)) if len(values) >= needed else None


def total(values: NDArray[Any]) -> float:
    """The sum, rounded once."""
    return math.fsum(values.tolist())


def deviation(values: NDArray[Any]) -> float:
    """The standard deviation of a sample, in two passes."""
    return math.sqrt(total((values - total(values) / len(values)) ** 2) / (len(values) - 1))


MEANINGS: dict[str, Callable[[NDArray[Any]], float]] = {
    "count": len,
    "sum": total,
    "mean": lambda values: total(values) / len(values),
    "std": deviation,
    "min": np.min,
    "max": np.max,
    "quantile": np.median,
    "n_unique": lambda values: len(np.unique(values)),
}


if __name__ == "__main__":
    main()
