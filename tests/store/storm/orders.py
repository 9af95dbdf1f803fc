"""The rows of the storm: orders with corrections, each round's a function of its number, so that who checks knows what who wrote meant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl

import nowthen as nt

START = datetime(2026, 1, 1, tzinfo=UTC)
BUYER = nt.Entity("buyer", keys={"buyer": pl.String})
_TIME = pl.Datetime("us", "UTC")
SCHEMA = {"order": pl.Int64(), "when": _TIME, "known": _TIME, "buyer": pl.String(), "amount": pl.Float64()}
PUSHED = 1_000_000  # ids of pushed orders begin here


def fresh(number: int, count: int = 10, first: int = 0) -> pl.DataFrame:
    """The new orders of a round."""
    ids = [first + number * count + place for place in range(count)]
    return frame(
        [
            (one, START + timedelta(hours=one % 997), START + timedelta(hours=one % 997, minutes=5), f"buyer-{one % 7}", float(one * 37 % 101))
            for one in ids
        ]
    )  # fmt: skip


def corrected(number: int) -> pl.DataFrame:
    """Later versions of some orders of the round before."""
    return fresh(number - 1).head(3).with_columns(
        pl.col("amount") + 1000.0, pl.col("known") + pl.duration(days=1 + number), pl.lit("buyer-9").alias("buyer")
    ) if number else frame([])  # fmt: skip


def upto(rounds: int) -> pl.DataFrame:
    """All rows that the source has after so many rounds, oldest first."""
    parts = [part for number in range(rounds) for part in (fresh(number), corrected(number))]
    return pl.concat([frame([]), *parts])


def frame(rows: list[tuple[object, ...]]) -> pl.DataFrame:
    """Rows as a frame of orders."""
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def source(rows: pl.DataFrame | None = None, name: str = "orders") -> nt.Source:
    """The source over some rows, or over none that can be read; more columns than orders have are taken as they are."""
    reader = None if rows is None else nt.Frame(rows)
    return nt.Source(
        name, reader, event_time="when", known_time="known", row_id="order", entities=[BUYER], max_ahead=None,
        schema=SCHEMA if rows is None else None,
    )  # fmt: skip


def views(tx: nt.Source, bound: float = 50.0) -> tuple[type[nt.FeatureView], type[nt.FeatureView]]:
    """Two views of one bound."""
    dear = tx.filter(tx["amount"] > bound).count()
    spend = nt.feature_view(
        "spend", entity=BUYER, features={"sum_3d": tx["amount"].sum().over("3d"), "big_7d": dear.over("7d")}
    )
    return spend, nt.feature_view("pace", entity=BUYER, features={"dear_2d": dear.over("2d")})


def service(tx: nt.Source, bound: float = 50.0) -> nt.FeatureService:
    """The service over both views."""
    return nt.FeatureService("orders_model", list(views(tx, bound)))


def ordered(rows: pl.DataFrame) -> list[tuple[object, ...]]:
    """The rows as tuples in an order of their own, to be compared."""
    return sorted(rows.select(sorted(rows.columns)).rows(), key=repr)
