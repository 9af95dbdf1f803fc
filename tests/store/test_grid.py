"""Grids: every key at every time of a half-open stretch."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import polars as pl
import pytest

import nowthen as nt

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_every_key_stands_at_every_time_before_the_end() -> None:
    made = nt.grid({"shop_id": [7, 3]}, NOON, NOON + 3 * HOUR, every="90m")
    late = NOON + 1.5 * HOUR
    assert made.rows() == [(7, NOON), (3, NOON), (7, late), (3, late)]


def test_times_are_microseconds_utc_whatever_was_given() -> None:
    east = timezone(timedelta(hours=2))
    for start in ("2026-01-02T12:00", "2026-01-02T14:00+02:00", NOON.replace(tzinfo=None), NOON.astimezone(east)):
        made = nt.grid({"shop_id": [1]}, start, NOON + HOUR)
        assert made.schema == {"shop_id": pl.Int64(), "at": pl.Datetime("us", "UTC")}
        assert made["at"].to_list() == [NOON + timedelta(minutes=15 * k) for k in range(4)]


def test_a_day_is_its_beginning() -> None:
    day: Any = date(2026, 1, 2)
    assert nt.grid({"k": [1]}, day, "2026-01-03", every="12h")["at"].to_list() == [NOON - 12 * HOUR, NOON]


def test_a_last_step_that_is_cut_short_counts() -> None:
    assert nt.grid({"k": [1]}, NOON, NOON + 2.5 * HOUR, every="1h").height == 3


def test_a_key_that_is_given_twice_counts_once_and_its_columns_come_along() -> None:
    keys = pl.DataFrame({"shop_id": [2, 1, 2], "amount": [0.5, 1.5, 0.5]})
    assert nt.grid(keys, NOON, NOON + HOUR, every="1h").rows() == [(2, 0.5, NOON), (1, 1.5, NOON)]


def test_without_keys_there_is_a_row_for_each_time() -> None:
    assert nt.grid({}, NOON, NOON + HOUR, every="30m").to_dict(as_series=False) == {"at": [NOON, NOON + HOUR / 2]}


def test_no_keys_in_a_column_make_no_rows() -> None:
    made = nt.grid(pl.DataFrame(schema={"shop_id": pl.Int64}), NOON, NOON + HOUR)
    assert made.schema == {"shop_id": pl.Int64(), "at": pl.Datetime("us", "UTC")}
    assert made.height == 0


def test_a_grid_is_a_spine() -> None:
    shop = nt.Entity("shop", keys={"shop_id": pl.Int64})
    sales = nt.Source("sales", nt.Frame({"shop_id": [1], "time": [NOON]}), event_time="time", entities=shop)
    view = nt.feature_view("view", entity=shop, features={"sold": sales.count()})
    train = nt.training_set(nt.grid({"shop_id": [1, 2]}, NOON - HOUR, NOON + HOUR, every="1h"), view, at="at")
    assert train.collect(engine="local")["sold"].to_list() == [0, 0, 1, 0]


@pytest.mark.parametrize(
    "keys, start, end, every, error, says",
    [
        ({"k": [1]}, NOON, NOON, "1h", nt.Invalid, "end must come after its start"),
        ({"k": [1]}, NOON, NOON - HOUR, "1h", nt.Invalid, "end must come after its start"),
        ({"k": [1]}, NOON, NOON + HOUR, "0s", nt.Invalid, "every"),
        ({"k": [1]}, NOON, NOON + HOUR, "1mo", nt.Invalid, "no fixed length"),
        ({"k": [1]}, "soon", NOON, "1h", nt.Invalid, "start is 'soon'"),
        ({"k": [1]}, NOON, 5, "1h", nt.WrongType, "end is 5"),
        ({"at": [1]}, NOON, NOON + HOUR, "1h", nt.Invalid, "'at' is its time"),
        (5, NOON, NOON + HOUR, "1h", nt.NowThenError, "5|int"),
        ({"k": [1, 2]}, "0001-01-01", "9999-01-01", "1us", nt.Invalid, "more than a frame holds"),
        ({}, "0001-01-01", "9999-01-01", "1us", nt.Invalid, "more than a frame holds"),
    ],
)
def test_what_makes_no_grid_is_refused(keys: Any, start: Any, end: Any, every: str, error: Any, says: str) -> None:
    with pytest.raises(error, match=says):
        nt.grid(keys, start, end, every=every)
