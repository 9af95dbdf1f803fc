"""The fifteen features of the Fraud Detection Handbook, computed by several engines in one run: how long, how much, and are the values equal.

    python benchmarks/fraud.py --engines nowthen,polars,duckdb --data transactions.parquet --json fraud.json

Every engine reads the same Parquet file and leaves a frame in memory. What is measured and what makes it fair: benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import polars as pl
from fraud_check import brute_force, differing, sample
from fraud_data import given_or_generated
from measure import Cost, EngineFailed, measure
from rich.console import Console
from rich.table import Table
from run_engine import ENGINES

DEFAULT_ENGINES = "nowthen,nowthen-ray,polars,polars-frame,duckdb,pandas"
HANDBOOK_ROWS = 1_754_155
console = Console(stderr=True)


@dataclass(frozen=True)
class Outcome:
    """What came of one engine: its cost and how many values are wrong, or why it failed."""

    engine: str
    version: str
    cost: Cost | None = None
    wrong_in_sample: int | None = None
    unlike_reference: int | None = None
    failure: str | None = None

    @property
    def right(self) -> bool:
        """Whether it finished with the expected values."""
        return self.failure is None and not self.wrong_in_sample and not self.unlike_reference


def main() -> None:
    """Runs the benchmark; exit code 1 if an engine failed or differs."""
    given = arguments()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="nowthen-bench-") as folder:
        data = given_or_generated(given.data, Path(folder), given.rows)
        outcomes = run_all(given.engines, data, Path(folder), given.runs, given.limit)
        rows = pl.scan_parquet(data).select(pl.len()).collect().item()
    Console(width=None if sys.stdout.isatty() else 140).print(table(outcomes, rows, load))
    for outcome in outcomes:
        if outcome.failure:
            console.print(f"{outcome.engine} failed:\n{outcome.failure}", markup=False, highlight=False)
    if given.json:
        given.json.write_text(json.dumps(report(outcomes, rows, load, given), indent=2) + "\n")
    sys.exit(0 if all(outcome.right for outcome in outcomes) else 1)


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description="Compute the fraud-15 features with several engines and compare.")
    parser.add_argument(
        "--engines", type=engine_names, default=engine_names(DEFAULT_ENGINES), help=f"of {', '.join(ENGINES)}"
    )
    parser.add_argument("--data", type=Path, help="a Parquet file of transactions; left out, one is generated")
    parser.add_argument("--rows", type=int, default=HANDBOOK_ROWS, help="rows to generate")
    parser.add_argument("--runs", type=int, default=5, help="runs that count, after one that does not")
    parser.add_argument("--limit", type=float, default=900.0, help="seconds an engine may take in all")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    return parser.parse_args()


def engine_names(text: str) -> list[str]:
    """The engines named, each known."""
    names = [name.strip() for name in text.split(",")]
    unknown = [name for name in names if name not in ENGINES]
    if unknown:
        raise argparse.ArgumentTypeError(f"unknown engine {', '.join(unknown)}; there are {', '.join(ENGINES)}")
    return names


def run_all(engines: list[str], data: Path, folder: Path, runs: int, limit_s: float) -> list[Outcome]:
    """One engine after the other, then the check of what they left."""
    outcomes = []
    for number, engine in enumerate(engines, 1):
        console.print(f"[{number}/{len(engines)}] {engine} ...", markup=False)
        try:
            cost = measure(engine, data, folder / f"{engine}.parquet", runs=runs, limit_s=limit_s)
            outcomes.append(Outcome(engine, version_of(engine), cost))
        except EngineFailed as failed:
            outcomes.append(Outcome(engine, version_of(engine), failure=str(failed)))
    console.print("checking the values ...")
    return checked(outcomes, data, folder)


def checked(outcomes: list[Outcome], data: Path, folder: Path) -> list[Outcome]:
    """The outcomes with the number of values that differ from the brute force and from the reference, another engine where there is one."""
    events = pl.read_parquet(data)
    expected = brute_force(events, sample(events))
    done = [outcome.engine for outcome in outcomes if outcome.cost]
    reference = pl.read_parquet(folder / f"{reference_of(done)}.parquet") if done else expected
    return [compared(outcome, expected, reference, folder) if outcome.cost else outcome for outcome in outcomes]


def compared(outcome: Outcome, expected: pl.DataFrame, reference: pl.DataFrame, folder: Path) -> Outcome:
    """One outcome with its differences counted."""
    found = pl.read_parquet(folder / f"{outcome.engine}.parquet")
    try:
        return Outcome(
            outcome.engine, outcome.version, outcome.cost, differing(found, expected), differing(found, reference)
        )
    except (ValueError, pl.exceptions.PolarsError) as error:
        return Outcome(outcome.engine, outcome.version, outcome.cost, failure=f"{error}")


def reference_of(engines: list[str]) -> str:
    """The engine whose values all others are held against: DuckDB's SQL where it ran, as the most independent of them."""
    return "duckdb" if "duckdb" in engines else engines[0]


def version_of(engine: str) -> str:
    """The version of the engine's package."""
    try:
        return version(ENGINES[engine][2])
    except PackageNotFoundError:
        return "?"


def baseline_of(outcomes: list[Outcome]) -> Outcome | None:
    """The outcome that ratios are to: NowThen where it ran, else the first that did."""
    done = [outcome for outcome in outcomes if outcome.cost]
    return next((outcome for outcome in done if outcome.engine == "nowthen"), done[0] if done else None)


def table(outcomes: list[Outcome], rows: int, load: float) -> Table:
    """The figures to look at."""
    baseline = baseline_of(outcomes)
    named = baseline.engine if baseline else "?"
    drawn = Table(title=f"fraud-15 on {rows:,} transactions: medians of warm runs")
    drawn.caption = f"{os.cpu_count()} cores; load average before the start {load:.2f}"
    drawn.add_column("engine")
    ratios = (f"wall / {named}", f"CPU / {named}")
    for heading in ("wall s", "CPU s", "peak MB", *ratios, "wrong in sample", "unlike reference"):
        drawn.add_column(heading, justify="right")
    for outcome in outcomes:
        drawn.add_row(f"{outcome.engine} {outcome.version}", *cells(outcome, baseline))
    return drawn


def cells(outcome: Outcome, baseline: Outcome | None) -> list[str]:
    """The figures of one row of the table."""
    cost = outcome.cost
    if not cost or outcome.failure or not baseline or not baseline.cost:
        return ["failed"]
    return [
        f"{cost.wall_median_s:.3f}",
        f"{cost.cpu_median_s:.2f}",
        f"{cost.peak_bytes / 1e6:,.0f}",
        f"{cost.wall_median_s / baseline.cost.wall_median_s:.2f}",
        f"{cost.cpu_median_s / baseline.cost.cpu_median_s:.2f}",
        f"{outcome.wrong_in_sample:,}",
        f"{outcome.unlike_reference:,}",
    ]


def report(outcomes: list[Outcome], rows: int, load: float, given: argparse.Namespace) -> dict[str, object]:
    """The figures to keep, with what is needed to judge them; the data's folder is nobody's business."""
    return {
        "benchmark": "fraud-15",
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {
            "cores": os.cpu_count(),
            "processor": platform.machine(),
            "system": platform.platform(),
            "python": platform.python_version(),
        },
        "load_average_before": load,
        "data": {"rows": rows, "from": given.data.name if given.data else "generated"},
        "runs": given.runs,
        "engines": [figures(outcome, baseline_of(outcomes)) for outcome in outcomes],
    }


def figures(outcome: Outcome, baseline: Outcome | None) -> dict[str, object]:
    """One engine's figures."""
    kept = asdict(outcome)
    if outcome.cost and baseline and baseline.cost:
        kept["cost"] |= {"wall_median_s": outcome.cost.wall_median_s, "cpu_median_s": outcome.cost.cpu_median_s}
        kept["ratio_to"] = baseline.engine
        kept["wall_ratio"] = outcome.cost.wall_median_s / baseline.cost.wall_median_s
        kept["cpu_ratio"] = outcome.cost.cpu_median_s / baseline.cost.cpu_median_s
    return kept


if __name__ == "__main__":
    main()
