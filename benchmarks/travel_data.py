"""Three tables of events and a spine of times to ask at: seeded, of any size, in little memory.

    python benchmarks/travel_data.py --size M

Keys are drawn by Zipf's law with the exponent 0.99 of the YCSB benchmark (Cooper et al. 2010), one key for every hundred rows of table a; `hot` gives one of
them a share of all rows. A key is a 63-bit number without order. Times are whole seconds of one year, so that equal ones occur. A file holds its events in
the order in which they arrive, which is ten minutes late on average. The spine is in no order; two rows in a hundred lie exactly on an event's time, or on
the end of its window.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Draw = Callable[[np.random.Generator, int], pl.Series]

SEED = 7
VERSION = 1  # of what is generated; another one makes new files
EXPONENT = 0.99
ROWS_A_KEY = 100
CHUNK = 1_000_000
ROW_GROUP = 250_000
SECOND_US, HOUR_US, DAY_US = 1_000_000, 3_600_000_000, 86_400_000_000
START_US = int(np.datetime64("2025-01-01", "us").astype(np.int64))
YEAR_S = 365 * 86_400
LATE_S = 600.0
ON_THE_EDGE = 0.02  # of the spine's rows
EDGES_US = (0, HOUR_US, DAY_US, 7 * DAY_US, 30 * DAY_US, 90 * DAY_US)


@dataclass(frozen=True)
class Size:
    """How many rows table a and the spine have."""

    events: int
    spine: int


SIZES = {"S": Size(1_000_000, 100_000), "M": Size(10_000_000, 1_000_000), "L": Size(50_000_000, 5_000_000)}


def some_null(draw: Draw, share: float) -> Draw:
    """The column with that share of its values missing."""
    return lambda rng, rows: draw(rng, rows).set(pl.Series(rng.random(rows) < share), None)


def lognormal(rng: np.random.Generator, rows: int) -> pl.Series:
    """Positive amounts with two decimals, few of them large."""
    return pl.Series(rng.lognormal(3.0, 1.0, rows).round(2))


def uniform(rng: np.random.Generator, rows: int) -> pl.Series:
    """Floats between 0 and 1."""
    return pl.Series(rng.random(rows))


def below(bound: int) -> Draw:
    """Integers from 0."""
    return lambda rng, rows: pl.Series(rng.integers(0, bound, rows))


# Table: its share of the rows of table a, and its values.
TABLES: dict[str, tuple[float, dict[str, Draw]]] = {
    "a": (1.0, {"amount": lognormal, "merchant": below(1_000), "score": uniform}),
    "b": (0.5, {"balance": some_null(lognormal, 0.1), "visits": below(100)}),
    "c": (0.2, {"rate": uniform, "grade": below(7)}),
}


def travel_data(size: str, hot: float, cache: Path) -> Path:
    """The folder with a.parquet, b.parquet, c.parquet and spine.parquet, which are made if they are not there yet."""
    folder = cache / f"travel-{size}-hot{hot:g}-seed{SEED}-v{VERSION}"
    if not folder.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as unfinished:
            made = Path(unfinished) / "made"
            made.mkdir()
            write_all(SIZES[size], hot, made)
            made.rename(folder)
    return folder


def write_all(size: Size, hot: float, folder: Path) -> None:
    """Writes the tables, then the spine, whose rows on an edge are drawn from the events of all tables."""
    draw_keys = partial(keys_at, *zipf(size.events // ROWS_A_KEY, hot))
    edges = []
    for number, (name, (share, values)) in enumerate(TABLES.items()):
        rows = int(size.events * share)
        taken = ON_THE_EDGE * size.spine / len(TABLES) / rows
        with Writer(folder / f"{name}.parquet") as writer:
            for chunk in chunks_of(rows, number, draw_keys, values):
                writer.write(chunk)
                edges.append(chunk.select("key", "time").sample(fraction=taken, seed=SEED))
    rng = np.random.default_rng([SEED, len(TABLES)])
    with Writer(folder / "spine.parquet") as writer:
        writer.write(spine_of(rng, size.spine, draw_keys, pl.concat(edges)))


class Writer:
    """Appends frames to one Parquet file, the first of which says what columns it has."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file: pq.ParquetWriter | None = None

    def write(self, frame: pl.DataFrame) -> None:
        """Appends the rows."""
        table = frame.to_arrow()
        self.file = self.file or pq.ParquetWriter(self.path, table.schema, compression="zstd")
        self.file.write_table(table, row_group_size=ROW_GROUP)

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *_: object) -> None:
        if self.file:
            self.file.close()


def zipf(count: int, hot: float) -> tuple[Ints, NDArray[np.float64]]:
    """The keys, the most frequent first, and the share of rows that each and those before it have."""
    weights = np.arange(1, count + 1) ** -EXPONENT
    weights /= weights.sum()
    if hot:
        weights *= (1 - hot) / weights[1:].sum()
        weights[0] = hot
    return scattered(np.arange(count)), np.cumsum(weights)


def scattered(numbers: Ints) -> Ints:
    """Distinct 63-bit keys in no order: the finalizer of splitmix64 (Steele, Lea, Flood 2014), without its lowest bit."""
    mixed = (numbers.astype(np.uint64) + 1) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((mixed ^ (mixed >> np.uint64(31))) >> np.uint64(1)).astype(np.int64)


def keys_at(keys: Ints, upto: NDArray[np.float64], rng: np.random.Generator, rows: int) -> Ints:
    """Keys drawn by their shares."""
    drawn: Ints = keys[np.searchsorted(upto, rng.random(rows)).clip(max=len(keys) - 1)]
    return drawn


def chunks_of(
    rows: int, table: int, draw_keys: Callable[[np.random.Generator, int], Ints], values: dict[str, Draw]
) -> Iterator[pl.DataFrame]:
    """The events of a table, one stretch of the year after the other."""
    cuts = np.linspace(0, rows, -(-rows // CHUNK) + 1).astype(np.int64)
    seconds = cuts * YEAR_S // rows
    for number in range(len(cuts) - 1):
        rng = np.random.default_rng([SEED, table, number])
        count = int(cuts[number + 1] - cuts[number])
        second = rng.integers(seconds[number], seconds[number + 1], count)
        second = second[np.argsort(second + rng.exponential(LATE_S, count))]
        drawn = {name: draw(rng, count) for name, draw in values.items()}
        yield pl.DataFrame({"key": draw_keys(rng, count), "time": times(START_US + second * SECOND_US), **drawn})


def times(us: Ints) -> pl.Series:
    """Microseconds as times."""
    return pl.Series(us).cast(pl.Datetime("us"))


def spine_of(
    rng: np.random.Generator, rows: int, draw_keys: Callable[[np.random.Generator, int], Ints], edges: pl.DataFrame
) -> pl.DataFrame:
    """The rows to ask at; a row's label is its number."""
    later = pl.Series(rng.choice(EDGES_US, edges.height)).cast(pl.Duration("us"))
    free = rows - edges.height
    second = START_US + rng.integers(0, YEAR_S, free) * SECOND_US
    anywhere = pl.DataFrame({"key": draw_keys(rng, free), "time": times(second)})
    both = pl.concat([anywhere, edges.with_columns(pl.col("time") + later)])
    return both.sample(fraction=1.0, shuffle=True, seed=SEED).with_columns(label=pl.int_range(rows))


def default_cache() -> Path:
    """Where files are kept unless the command line says otherwise."""
    return Path(tempfile.gettempdir()) / "nowthen-bench"


def main() -> None:
    """Makes the files and says where they are."""
    parser = argparse.ArgumentParser(description="Generate the data of join.py and windows.py.")
    parser.add_argument("--size", choices=SIZES, default="S")
    parser.add_argument("--hot", type=float, default=0.0, help="share of the rows that one key has")
    parser.add_argument("--cache", type=Path, default=default_cache())
    given = parser.parse_args()
    print(travel_data(given.size, given.hot, given.cache))


if __name__ == "__main__":
    main()
