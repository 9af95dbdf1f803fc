"""Names and windows that the engine let through, for Polars to stumble over."""

from __future__ import annotations

from datetime import datetime

import polars as pl
import pytest

import nowthen as nt

NOON = datetime(2020, 1, 1, 12)
shop = nt.Entity("shop", keys={"shop_id": pl.Int64})
sales = nt.Source("sales", nt.Frame({"shop_id": [1], "time": [NOON]}), event_time="time", entities=shop)


def test_a_status_column_whose_name_is_taken_is_refused() -> None:
    view = nt.feature_view("view", entity=shop, features={"count": sales.count()})
    spine = pl.DataFrame({"shop_id": [1], "time": [NOON], "count__status": ["old"]})
    with pytest.raises(nt.Invalid, match="'count__status', which is taken"):
        nt.training_set(spine, view, at="time").collect(engine="local", status=True)


@pytest.mark.parametrize("width", ["36h", "1d1us"])
def test_a_window_of_days_and_hours_by_the_clock_on_the_wall_is_refused(width: str) -> None:
    with pytest.raises(nt.Invalid, match="whole days, or shorter than one"):
        nt.tumbling(width, tz="Europe/Berlin")
