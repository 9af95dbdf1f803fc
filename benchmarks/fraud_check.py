"""Whether the values of an engine are right: against a brute force that anyone can read, and against another engine.

The brute force looks at every row of the file for each row it checks, with comparisons of integers and `math.fsum`, and shares no code with any engine. It
checks rows drawn at random, and those where implementations go wrong: rows of equal key and time, and rows with another one exactly on a window's end.
"""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

import agreement
import numpy as np
import polars as pl
from numpy.typing import NDArray

WINDOWS_DAYS = (1, 7, 30)
DELAY_DAYS = 7
DAY_US = 86_400_000_000
KEYS = {"customer_id": 0, "terminal_id": DELAY_DAYS}
FEATURES = (
    "amount",
    "tx_during_weekend",
    "tx_during_night",
    *(f"{name}_{days}d" for name in ("customer_tx_count", "customer_amount_mean") for days in WINDOWS_DAYS),
    *(f"{name}_{days}d" for name in ("terminal_tx_count", "terminal_fraud_share") for days in WINDOWS_DAYS),
)
NEAR = tuple(name for name in FEATURES if "mean" in name or "share" in name)


def differing(found: pl.DataFrame, expected: pl.DataFrame) -> int:
    """How many values of the features differ at the transactions of `expected`."""
    exact = [name for name in FEATURES if name not in NEAR]
    return agreement.differing(found, expected, "transaction_id", exact=exact, near=NEAR)


def sample(events: pl.DataFrame, random: int = 300, special: int = 100, seed: int = 7) -> pl.DataFrame:
    """Rows worth checking: some at random, some with ties, some with a neighbour exactly on the end of a window."""
    rows = [events.sample(min(random, events.height), seed=seed)]
    for key, delay in KEYS.items():
        rows.append(head(events.filter(pl.struct(key, "tx_datetime").is_duplicated()), special, seed))
        shifts = sorted({delay, *(delay + days for days in WINDOWS_DAYS)} - {0})
        rows += [head(with_a_row_before(events, key, days), special, seed) for days in shifts]
    return pl.concat(rows).unique("transaction_id", maintain_order=True)


def head(rows: pl.DataFrame, count: int, seed: int) -> pl.DataFrame:
    """At most `count` of the rows."""
    return rows.sample(min(count, rows.height), seed=seed)


def with_a_row_before(events: pl.DataFrame, key: str, days: int) -> pl.DataFrame:
    """The rows whose key has another row exactly that many days earlier."""
    earlier = events.select(key, pl.col("tx_datetime") + pl.duration(days=days))
    return events.join(earlier, on=[key, "tx_datetime"], how="semi")


def brute_force(events: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """The features of `rows`, each by looking at all of `events`."""
    columns = {name: events[name].to_numpy() for name in ("customer_id", "terminal_id", "amount", "fraud")}
    columns["time"] = events["tx_datetime"].to_physical().to_numpy()
    return pl.DataFrame(
        [of_row(columns, row) for row in rows.with_columns(time=pl.col("tx_datetime").to_physical()).to_dicts()]
    )


def of_row(events: dict[str, NDArray[Any]], row: dict[str, Any]) -> dict[str, object]:
    """The features of one transaction."""
    values: dict[str, object] = {
        "transaction_id": row["transaction_id"],
        "amount": row["amount"],
        **of_clock(row["tx_datetime"]),
    }
    for days in WINDOWS_DAYS:
        amounts = events["amount"][inside(events, row, "customer_id", days)].tolist()
        frauds = events["fraud"][inside(events, row, "terminal_id", days)].tolist()
        values[f"customer_tx_count_{days}d"] = len(amounts)
        values[f"customer_amount_mean_{days}d"] = math.fsum(amounts) / len(amounts)
        values[f"terminal_tx_count_{days}d"] = len(frauds)
        values[f"terminal_fraud_share_{days}d"] = sum(frauds) / len(frauds) if frauds else 0.0
    return values


def of_clock(time: datetime) -> dict[str, object]:
    """The features of the time of day and week."""
    return {"tx_during_weekend": time.isoweekday() >= 6, "tx_during_night": time.hour <= 6}


def inside(events: dict[str, NDArray[Any]], row: dict[str, Any], key: str, days: int) -> NDArray[np.bool_]:
    """Which events are of the row's key and in `(t - delay - days, t - delay]`."""
    upto = row["time"] - KEYS[key] * DAY_US
    time = events["time"]
    found: NDArray[np.bool_] = (events[key] == row[key]) & (time > upto - days * DAY_US) & (time <= upto)
    return found
