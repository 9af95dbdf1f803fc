"""`usual = tx.amount.mean` in a view, the brackets forgotten, made a view without that feature and without a word."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

import nowthen as nt

shop = nt.Entity("shop", keys={"shop_id": pl.Int64})
sales = nt.Source(
    "sales",
    event_time="time",
    entities=shop,
    schema={"shop_id": pl.Int64, "time": pl.Datetime("us"), "amount": pl.Float64},
)


@pytest.mark.parametrize("value", [sales.amount.mean, sales.count, sales.time.dt], ids=["fold", "count", "namespace"])
def test_an_operator_that_was_not_called_is_refused(value: Any) -> None:
    with pytest.raises(nt.WrongType, match=r"view 'usual': amount = .* is no expression. Call it"):
        type("Usual", (nt.FeatureView,), {"amount": value, "count": sales.count()}, entity=shop)
