"""A small bank to serve: definitions, transactions, and a store that has published them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

import nowthen as nt

BEGIN = datetime(2024, 3, 1, tzinfo=UTC)
NOW = BEGIN + timedelta(days=40)


def transactions(rows: int = 600, seed: int = 7) -> pl.DataFrame:
    """Transactions over forty days, in order of time."""
    rng = np.random.default_rng(seed)
    seconds = np.sort(rng.integers(0, 40 * 86_400, rows))
    return pl.DataFrame(
        {
            "id": np.arange(rows),
            "time": [BEGIN + timedelta(seconds=int(second)) for second in seconds],
            "customer_id": rng.integers(0, 12, rows),
            "shop": rng.choice(["bakery", "bar", "books"], rows),
            "amount": rng.integers(1, 20_000, rows) / 100,
            "fraud": rng.random(rows) < 0.1,
        }
    ).with_columns(pl.col("time").dt.cast_time_unit("us"))


def service(rows: pl.DataFrame) -> tuple[nt.FeatureService, nt.Source]:
    """The service `risk` over transactions, and their source."""
    customer = nt.Entity("customer", keys={"customer_id": pl.Int64})
    shop = nt.Entity("shop", keys={"shop": pl.String})
    tx = nt.Source(
        "tx", nt.Frame(rows), event_time="time", entities=[customer, shop], row_id="id", known_after={"fraud": "7d"}
    )
    request = nt.Request({"amount": pl.Float64})

    class Spend(nt.FeatureView, entity=customer):
        count_1d = tx.count().over("1d")
        mean_7d = tx.amount.mean().over("7d")
        last_shop = tx.shop.last()
        usual = nt.feature(tx.amount.mean().over("30d"), default=0.0)

    class Shops(nt.FeatureView, entity=shop):
        fraud_share = tx.fraud.mean().over("14d", delay="7d")

    class Decision(nt.FeatureView, entity=[customer, shop]):
        ratio = request.amount / Spend.mean_7d

    return nt.FeatureService("risk", [Spend, Shops, Decision]), tx


def published(folder: Path, rows: pl.DataFrame | None = None) -> Any:
    """A store in the folder that has published the service."""
    given = transactions() if rows is None else rows
    made, tx = service(given)
    store = nt.connect(folder / "store")
    store.apply(made)
    store.ingest(tx)
    store.snapshot(made)
    return store


def row(**values: Any) -> dict[str, Any]:
    """One more transaction, an hour before NOW unless said otherwise."""
    plain = {"id": 10_000, "time": NOW - timedelta(hours=1), "customer_id": 3, "shop": "bar", "amount": 50.0}
    return {**plain, **values}


def offline(rows: pl.DataFrame, asked: pl.DataFrame) -> pl.DataFrame:
    """The same features by a training set over these rows."""
    made, _ = service(rows)
    train = nt.training_set(asked, made, at="at", sources={"tx": rows}).collect(engine="local")
    return train.select(list(made.features))


def asked(n: int = 40, seed: int = 1) -> pl.DataFrame:
    """Questions of the last day before NOW."""
    rng = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "customer_id": rng.integers(0, 14, n),
            "shop": rng.choice(["bakery", "bar", "books", "nowhere"], n),
            "amount": rng.random(n) * 100,
            "at": [NOW - timedelta(seconds=int(second)) for second in rng.integers(0, 80_000, n)],
        }
    ).with_columns(pl.col("at").dt.cast_time_unit("us"))


def question(frame: pl.DataFrame) -> tuple[dict[str, Any], dict[str, Any]]:
    """Keys and options of a get for these questions."""
    keys = {"customer_id": frame["customer_id"].to_list(), "shop": frame["shop"].to_list()}
    return keys, {"request": {"amount": frame["amount"].to_list()}, "at": frame["at"].to_list()}
