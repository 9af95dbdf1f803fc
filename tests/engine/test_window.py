"""Windows as integer bounds, and grids by the clock on the wall."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

import nowthen as nt
from nowthen.engine.language.window import Sliding, Window, as_json, back, floor, from_json, window

MINUTE, HOUR, DAY = 60_000_000, 3_600_000_000, 86_400_000_000
ZONES = ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "UTC"]


def bounds(over: Window, *asked: int) -> list[tuple[int, int]]:
    after, upto = (end() for end in over.ends(np.array(asked)))
    return list(zip(after.tolist(), upto.tolist(), strict=True))


def test_a_sliding_window_is_open_at_its_start_and_closed_at_its_end() -> None:
    assert bounds(window("1h"), 10 * HOUR) == [(9 * HOUR, 10 * HOUR)]


def test_closed_left_is_strictly_before_the_time_asked() -> None:
    assert bounds(window("1h", closed="left"), 10 * HOUR) == [(9 * HOUR - 1, 10 * HOUR - 1)]


def test_a_delay_moves_both_ends() -> None:
    assert bounds(window("1h", "2h"), 10 * HOUR) == [(7 * HOUR, 8 * HOUR)]


def test_a_tumbling_window_is_the_last_complete_bucket() -> None:
    over = nt.tumbling("1h")
    assert bounds(over, 10 * HOUR - 1, 10 * HOUR, 10 * HOUR + 1) == [
        (8 * HOUR, 9 * HOUR),
        (9 * HOUR, 10 * HOUR),
        (9 * HOUR, 10 * HOUR),
    ]


def test_a_partial_bucket_runs_from_the_last_grid_point() -> None:
    assert bounds(nt.tumbling("1h", partial=True), 10 * HOUR + 5, 10 * HOUR) == [
        (10 * HOUR, 10 * HOUR + 5),
        (10 * HOUR, 10 * HOUR),
    ]


def test_an_offset_moves_the_grid_even_before_1970() -> None:
    assert bounds(nt.tumbling("1h", offset="15m"), -1) == [(-HOUR - 45 * MINUTE, -45 * MINUTE)]


def test_a_delay_given_to_over_adds_to_a_hopping_window() -> None:
    assert bounds(window(nt.hopping("2h", "1h"), "30m"), 10 * HOUR) == [(7 * HOUR, 9 * HOUR)]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("days", [1, 2, 7])
def test_a_zoned_grid_is_midnight_by_the_clock_on_the_wall(zone: str, days: int) -> None:
    epoch = datetime(1970, 1, 1)
    random = np.random.default_rng(0)
    asked = np.sort(random.integers(15_000, 19_000, 300) * DAY + random.integers(0, 24 * 60, 300) * MINUTE)
    found = floor(asked, days * DAY, 0, zone)
    for t, g in zip(asked.tolist(), found.tolist(), strict=True):
        wall = datetime.fromtimestamp(t // 1_000_000, ZoneInfo(zone)).replace(tzinfo=None)
        midnight = epoch + timedelta(days=(wall - epoch).days // days * days)
        assert g == int(midnight.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC).timestamp()) * 1_000_000
        assert g <= t
    assert (np.diff(found) >= 0).all()


def test_days_back_are_days_of_the_clock_on_the_wall() -> None:
    monday = 1_585_519_200_000_000  # 2020-03-30 00:00 in Berlin, after the day with 23 hours
    assert back(np.array([monday]), DAY, DAY, "Europe/Berlin").tolist() == [monday - 23 * HOUR]


def test_a_day_back_from_an_hour_that_was_not_shown_begins_where_the_clocks_changed() -> None:
    two = 1_585_526_400_000_000  # 2020-03-30 02:00 in Berlin; the day before there was no such hour
    assert bounds(nt.hopping("1d", "1h", tz="Europe/Berlin"), two) == [(two - 23 * HOUR, two)]


@pytest.mark.parametrize(
    "over",
    [
        window("7d", "1d", "left"),
        window("forever"),
        nt.tumbling("1d", tz="Europe/Berlin"),
        nt.hopping("7d", "1d", offset="6h", partial=True),
    ],
    ids=str,
)
def test_a_window_survives_json(over: Window) -> None:
    assert from_json(as_json(over)) == over


@pytest.mark.parametrize(
    "over", [window("7d"), window("1h", "2h", "left"), nt.hopping("7d", "1d"), nt.tumbling("1d", partial=True)], ids=str
)
def test_reach_is_no_less_than_the_bounds(over: Window) -> None:
    asked = np.arange(0, 3 * DAY, 7 * MINUTE)
    reach = over.reach
    assert reach is not None
    assert (asked - over.ends(asked)[0]() <= reach).all()


@pytest.mark.parametrize(
    "make",
    [
        lambda: window("0s"),
        lambda: window("1d", closed="both"),
        lambda: window("1mo"),
        lambda: window("one day"),
        lambda: window(Sliding(5)),
        lambda: nt.tumbling("0s"),
        lambda: nt.hopping("1d", "0s"),
        lambda: nt.tumbling("1d", tz="Mars/Base"),
        lambda: window("1d", timedelta(days=-1)),
    ],
)
def test_a_window_that_means_nothing_is_refused(make: Any) -> None:
    with pytest.raises(nt.Invalid):
        make()
