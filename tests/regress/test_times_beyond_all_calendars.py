"""Times near the ends of int64 wrapped around: rows of the far future were seen in the past, or by the questions of another key."""

from __future__ import annotations

import polars as pl
import pytest

import nowthen as nt

BUYER = nt.Entity("buyer", keys={"buyer": pl.Int64})
END = 2**63 - 1
YEAR_9999 = 253_402_300_799_999_999


def last(times: pl.Series, asked: pl.Series, delay: str = "0s") -> list[int | None]:
    """The number of the last row of buyers 1, whose rows these are, and 2, who has none."""
    rows = pl.DataFrame({"buyer": 1, "time": times, "number": range(len(times))})
    source = nt.Source("rows", nt.Frame(rows), event_time="time", entities=BUYER)
    view = nt.feature_view("view", entity=BUYER, features={"last": source.number.last().over("forever", delay=delay)})
    return nt.training_set({"buyer": [1, 2], "at": asked}, view, at="at").collect(engine="local")["last"].to_list()


def times(*numbers: int, unit: str = "us", zone: str = "Europe/Berlin") -> pl.Series:
    """Instants by their numbers; with a zone, so that readers leave none out."""
    utc = pl.Series(numbers, dtype=pl.Int64).cast(pl.Datetime(unit))  # type: ignore[arg-type]
    return utc.dt.replace_time_zone("UTC").dt.convert_time_zone(zone)


@pytest.mark.usefixtures("loops")
@pytest.mark.parametrize("delay", ["0s", "1d"])
@pytest.mark.parametrize("number, unit", [(END, "us"), (END, "ms"), (2**62, "us"), (-END, "us"), (-END, "ms")])
def test_a_row_beyond_all_calendars_is_refused_with_its_number(number: int, unit: str, delay: str) -> None:
    with pytest.raises(nt.Invalid, match=rf"rows\.time row 2: {number} as Datetime.* is not in the years 1 to 9999"):
        last(times(0, 5, number, unit=unit), times(10, 10), delay)


@pytest.mark.parametrize("number", [END, -END, 2**61])
def test_a_question_beyond_all_calendars_is_refused_with_its_number(number: int) -> None:
    with pytest.raises(nt.Invalid, match=rf"'at' row 1: {number} as Datetime.* is not in the years 1 to 9999"):
        last(times(0), times(10, number))


@pytest.mark.usefixtures("loops")
@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "America/Los_Angeles"])
def test_the_last_moment_that_calendars_have_is_a_time_in_every_zone(zone: str) -> None:
    end = pl.Series([YEAR_9999]).cast(pl.Datetime("us")).dt.replace_time_zone(zone)
    far = pl.concat([times(0, zone=zone), end])
    assert last(far, times(10, 10)) == [0, None]
    assert last(far, pl.concat([end, end])) == [1, None]


def test_dates_beyond_all_calendars_are_refused() -> None:
    rows = pl.DataFrame({"buyer": 1, "day": pl.Series([0, 2**31 - 1], dtype=pl.Int32).cast(pl.Date)})
    source = nt.Source("rows", nt.Frame(rows), event_time="day", entities=BUYER, available="end_of_day")
    view = nt.feature_view("view", entity=BUYER, features={"count": source.count()})
    train = nt.training_set({"buyer": [1], "at": times(10)}, view, at="at")
    with pytest.raises(nt.Invalid, match=r"rows\.day row 1: 2147483647 as Date is not in the years 1 to 9999"):
        train.collect(engine="local")
