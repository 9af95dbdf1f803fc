"""Instants: columns of times as microseconds UTC, or refused with their row."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import polars as pl
import pytest

import nowthen as nt
from nowthen.engine.errors import Invalid, WrongType
from nowthen.engine.language.instant import DAY_US, datetime_of, instant, instants, written_instant

SUMMER = datetime(2020, 7, 1, 12)
SUMMER_US = 1_593_604_800_000_000


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Tokyo"])
def test_every_unit_and_zone_gives_the_same_instant(unit: str, zone: str | None) -> None:
    times = pl.Series([SUMMER]).dt.replace_time_zone("UTC").dt.cast_time_unit(unit)  # type: ignore[arg-type]
    times = times.dt.replace_time_zone(None) if zone is None else times.dt.convert_time_zone(zone)
    assert instants(times, "time").tolist() == [SUMMER_US]


def test_naive_times_of_a_zone_are_local() -> None:
    assert instants(pl.Series([SUMMER]), "time", time_zone="Europe/Berlin").tolist() == [SUMMER_US - 7_200_000_000]


@pytest.mark.parametrize("local", [datetime(2020, 10, 25, 2, 30), datetime(2020, 3, 29, 2, 30)], ids=["twice", "never"])
def test_a_local_time_that_is_no_one_instant_is_refused_with_its_row(local: datetime) -> None:
    with pytest.raises(Invalid, match=r"time row 1: .* is ambiguous or does not exist in Europe/Berlin"):
        instants(pl.Series([SUMMER, local]), "time", time_zone="Europe/Berlin")


def test_a_null_time_is_refused_with_its_row() -> None:
    with pytest.raises(Invalid, match="time is null in row 2"):
        instants(pl.Series([SUMMER, SUMMER, None]), "time")


def test_nanoseconds_are_refused_with_their_row() -> None:
    with pytest.raises(Invalid, match=r"time row 1: .* has nanoseconds"):
        instants(pl.Series([1_000, 1_001], dtype=pl.Datetime("ns")), "time")


def test_a_date_is_the_end_of_its_day_where_the_source_says_so() -> None:
    found = instants(pl.Series([date(1970, 1, 1)]), "time", available="end_of_day")
    assert found.tolist() == [DAY_US - 1]


@pytest.mark.parametrize("times", [pl.Series([date(1970, 1, 1)]), pl.Series([5]), pl.Series(["2020-01-01"])], ids=repr)
def test_what_is_no_instant_is_refused(times: pl.Series) -> None:
    with pytest.raises(WrongType, match="not an instant"):
        instants(times, "time")


def test_one_moment_may_be_naive_or_zoned() -> None:
    tokyo = timezone(timedelta(hours=9))
    assert instant(SUMMER, "at") == SUMMER_US
    assert instant(SUMMER.replace(tzinfo=tokyo), "at") == SUMMER_US - 32_400_000_000


def test_microseconds_are_the_datetime_they_came_from() -> None:
    assert datetime_of(SUMMER_US - 1) == SUMMER.replace(tzinfo=UTC) - timedelta(microseconds=1)


@pytest.mark.parametrize(
    "microseconds", [-1, 0, 1, 1_711_929_600_123_457, -2_208_988_800_000_001, 253_402_300_799_999_999]
)
def test_a_moment_is_the_instant_it_was_made_of(microseconds: int) -> None:
    assert instant(datetime_of(microseconds), "at") == microseconds


def test_an_instant_is_written_in_utc_even_before_all_calendars() -> None:
    assert [written_instant(us) for us in (SUMMER_US, -(10**17))] == ["2020-07-01 12:00:00", "before year 1"]


@pytest.mark.parametrize("zone", ["Europe/Berln", "", "*", 5])
def test_a_wrong_time_zone_of_a_source_is_refused_where_it_is_written(zone: str) -> None:
    with pytest.raises(Invalid, match=r"source 'sales': time_zone=.* is not a time zone\. Use a name"):
        nt.Source("sales", event_time="time", schema={"time": pl.Datetime("us")}, time_zone=zone)
