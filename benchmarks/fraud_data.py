"""The transactions a benchmark runs on: a given file, or a generated one of the handbook's size."""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl

sys.path.insert(0, str(Path(__file__).parents[1] / "examples" / "fraud"))

import generate  # the example is no package, so its folder is put on the path first

COLUMNS = {
    "transaction_id": pl.Int64,
    "tx_datetime": pl.Datetime("us"),
    "customer_id": pl.Int64,
    "terminal_id": pl.Int64,
    "amount": pl.Float64,
    "fraud": pl.Boolean,
}


def given_or_generated(given: Path | None, folder: Path, rows: int) -> Path:
    """The given file once it is known to have the right columns, else a new one in `folder`."""
    if given is None:
        return generated(folder, rows)
    found = dict(pl.read_parquet_schema(given))
    if found != COLUMNS:
        raise SystemExit(f"{given} has the columns {found}; the benchmark needs {COLUMNS}")
    return given


def generated(folder: Path, rows: int) -> Path:
    """A file of about 350 rows a customer and 175 a terminal in 183 days, as in the handbook's data."""
    path = folder / "transactions.parquet"
    customers = max(1, rows // 351)
    generate.transactions(rows, days=183, customers=customers, terminals=2 * customers).write_parquet(path)
    return path
