"""A time-travel join: the latest values of three tables as of each row of a spine, by several engines in one run.

    python benchmarks/join.py --size M --engines nowthen,polars,duckdb --json join.json

Parquet files in, a frame out. What is measured and what makes it fair: benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping
from pathlib import Path

import agreement
import polars as pl
import travel
from daft_environment import python_with_daft
from join_columns import COLUMNS, WITHIN_US
from race import Workload, console, parser_of, race
from travel_data import travel_data

DEFAULT_ENGINES = "nowthen,nowthen-ray,polars,polars-streaming,duckdb,pandas"
VALUES = [column for columns in COLUMNS.values() for column in columns]


def main() -> None:
    """Runs the benchmark."""
    parser = parser_of("join", "Join the latest values of three tables to a spine and compare.", DEFAULT_ENGINES)
    travel.add_arguments(parser)
    given = parser.parse_args()
    pythons = other_environments(given)
    with tempfile.TemporaryDirectory(prefix="nowthen-bench-") as folder:
        race(workload(given, pythons), given, Path(folder))


def other_environments(given: argparse.Namespace) -> Mapping[str, str]:
    """The interpreters of engines that need one of their own; such an engine is left out, loudly, where there is none."""
    if "daft" not in given.engines:
        return {}
    python = python_with_daft(given.cache)
    if python:
        return {"daft": python}
    console.print("[bold red]DAFT IS LEFT OUT: its environment could not be made, see above")
    given.engines.remove("daft")
    return {}


def workload(given: argparse.Namespace, pythons: Mapping[str, str]) -> Workload:
    """The join on the data asked for."""
    data = travel_data(given.size, given.hot, given.cache)
    return Workload(
        name="join",
        title=f"join of 3 tables on {travel.in_words(given)}",
        data=data,
        about=travel.about(given),
        expected=lambda: expected(data),
        differing=lambda found, right: agreement.differing(found, right, "label", exact=VALUES, near=()),
        options=lambda engine: travel.collect_options(engine, given),
        pythons=pythons,
    )


def expected(data: Path) -> pl.DataFrame:
    """The right values of a sample."""
    rows = pl.concat([travel.sample(data, table) for table in COLUMNS]).unique("label", maintain_order=True)
    values = [of_table(data, rows, table, columns) for table, columns in COLUMNS.items()]
    return pl.concat([rows.select("label"), *values], how="horizontal")


def of_table(data: Path, rows: pl.DataFrame, table: str, columns: tuple[str, ...]) -> pl.DataFrame:
    """The values of one table at the rows."""
    found = []
    for row, events in travel.with_events(rows, data / f"{table}.parquet"):
        which = travel.inside(events, row["time"], WITHIN_US.get(table))
        found.append({column: travel.latest(events, which, column) for column in columns})
    return pl.DataFrame(found, schema=dict.fromkeys(columns, pl.Float64))


if __name__ == "__main__":
    main()
