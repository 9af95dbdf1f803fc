"""`over("1d", delay=timedelta(days=-1))` folded the day after the time asked: a feature that knew the future."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import polars as pl
import pytest

import nowthen as nt

NOON = datetime(2020, 1, 1, 12)
BACK = timedelta(days=-1)
shop = nt.Entity("shop", keys={"shop_id": pl.Int64})
rows = nt.Frame({"shop_id": [1], "time": [NOON], "amount": [1.0]})
sales = nt.Source("sales", rows, event_time="time", entities=shop)
view = nt.feature_view("view", entity=shop, features={"count": sales.count()})

MADE: dict[str, Callable[[], object]] = {
    "delay of a sliding window": lambda: sales.count().over("1d", delay=BACK),
    "delay of a grid": lambda: sales.count().over(nt.tumbling("1d"), delay=BACK),
    "known_after": lambda: nt.Source("s", rows, event_time="time", known_after={"amount": BACK}),
    "history": lambda: nt.feature_view("v", entity=shop, features={"count": sales.count()}, history=BACK),
    "gap": lambda: nt.training_set(rows, view, at="time").split(["2020-01-01"], gap=BACK),
}


@pytest.mark.parametrize("make", MADE.values(), ids=MADE.keys())
def test_a_negative_duration_is_refused(make: Callable[[], object]) -> None:
    with pytest.raises(nt.Invalid, match="cannot be negative"):
        make()
