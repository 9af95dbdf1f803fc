"""A small shop: sales of customers in stores, the features of a service, and a store of NowThen to put them in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

import nowthen as nt

START = datetime(2026, 1, 1, tzinfo=UTC)
CUSTOMER = nt.Entity("customer", keys={"customer_id": pl.Int64}, about="Who buys.")
PLACE = nt.Entity("place", keys={"place": pl.String})


def sales(n: int = 60, first: int = 0) -> pl.DataFrame:
    """n sales, one an hour, of 7 customers in 3 places; every eleventh has no customer."""
    ids = range(first, first + n)
    return pl.DataFrame(
        {
            "sale": pl.Series(ids, dtype=pl.Int64),
            "when": pl.Series([START + timedelta(hours=i) for i in ids], dtype=pl.Datetime("us", "UTC")),
            "customer_id": pl.Series([None if i % 11 == 10 else i % 7 for i in ids], dtype=pl.Int64),
            "place": pl.Series([f"p{i % 3}" for i in ids], dtype=pl.String),
            "amount": pl.Series([float(i * 37 % 101) for i in ids], dtype=pl.Float64),
            "returned": pl.Series([i % 5 == 0 for i in ids], dtype=pl.Boolean),
        }
    )


def source(rows: Any, name: str = "sales", **options: Any) -> nt.Source:
    """The source over sales; options replace those it has."""
    reader = nt.Frame(rows) if isinstance(rows, pl.DataFrame) else rows
    given = {"row_id": "sale", "known_after": {"returned": "7d"}, "entities": [CUSTOMER, PLACE]}
    return nt.Source(name, reader, event_time="when", **{**given, **options})


def service(tx: nt.Source, name: str = "shop") -> nt.FeatureService:
    """Six features over three groupings."""
    spend = nt.feature_view(
        "customer_spend",
        entity=CUSTOMER,
        features={
            "count_1d": tx.count().over("1d"),
            "mean_3d": nt.feature(tx["amount"].mean().over("3d"), default=0.0, about="Usual amount."),
            "big_2d": tx.filter(tx["amount"] > 50).count().over("2d"),
        },
        owner="shop-team",
    )
    place = nt.feature_view(
        "place_trade",
        entity=PLACE,
        features={"sum_12h": tx["amount"].sum().over("12h"), "last_amount": tx["amount"].last()},
    )
    everywhere = nt.feature_view("trade", entity=[], features={"all_6h": tx.count().over("6h")})
    return nt.FeatureService(name, [spend, place, everywhere], about="A shop.")


def labels(n: int = 20) -> pl.DataFrame:
    """n questions about customers and places within the time of the sales."""
    return pl.DataFrame(
        {
            "customer_id": [i % 8 for i in range(n)],
            "place": [f"p{i % 4}" for i in range(n)],
            "t": pl.Series([START + timedelta(hours=3 * i) for i in range(n)], dtype=pl.Datetime("us", "UTC")),
        }
    )


def row(sale: int, hours: float, **columns: Any) -> dict[str, Any]:
    """One sale as it is pushed."""
    when = START + timedelta(hours=hours)
    return {"sale": sale, "when": when, "customer_id": 1, "place": "p1", "amount": 5.0, "returned": None, **columns}
