"""The table that store.py stores: events as in travel_data.py, each with a number of its own, in any amount."""

from __future__ import annotations

import tempfile
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import polars as pl
from travel_data import ROWS_A_KEY, SEED, TABLES, VERSION, Writer, chunks_of, keys_at, zipf

FILE = "a.parquet"
DAY = datetime(2025, 7, 1)  # in the middle of the year that the events lie in
DAY_END = DAY + timedelta(days=1)
SCANNED = ["key", "time", "amount"]


def store_data(rows: int, cache: Path) -> Path:
    """The folder with the events, which are made if they are not there yet."""
    folder = cache / f"store-{rows}-seed{SEED}-v{VERSION}"
    if not folder.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as unfinished:
            made = Path(unfinished) / "made"
            made.mkdir()
            write(rows, made / FILE)
            made.rename(folder)
    return folder


def write(rows: int, path: Path) -> None:
    """Writes so many events, numbered as they arrived."""
    draw_keys = partial(keys_at, *zipf(max(rows // ROWS_A_KEY, 1), 0.0))
    _, values = TABLES["a"]
    first = 0
    with Writer(path) as writer:
        for chunk in chunks_of(rows, 0, draw_keys, values):
            writer.write(chunk.with_row_index("row", first).with_columns(pl.col("row").cast(pl.Int64)))
            first += chunk.height


def of_the_day(rows: pl.LazyFrame) -> pl.DataFrame:
    """The rows of one day, said anew: each amount is one more."""
    inside = (pl.col("time") >= DAY) & (pl.col("time") < DAY_END)
    return rows.filter(inside).with_columns(pl.col("amount") + 1).collect()


def summary(rows: pl.DataFrame) -> pl.DataFrame:
    """What must be equal, however the rows are stored."""
    return rows.select(
        rows=pl.len().cast(pl.Int64), keys=pl.col("key").n_unique().cast(pl.Int64), amount=pl.col("amount").sum()
    )


def differing(found: pl.DataFrame, right: pl.DataFrame) -> int:
    """How many values differ; sums of floats may by their order."""
    pairs = [(found[name][0], right[name][0]) for name in right.columns]
    return sum(abs(one - other) > 1e-9 * abs(other) for one, other in pairs)
