"""A correction moved a row to another key, whose bucket another step answered. When the row ended was settled before the split, but the
step that answered the row's old bucket did not read it, so the old version lived on where times known are asked about.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

import nowthen as nt

SHOP = nt.Entity("shop", keys={"shop": pl.String})
NOON = datetime(2020, 1, 1, 12, tzinfo=UTC)


@pytest.mark.usefixtures("bucketed")
def test_a_row_that_was_moved_to_another_key_is_gone_from_its_own() -> None:
    later = NOON + timedelta(seconds=1)
    sales = pl.DataFrame({"shop": ["a", "b"], "time": [NOON, later], "known": [NOON, later], "sale": [1, 1]})
    source = nt.Source("sales", nt.Frame(sales), event_time="time", known_time="known", row_id="sale", entities=SHOP)
    view = nt.feature_view("view", entity=SHOP, features={"n": source.count().over("1d")})
    spine = pl.DataFrame({"shop": ["a", "a", "b"], "at": [NOON, NOON + timedelta(hours=1), NOON + timedelta(hours=1)]})
    made = nt.training_set(spine, view, at="at").collect(engine="local", status=True)
    assert made["n"].to_list() == [1, 0, 1]
    assert made["n__status"].to_list() == ["present", "not_found", "present"]
