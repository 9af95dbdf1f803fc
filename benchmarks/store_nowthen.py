"""Rows in a store of NowThen's: taken in, replaced, with a feature beside them, opened at any version, and read."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import polars as pl
from store_data import DAY, DAY_END, FILE, SCANNED, of_the_day, summary

import nowthen as nt

holder = nt.Entity("holder", keys={"key": pl.Int64}, about="Whoever the events are about.")
OPENED = 100  # versions a run


def prepare(data: Path, variant: str, *, versions: int = 1_000) -> Callable[[], pl.DataFrame]:
    """A function that goes one step: ingest, replace, column, compute (the column, without storing it), versions or scan."""
    folder = Path(tempfile.mkdtemp(prefix="store-", dir=data)) / "store"
    if variant == "versions":
        return opening(data, folder, versions)
    source = events(nt.Parquet(data / FILE))
    if variant == "ingest":
        return lambda: ingested(folder, source)
    store = nt.connect(folder)
    store.ingest(source)
    return {"replace": replacing, "column": adding, "compute": computing, "scan": scanning}[variant](
        store, source, data
    )


def events(reader: Any) -> nt.Source:
    """The events, each known by its number."""
    return nt.Source("events", reader, event_time="time", entities=[holder], row_id="row")


def ingested(folder: Path, source: nt.Source) -> pl.DataFrame:
    """All rows into a new store."""
    shutil.rmtree(folder, ignore_errors=True)
    return counted(nt.connect(folder).ingest(source).rows)


def counted(rows: int) -> pl.DataFrame:
    """How many rows there are."""
    return pl.DataFrame({"rows": [rows]}, schema={"rows": pl.Int64})


def replacing(store: Any, source: nt.Source, data: Path) -> Callable[[], pl.DataFrame]:
    """A function that puts other rows in the place of those of a day."""
    new = of_the_day(pl.scan_parquet(data / FILE))
    return lambda: counted(store.replace(source, new, DAY, DAY_END).rows)


def spending(source: nt.Source, days: int) -> Any:
    """A view of one feature for each number of days, up to so many."""
    sums = {f"spent_{n}d": source["amount"].sum().over(f"{n}d") for n in range(1, days + 1)}
    return nt.feature_view("spending", entity=holder, features=sums)


def adding(store: Any, source: nt.Source, data: Path) -> Callable[[], pl.DataFrame]:
    """A function that computes one feature more at each event and stores it beside the others."""
    spine, days = pl.read_parquet(data / FILE, columns=["key", "time"]), count(1)

    def add() -> pl.DataFrame:
        view = spending(source, next(days))
        store.apply(view)
        store.backfill(view, spine=spine, at="time")
        return counted(spine.height)

    return add


def computing(store: Any, source: nt.Source, data: Path) -> Callable[[], pl.DataFrame]:
    """A function that computes one feature at each event, and leaves it in memory."""
    spine, days = pl.read_parquet(data / FILE, columns=["key", "time"]), count(1)

    def compute() -> pl.DataFrame:
        view = spending(source, next(days))
        last = getattr(view, list(view.spec.features)[-1])
        return counted(store.training_set(spine, last, at="time").collect().height)

    return compute


def scanning(store: Any, source: nt.Source, _data: Path) -> Callable[[], pl.DataFrame]:
    """A function that reads three columns of all rows."""
    store.apply(source)
    return lambda: summary(store.scan("events").select(SCANNED).collect())


def opening(data: Path, folder: Path, versions: int) -> Callable[[], pl.DataFrame]:
    """A function that opens a hundred of the versions, and says how many rows they have together."""
    store, rows = nt.connect(folder), pl.read_parquet(data / FILE, n_rows=versions)
    for number in range(versions):
        store.ingest(events(nt.Frame(rows[number : number + 1])))
    source, rng = events(nt.Frame(rows)), random.Random(7)

    def opened() -> pl.DataFrame:
        chosen = [rng.randint(1, versions) for _ in range(OPENED)]
        wrong = [one for one in chosen if store.events(source, as_of=one).cuts()[-1] != one]
        return counted(len(wrong))

    return opened
