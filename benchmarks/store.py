"""What it costs to store rows, to replace a day of them, to add a feature, to open a version, and to read them, beside others in one run.

    python benchmarks/store.py --rows 10000000 --json store.json

`ingest`: all rows from a Parquet file into buckets by key, sorted by key and time; all of them are new. `replace`: other rows for one day in
the middle of the year. `column`: a feature at each of the rows, beside what is stored; the line `compute` is the same left in memory.
`versions`: a hundred of a thousand versions opened at random, so a hundredth of the time is one. `scan`: three columns of all rows.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
from figures import Outcome, report, table
from measure import Job
from race import Workload as Step
from race import checked, console, outcome_of, values_of
from rich.console import Console
from run_engine import WORKLOADS
from store_data import FILE, SCANNED, differing, store_data, summary
from travel_data import default_cache

STEPS = {
    "ingest": "ingest of {rows:,} rows",
    "replace": "replacing a day in {rows:,} rows",
    "column": "one feature more over {rows:,} rows",
    "versions": "opening 100 of {versions:,} versions",
    "scan": "reading 3 columns of {rows:,} rows",
}


def main() -> None:
    """Runs the benchmark: exit code 1 if an engine failed or differs."""
    given = arguments()
    data = store_data(given.rows, given.cache)
    right = [run(step, given, data) for step in given.steps]
    sys.exit(0 if all(right) else 1)


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description="Store rows and compare with others.")
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--versions", type=int, default=1_000)
    parser.add_argument("--steps", type=steps_of, default=list(STEPS), help=f"of {', '.join(STEPS)}")
    parser.add_argument("--cache", type=Path, default=default_cache(), help="where generated files are kept")
    parser.add_argument("--runs", type=int, default=5, help="runs that count, after one that does not")
    parser.add_argument("--limit-s", type=float, default=600.0, help="seconds one run may take")
    parser.add_argument("--json", type=Path, help="where to write the figures, one line a step")
    return parser.parse_args()


def steps_of(text: str) -> list[str]:
    """The names of steps."""
    asked = [name.strip() for name in text.split(",")]
    unknown = [name for name in asked if name not in STEPS]
    if unknown:
        raise argparse.ArgumentTypeError(f"unknown step {', '.join(unknown)}; there are {', '.join(STEPS)}")
    return asked


def run(step: str, given: argparse.Namespace, data: Path) -> bool:
    """One step with every engine; whether all were right."""
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="nowthen-bench-") as folder:
        outcomes = checked(workload(step, given, data), measured(step, given, data, Path(folder)), Path(folder))
    title = STEPS[step].format(rows=given.rows, versions=given.versions)
    Console(width=None if sys.stdout.isatty() else 140).print(table(outcomes, title, load, cold=False))
    for failed in (outcome for outcome in outcomes if outcome.failure):
        console.print(f"{failed.engine} failed:\n{failed.failure}", markup=False, highlight=False)
    if given.json:
        keep(given.json, {"benchmark": "store", "step": step, "rows": given.rows} | report(outcomes, load))
    return all(outcome.right for outcome in outcomes)


def measured(step: str, given: argparse.Namespace, data: Path, folder: Path) -> list[Outcome]:
    """One engine after the other, on a copy of its own of the data, which goes with it."""
    given.cold, outcomes = False, []
    for engine in engines(step):
        console.print(f"{step}: {engine} ...", markup=False)
        with tempfile.TemporaryDirectory(prefix="run-", dir=data.parent) as place:
            os.link(data / FILE, Path(place) / FILE)
            options = {"versions": given.versions} if step == "versions" else {}
            job = Job(f"store-{step}", engine, Path(place), values_of(engine, folder), options)
            outcomes.append(outcome_of(job, given))
            shutil.rmtree(place)
            Path(place).mkdir()
    return outcomes


def engines(step: str) -> list[str]:
    """Who can do it and is installed; who is not is left out, loudly."""
    known = list(WORKLOADS[f"store-{step}"])
    if "delta" in known and importlib.util.find_spec("deltalake") is None:
        console.print("[bold red]DELTA IS LEFT OUT: deltalake is not installed")
        known.remove("delta")
    return known


def workload(step: str, given: argparse.Namespace, data: Path) -> Step:
    """What the values are held against."""
    title = STEPS[step].format(rows=given.rows, versions=given.versions)
    return Step(step, title, data, {}, expected(step, data), differing)


def expected(step: str, data: Path) -> Callable[[], pl.DataFrame]:
    """What must come out: the rows there are, a summary of those read, or that no version had others than it had."""
    if step == "versions":
        return lambda: pl.DataFrame({"rows": [0]})
    if step == "scan":
        return lambda: summary(pl.read_parquet(data / FILE, columns=SCANNED))
    return lambda: pl.scan_parquet(data / FILE).select(rows=pl.len().cast(pl.Int64)).collect()


def keep(path: Path, figures: dict[str, object]) -> None:
    """Adds a line of figures to a file."""
    with path.open("a") as lines:
        lines.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
