"""The same as Parquet files that Polars writes: rows in buckets by key, a file each, sorted by key and time."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from itertools import count
from pathlib import Path

import polars as pl
from store_data import DAY, DAY_END, FILE, SCANNED, of_the_day, summary

BUCKETS = 8


def prepare(data: Path, variant: str) -> Callable[[], pl.DataFrame]:
    """A function that goes one step: ingest, replace, column or scan."""
    folder = Path(tempfile.mkdtemp(prefix="parquet-", dir=data))
    if variant == "ingest":
        return lambda: ingest(data, folder)
    ingest(data, folder)
    return {"replace": replacing, "column": adding, "scan": scanning}[variant](data, folder)


def ingest(data: Path, folder: Path) -> pl.DataFrame:
    """Write all rows."""
    shutil.rmtree(folder)
    folder.mkdir()
    rows = pl.read_parquet(data / FILE)
    write(rows.with_columns(bucket=pl.col("key").hash() % BUCKETS), folder)
    return counted(folder)


def counted(folder: Path) -> pl.DataFrame:
    """How many rows are written."""
    return pl.scan_parquet(folder / "b?.parquet").select(rows=pl.len().cast(pl.Int64)).collect()


def write(rows: pl.DataFrame, folder: Path) -> None:
    """A file for each bucket. To sort each by itself takes half the time of sorting all rows by bucket, key and time (2026-11)."""
    for (bucket,), part in rows.partition_by("bucket", as_dict=True, include_key=False).items():
        part.sort("key", "time").write_parquet(folder / f"b{bucket}.parquet")


def replacing(data: Path, folder: Path) -> Callable[[], pl.DataFrame]:
    """A function that puts other rows in the place of those of a day."""
    new = of_the_day(pl.scan_parquet(data / FILE)).with_columns(bucket=pl.col("key").hash() % BUCKETS)
    parts = new.partition_by("bucket", as_dict=True, include_key=False)

    def replace() -> pl.DataFrame:
        for (bucket,), part in parts.items():
            path = folder / f"b{bucket}.parquet"
            others = pl.read_parquet(path).filter((pl.col("time") < DAY) | (pl.col("time") >= DAY_END))
            pl.concat([others, part]).sort("key", "time").write_parquet(path)
        return counted(folder)

    return replace


def adding(_data: Path, folder: Path) -> Callable[[], pl.DataFrame]:
    """A function that computes one more column of each row and writes it beside."""
    numbers = count(1)

    def add() -> pl.DataFrame:
        days = next(numbers)
        for path in folder.glob("b?.parquet"):
            rows = pl.read_parquet(path, columns=["key", "time", "amount"])
            column = rows.rolling("time", period=f"{days}d", group_by="key").agg(pl.col("amount").sum().alias("spent"))
            column.select("spent").write_parquet(path.with_suffix(f".{days}"))
        return counted(folder)

    return add


def scanning(_data: Path, folder: Path) -> Callable[[], pl.DataFrame]:
    """A function that reads three columns of all rows."""
    return lambda: summary(pl.scan_parquet(folder / "*.parquet").select(SCANNED).collect())
