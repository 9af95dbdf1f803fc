"""The fifteen features of the Fraud Detection Handbook, computed by several engines in one run: how long, how much, and are the values equal.

    python benchmarks/fraud.py --engines nowthen,polars,duckdb --data transactions.parquet --json fraud.json

Every engine reads the same Parquet file and leaves a frame in memory. What is measured and what makes it fair: benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import polars as pl
from fraud_check import brute_force, differing, sample
from fraud_data import given_or_generated
from race import Workload, parser_of, race

DEFAULT_ENGINES = "nowthen,nowthen-ray,polars,polars-frame,duckdb,pandas"
HANDBOOK_ROWS = 1_754_155


def main() -> None:
    """Runs the benchmark."""
    given = arguments()
    with tempfile.TemporaryDirectory(prefix="nowthen-bench-") as folder:
        data = given_or_generated(given.data, Path(folder), given.rows)
        race(workload(data, given.data), given, Path(folder))


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = parser_of("fraud", "Compute the fraud-15 features with several engines and compare.", DEFAULT_ENGINES)
    parser.add_argument("--data", type=Path, help="a Parquet file of transactions; left out, one is generated")
    parser.add_argument("--rows", type=int, default=HANDBOOK_ROWS, help="rows to generate")
    return parser.parse_args()


def workload(data: Path, given: Path | None) -> Workload:
    """The features over the transactions in a file; its folder is nobody's business."""
    rows = pl.scan_parquet(data).select(pl.len()).collect().item()
    return Workload(
        name="fraud",
        title=f"fraud-15 on {rows:,} transactions",
        data=data,
        about={"rows": rows, "from": given.name if given else "generated"},
        expected=lambda: expected(data),
        differing=differing,
    )


def expected(data: Path) -> pl.DataFrame:
    """The right values of a sample."""
    events = pl.read_parquet(data)
    return brute_force(events, sample(events))


if __name__ == "__main__":
    main()
