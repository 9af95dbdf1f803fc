"""What join.py and windows.py share: their data, the options that choose it, and the rows whose values are checked by brute force."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from travel_data import EDGES_US, SIZES, default_cache

SAMPLE = 300
SPECIAL = 60
A_KEY = 10  # rows of one key at most: each is checked by looking at all events of its key
Columns = dict[str, NDArray[Any]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which data, and what NowThen is told."""
    parser.add_argument("--size", choices=SIZES, default="S", help=f"rows of table a and of the spine: {sizes()}")
    parser.add_argument("--hot", type=float, default=0.0, help="share of the rows that one key has")
    parser.add_argument("--cache", type=Path, default=default_cache(), help="where generated files are kept")
    parser.add_argument("--memory", help="what NowThen's collect may use, such as 2GiB")
    parser.add_argument("--workers", type=int, help="workers of nowthen-ray; the machine's cores if left out")


def sizes() -> str:
    """The sizes in words."""
    return ", ".join(f"{name} {size.events:,} and {size.spine:,}" for name, size in SIZES.items())


def about(given: argparse.Namespace) -> dict[str, object]:
    """What figures are kept with."""
    size = SIZES[given.size]
    chosen = {"size": given.size, "events": size.events, "spine": size.spine, "hot": given.hot}
    return chosen | {"memory": given.memory, "workers": given.workers}


def in_words(given: argparse.Namespace) -> str:
    """The data in a title."""
    size = SIZES[given.size]
    return f"{size.events:,} x {size.spine:,}" + (f", one key with {given.hot:.0%}" if given.hot else "")


def collect_options(engine: str, given: argparse.Namespace) -> dict[str, object]:
    """What NowThen's ways are told, and no other engine's."""
    return {"memory": given.memory, "workers": given.workers} if engine.startswith("nowthen") else {}


def sample(data: Path, table: str) -> pl.DataFrame:
    """Rows of the spine worth checking: some at random, some that share key and time, some with an event of the table exactly on an end of a window."""
    spine = pl.read_parquet(data / "spine.parquet")
    events = pl.scan_parquet(data / f"{table}.parquet").select("key", "time")
    special = [spine.filter(pl.struct("key", "time").is_duplicated()), *(on_edge(spine, events, us) for us in EDGES_US)]
    rows = [*(part.sample(min(SPECIAL, part.height), seed=7) for part in special), spine.sample(SAMPLE, seed=7)]
    both = pl.concat(rows).unique("label", maintain_order=True)
    return both.filter(pl.int_range(pl.len()).over("key") < A_KEY)


def on_edge(spine: pl.DataFrame, events: pl.LazyFrame, us: int) -> pl.DataFrame:
    """The rows that come exactly so long after an event of their key."""
    moved = events.with_columns(pl.col("time") + pl.duration(microseconds=us))
    return spine.lazy().join(moved, on=["key", "time"], how="semi").collect(engine="streaming")


def with_events(rows: pl.DataFrame, path: Path) -> Iterator[tuple[Mapping[str, Any], Columns]]:
    """Each row with the events of its key, in the order of the file; times as integers."""
    wanted = pl.scan_parquet(path).filter(pl.col("key").is_in(rows["key"].unique().to_list()))
    events = wanted.with_columns(pl.col("time").to_physical()).collect()
    by_key = {key: part for (key,), part in events.partition_by("key", as_dict=True, maintain_order=True).items()}
    for row in rows.with_columns(pl.col("time").to_physical()).to_dicts():
        found = by_key.get(row["key"], events.clear())
        yield row, {name: found[name].to_numpy() for name in found.columns}


def inside(events: Columns, upto: int, width_us: int | None) -> NDArray[np.bool_]:
    """Which events are in `(upto - width, upto]`; without a width in all of the past."""
    time = events["time"]
    found: NDArray[np.bool_] = (time <= upto) & (True if width_us is None else time > upto - width_us)
    return found


def latest(events: Columns, which: NDArray[np.bool_], column: str) -> float | None:
    """The value of the latest of these events, of equal ones the last in the file; None if there is none, or if it is null."""
    at = np.flatnonzero(which)
    if not len(at):
        return None
    times = events["time"][at]
    value = float(events[column][at[times == times.max()][-1]])
    return None if np.isnan(value) else value
