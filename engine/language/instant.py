"""Instants: times of any Polars type as int64 microseconds UTC, refused where they are not a clear instant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from ..errors import Invalid, WrongType
from ..folds.column import Index

DAY_US = 86_400_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# The years 1 to 9999, which calendars of Python have, and a day more for zones. Beyond, a time and a delay could wrap around int64.
_DAYS = (-719_163, 2_932_898)
_A_DAY = {"ms": 86_400_000, "us": DAY_US}
_A_SECOND = {"ms": 10**3, "us": 10**6, "ns": 10**9}


def instants(
    times: pl.Series, what: str, *, time_zone: str | None = None, available: str | None = None, first: int = 0
) -> Index:
    """Microseconds UTC of each time, (n,).

    Naive times are UTC unless `time_zone` says otherwise. A null, a time beyond the year 9999 or before the year 1, an ambiguous or missing
    local time, and nanoseconds that are not whole microseconds are refused with their row number, counted from `first`.
    A Date needs `available="end_of_day"`: it stands for its last microsecond.
    """
    _refuse_nulls(times, what, first)
    times = times.rechunk()  # else each look at it would copy it
    refuse_far(times, what, first)
    if isinstance(times.dtype, pl.Date) and available == "end_of_day":
        times = (times.cast(pl.Datetime("us")).dt.offset_by("1d")).dt.offset_by("-1us")
    if not isinstance(times.dtype, pl.Datetime):
        raise WrongType(f"{what} is {times.dtype}, which is not an instant. A time is a Datetime.")
    if times.dtype.time_zone is None and time_zone not in (None, "UTC"):
        times = _localized(times, what, str(time_zone), first)
    return _whole_microseconds(times, what, first)


def instant(moment: datetime, what: str) -> int:
    """Microseconds UTC of one Python datetime; a naive one is UTC.

    >>> instant(datetime(1970, 1, 1, 0, 0, 1), "at")
    1000000
    """
    if not isinstance(moment, datetime):
        raise WrongType(f"{what} is {moment!r}; give a datetime.")
    zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (zoned - _EPOCH) // timedelta(microseconds=1)


def localized(times: pl.Series, zone: str) -> pl.Series:
    """Naive local times as times of their zone; null where its clocks show the time twice or never."""
    return times.dt.replace_time_zone(zone, ambiguous="null", non_existent="null")


def checked_zone(zone: object, what: str) -> str:
    """The name of a time zone, or `Invalid` where there is none of that name.

    >>> checked_zone("Europe/Berlin", "tz")
    'Europe/Berlin'
    """
    try:
        if isinstance(zone, str) and zone:
            localized(pl.Series([_EPOCH.replace(tzinfo=None)]), zone)
            return zone
    except pl.exceptions.PolarsError:
        pass
    raise Invalid(f"{what}={zone!r} is not a time zone. Use a name like 'Europe/Berlin'.")


def datetime_of(us: int) -> datetime:
    """The Python datetime, in UTC, of microseconds UTC: `instant` the other way. OverflowError outside the years 1 to 9999.

    >>> datetime_of(1_000_000)
    datetime.datetime(1970, 1, 1, 0, 0, 1, tzinfo=datetime.timezone.utc)
    """
    return _EPOCH + timedelta(microseconds=us)


def written_instant(us: int) -> str:
    """An instant in words, in UTC; one outside the years 1 to 9999 (a window may begin there) is said to be.

    >>> written_instant(1_000_000)
    '1970-01-01 00:00:01'
    """
    try:
        return str(datetime_of(us).replace(tzinfo=None))
    except OverflowError:
        return "before year 1" if us < 0 else "after year 9999"


def _refuse_nulls(times: pl.Series, what: str, first: int) -> None:
    if times.null_count():
        row = first + (times.is_null().arg_max() or 0)
        raise Invalid(f"{what} is null in row {row}; every row needs its time.")


def _localized(times: pl.Series, what: str, zone: str, first: int) -> pl.Series:
    local = localized(times, zone)
    if local.null_count():
        row = local.is_null().arg_max() or 0
        raise Invalid(
            f"{what} row {first + row}: {times[row]} is ambiguous or does not exist in {zone}. Give times in UTC."
        )
    return local


def _whole_microseconds(times: pl.Series, what: str, first: int) -> Index:
    physical = times.to_numpy().view(np.int64)
    unit = times.dtype.time_unit  # type: ignore[attr-defined]
    if unit == "ms":
        return physical * 1000
    if unit == "us":
        return physical
    refuse_nanoseconds(times, what, first)
    return physical // 1000


def refuse_far(times: pl.Series, what: str, first: int = 0) -> None:
    """Raise `Invalid` where a time is not in the years 1 to 9999; nulls and other types pass."""
    if not isinstance(times.dtype, pl.Date | pl.Datetime) or not len(times):
        return
    a_day = 1 if isinstance(times.dtype, pl.Date) else _A_DAY.get(times.dtype.time_unit)
    if a_day is None:
        return  # int64 has no nanoseconds so far off
    numbers, (low, high) = times.to_physical().fill_null(0).to_numpy(), (days * a_day for days in _DAYS)
    if numbers.min() < low or numbers.max() >= high:
        row = int(np.argmax((numbers < low) | (numbers >= high)))
        raise Invalid(
            f"{what} row {first + row}: {numbers[row]} as {times.dtype} is not in the years 1 to 9999. Is it in another unit?"
        )


def refuse_nanoseconds(times: pl.Series, what: str, first: int = 0) -> None:
    """Raise `Invalid` where a column of times or durations is not exact in microseconds; nulls and other types pass."""
    if getattr(times.dtype, "time_unit", None) != "ns":
        return
    rest = (times.to_physical() % 1000 != 0).fill_null(False)
    if rest.any():
        row = rest.arg_max() or 0
        raise Invalid(
            f"{what} row {first + row}: {times[row]} has nanoseconds; times are exact in microseconds. Round the column first."
        )


def in_unit(times: pl.Series, unit: str, what: str, first: int = 0) -> pl.Series:
    """Datetimes or Durations in another unit. Raise `Invalid` where one is finer than the unit, or beyond what it can count; nulls stay.

    A cast would cut the one off and panic at the other (Polars 1).
    """
    dtype, numbers = times.dtype, times.to_physical()
    own, wanted = _A_SECOND[dtype.time_unit], _A_SECOND[unit]  # type: ignore[attr-defined]
    if own == wanted:
        return times
    if own > wanted:
        inexact, made = numbers % (own // wanted) != 0, numbers // (own // wanted)
    else:
        most = (2**63 - 1) // (wanted // own)
        inexact, made = (numbers > most) | (numbers < -most), numbers * (wanted // own)
    if inexact.any():
        row = inexact.arg_max() or 0
        raise Invalid(
            f"{what} row {first + row}: {numbers[row]} as {dtype} is not exact in {unit}. Round the column, or is it in another unit?"
        )
    return made.cast(pl.Duration(unit) if isinstance(dtype, pl.Duration) else pl.Datetime(unit, dtype.time_zone))  # type: ignore[arg-type, attr-defined]
