"""A request field named `f0` or `at` took the place of the plan's own slot of that name, and features had wrong values."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import polars as pl

import nowthen as nt
from nowthen.engine.folds.column import Column
from nowthen.engine.folds.online import Online
from nowthen.engine.language.service import named

NOON = datetime(2020, 1, 1, 12)
shop = nt.Entity("shop", keys={"shop_id": pl.Int64})
sales = nt.Source(
    "sales", nt.Frame({"shop_id": [1, 1], "time": [NOON, NOON], "amount": [1.0, 2.0]}), event_time="time", entities=shop
)
request = nt.Request({"f0": pl.Float64, "at": pl.Float64})
view = nt.feature_view(
    "view", entity=shop, features={"total": sales.amount.sum() + request.f0, "hour": nt.at().dt.hour() + request["at"]}
)


def test_a_request_field_may_be_named_like_a_slot_of_the_plan() -> None:
    spine = pl.DataFrame({"shop_id": [1], "time": [NOON], "f0": [100.0], "at": [0.5]})
    found = nt.training_set(spine, view, at="time").collect(engine="local")
    assert found.select("total", "hour").row(0) == (103.0, 12.5)


def test_so_it_may_online() -> None:
    at = np.array([int(datetime(1970, 1, 1, 12).timestamp()) * 1_000_000])
    online = Online(named(nt.feature_view("now", entity=[], features={"hour": nt.at().dt.hour() + request["at"]})))
    served = online.finish({}, {"at": Column(pl.Float64(), np.array([0.5]))}, at)
    assert served.columns[0].values.tolist() == [12.5]
