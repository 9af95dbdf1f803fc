"""Folds over sliding windows, asked at each row of a spine, by several engines in one run.

    python benchmarks/windows.py --size M --engines nowthen,polars --json windows.json
    python benchmarks/windows.py --size S --folds quantile,n_unique

Parquet files in, a frame out: one column for each fold and window over table a. What is measured and what makes it fair: benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import math
import statistics
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
    values = events[COLUMNS[fold]][which].tolist()
    if not values and fold not in ("count", "sum", "n_unique"):
        return None
    return float(meaning) if (meaning := MEANINGS[fold](values)) is not None else None


MEANINGS: dict[str, Callable[[list[float]], float | None]] = {
    "count": len,
    "sum": math.fsum,
    "mean": lambda values: math.fsum(values) / len(values),
    "std": lambda values: deviation(values) if len(values) > 1 else None,
    "min": min,
    "max": max,
    "quantile": statistics.median,
    "n_unique": lambda values: len(set(values)),
}


def deviation(values: list[float]) -> float:
    """The standard deviation of a sample, in two passes."""
    mean = math.fsum(values) / len(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))


if __name__ == "__main__":
    main()
