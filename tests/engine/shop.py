"""The definitions that the tests of the engine ask about."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import polars as pl

import nowthen as nt

NOON = datetime(2020, 1, 2, 12, tzinfo=UTC)
SHOP = nt.Entity("shop", keys={"shop_id": pl.Int64})
SELLER = nt.Entity("seller", keys={"seller": pl.String})
ROWS = pl.DataFrame(
    {
        "sale_id": [1, 2, 3, 4],
        "shop_id": [1, 1, 2, 1],
        "seller": ["ann", "bob", "ann", None],
        "time": [NOON.replace(hour=hour) for hour in (1, 5, 6, 11)],
        "amount": [10.0, 20.0, 5.0, None],
        "items": [1, 2, 3, 4],
        "fraud": [True, False, False, True],
    }
)


def sales(**changes: Any) -> nt.Source:
    """The source of sales, perhaps declared otherwise."""
    declared: dict[str, Any] = {"event_time": "time", "entities": [SHOP, SELLER]}
    return nt.Source("sales", nt.Frame(ROWS), **(declared | changes))


def spine(**columns: Any) -> pl.DataFrame:
    """Two questions at noon."""
    given: dict[str, Any] = {"shop_id": [1, 2], "seller": ["ann", "ann"], "asked": [NOON, NOON]}
    return pl.DataFrame({name: column for name, column in (given | columns).items() if column is not None})
