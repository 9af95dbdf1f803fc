"""The same as a Delta table, written by delta-rs: partitioned by bucket, rows sorted by key and time."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
from deltalake import DeltaTable, write_deltalake
from store_data import DAY, DAY_END, FILE, SCANNED, of_the_day, summary
from store_nowthen import OPENED, counted

BUCKETS = 8


def prepare(data: Path, variant: str, *, versions: int = 1_000) -> Callable[[], pl.DataFrame]:
    """A function that goes one step: ingest, replace, versions or scan."""
    folder = Path(tempfile.mkdtemp(prefix="delta-", dir=data)) / "table"
    if variant == "versions":
        return opening(data, folder, versions)
    if variant == "ingest":
        return lambda: ingested(data, folder)
    ingested(data, folder)
    return {"replace": replacing, "scan": scanning}[variant](data, folder)


def bucketed(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with their bucket, sorted."""
    return rows.with_columns(bucket=(pl.col("key").hash() % BUCKETS).cast(pl.Int32)).sort("bucket", "key", "time")


def ingested(data: Path, folder: Path) -> pl.DataFrame:
    """All rows into a new table."""
    shutil.rmtree(folder, ignore_errors=True)
    write_deltalake(folder, bucketed(pl.read_parquet(data / FILE)), partition_by=["bucket"])
    return rows_of(folder)


def rows_of(folder: Path) -> pl.DataFrame:
    """How many rows the table says it has."""
    return counted(DeltaTable(folder).count())


def replacing(data: Path, folder: Path) -> Callable[[], pl.DataFrame]:
    """A function that puts other rows in the place of those of a day."""
    new = bucketed(of_the_day(pl.scan_parquet(data / FILE)))
    day = f"time >= '{DAY.isoformat()}' AND time < '{DAY_END.isoformat()}'"

    def replace() -> pl.DataFrame:
        write_deltalake(folder, new, mode="overwrite", predicate=day)
        return rows_of(folder)

    return replace


def scanning(_data: Path, folder: Path) -> Callable[[], pl.DataFrame]:
    """A function that reads three columns of all rows."""
    return lambda: summary(pl.scan_delta(str(folder)).select(SCANNED).collect())


def opening(data: Path, folder: Path, versions: int) -> Callable[[], pl.DataFrame]:
    """A function that opens a hundred of the versions."""
    rows = pl.read_parquet(data / FILE, n_rows=versions)
    for number in range(versions):
        write_deltalake(folder, rows[number : number + 1], mode="append")
    rng = random.Random(7)

    def opened() -> pl.DataFrame:
        chosen = [rng.randint(1, versions) for _ in range(OPENED)]
        return counted(sum(DeltaTable(folder, version=one - 1).count() != one for one in chosen))

    return opened
