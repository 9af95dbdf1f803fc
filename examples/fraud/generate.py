"""Card transactions that never happened, with frauds in them: seeded, vectorized, and of any size.

Customers live somewhere, spend a usual amount and visit terminals near their home. Frauds follow three stories: an amount nobody spends honestly, a
terminal that copies cards for some weeks, a stolen card on which every now and then a multiple of the usual amount is drawn. The stories are in the
spirit of the Fraud Detection Handbook (Le Borgne, Siblini, Lebichot, Bontempi); the numbers are our own. About one row in a hundred is a fraud.

    python examples/fraud/generate.py transactions.parquet --rows 300000
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

DAY_S = 86_400
NEAREST = 40  # terminals a customer ever visits
AMOUNT_LIMIT = 250.0
STOLEN_FACTOR = 4.0


@dataclass(frozen=True)
class Episode:
    """Something that befalls a key: how often a day, for how many days, and what share of the key's rows it touches."""

    per_day: float
    days: int
    share: float


COPYING_TERMINAL = Episode(per_day=5e-4, days=21, share=0.7)
STOLEN_CARD = Episode(per_day=6e-4, days=10, share=0.4)


@dataclass(frozen=True)
class People:
    """The customers: where they live, what they usually spend, how often they buy relative to each other, which terminals they visit."""

    home: Floats
    mean_amount: Floats
    rate: Floats
    visited: Ints


def transactions(
    rows: int = 300_000,
    days: int = 122,
    customers: int | None = None,
    terminals: int | None = None,
    seed: int = 7,
    start: datetime = datetime(2018, 4, 1),
) -> pl.DataFrame:
    """`rows` transactions of `days` days, sorted by time; the same arguments give the same rows.

    Left out, `customers` is such that each buys about twice a day, and there are two `terminals` for each of them.
    """
    customers = customers or max(1, rows // (2 * days))
    terminals = terminals or 2 * customers
    rng = np.random.default_rng(seed)
    people = draw_people(rng, customers, terminals)
    second = draw_seconds(rng, rows, days)
    customer = np.searchsorted(np.cumsum(people.rate), rng.random(rows) * people.rate.sum()).clip(max=customers - 1)
    terminal = people.visited[customer, draw_favourites(rng, rows, people.visited.shape[1])]
    amount = np.abs(rng.normal(people.mean_amount[customer], people.mean_amount[customer] / 2))
    stolen = during(rng, STOLEN_CARD, customer, second, customers, days)
    amount = np.where(stolen, amount * STOLEN_FACTOR, amount).round(2).clip(min=0.01)
    copied = during(rng, COPYING_TERMINAL, terminal, second, terminals, days)
    return frame(start, second, customer, terminal, amount, (amount > AMOUNT_LIMIT) | stolen | copied)


def frame(start: datetime, second: Ints, customer: Ints, terminal: Ints, amount: Floats, fraud: Flags) -> pl.DataFrame:
    """The columns as one frame, named and typed like the handbook's data."""
    return pl.DataFrame(
        {
            "transaction_id": np.arange(len(second), dtype=np.int64),
            "tx_datetime": np.datetime64(start, "us") + second.astype("timedelta64[s]"),
            "customer_id": customer.astype(np.int64),
            "terminal_id": terminal.astype(np.int64),
            "amount": amount,
            "fraud": fraud,
        }
    )


def draw_people(rng: np.random.Generator, customers: int, terminals: int) -> People:
    """Customers on a square of side 100, with the terminals nearest to each."""
    home = rng.uniform(0, 100, (customers, 2))
    return People(
        home=home,
        mean_amount=rng.uniform(5, 100, customers),
        rate=rng.uniform(0.05, 4, customers),
        visited=nearest(home, rng.uniform(0, 100, (terminals, 2))),
    )


def nearest(home: Floats, place: Floats) -> Ints:
    """The numbers of the NEAREST places to each home, nearest first; shape (homes, NEAREST).

    In slices, as the full matrix of distances would be 400 MB at the size of the handbook's data.
    """
    count = min(NEAREST, len(place))
    return np.concatenate([nearest_of_slice(part, place, count) for part in np.array_split(home, len(home) // 256 + 1)])


def nearest_of_slice(home: Floats, place: Floats, count: int) -> Ints:
    """The numbers of the `count` places nearest to each home, nearest first."""
    gap = home[:, None, :].astype(np.float32) - place[None, :, :].astype(np.float32)
    distance = np.einsum("hpc,hpc->hp", gap, gap)
    near = np.argpartition(distance, count - 1, axis=1)[:, :count]
    by_distance = np.argsort(np.take_along_axis(distance, near, axis=1), axis=1, kind="stable")
    return np.take_along_axis(near, by_distance, axis=1).astype(np.int64)


def draw_seconds(rng: np.random.Generator, rows: int, days: int) -> Ints:
    """Sorted seconds since the start: every day alike, most around the early afternoon, some at night."""
    day = rng.integers(0, days, rows)
    second = rng.normal(13.5 * 3600, 5 * 3600, rows) % DAY_S
    return np.sort(day * DAY_S + second.astype(np.int64))


def draw_favourites(rng: np.random.Generator, rows: int, visited: int) -> Ints:
    """Which of a customer's terminals each row is at: the nearest most often."""
    return np.floor(visited * rng.random(rows) ** 1.5).astype(np.int64)


def during(rng: np.random.Generator, episode: Episode, key: Ints, second: Ints, keys: int, days: int) -> Flags:
    """Whether each row is touched by an episode of its key.

    Rows sorted by (key, second) are one line; an episode is a stretch of it, found by two binary searches.
    """
    reach = (days + episode.days) * DAY_S
    count = rng.poisson(episode.per_day * keys * days)
    begin = rng.integers(0, keys, count) * reach + rng.integers(0, days * DAY_S, count)
    line = key * reach + second
    order = np.argsort(line, kind="stable")
    change = np.zeros(len(line) + 1, dtype=np.int64)
    np.add.at(change, np.searchsorted(line[order], begin), 1)
    np.add.at(change, np.searchsorted(line[order], begin + episode.days * DAY_S), -1)
    inside = np.empty(len(line), dtype=np.bool_)
    inside[order] = np.cumsum(change[:-1]) > 0
    return inside & (rng.random(len(line)) < episode.share)


def main() -> None:
    """Writes a Parquet file of transactions and says what is in it."""
    parser = argparse.ArgumentParser(description="Write generated card transactions to a Parquet file.")
    parser.add_argument("path", type=Path)
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--days", type=int, default=122)
    parser.add_argument("--customers", type=int)
    parser.add_argument("--terminals", type=int)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--start", type=datetime.fromisoformat, default=datetime(2018, 4, 1))
    given = parser.parse_args()
    made = transactions(given.rows, given.days, given.customers, given.terminals, given.seed, given.start)
    made.write_parquet(given.path)
    print(f"{given.path}: {made.height:,} transactions, {made['fraud'].sum():,} of them frauds")


if __name__ == "__main__":
    main()
