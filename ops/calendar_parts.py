"""Parts of a date and of a time of day, on the clock of the column's time zone (naive is UTC)."""

from __future__ import annotations

import numpy as np
import polars as pl

from ..engine.folds.column import Array, Column, Index
from ..engine.language.instant import DAY_US
from ..engine.language.map import map_of_columns
from .alike import microseconds
from .kinds import DATE, DATETIME, always

_HOUR_US, _MINUTE_US, _SECOND_US = 3_600_000_000, 60_000_000, 1_000_000
_DAYS = DATE | DATETIME
_INT8, _INT16, _INT32 = pl.Int8(), pl.Int16(), pl.Int32()


@map_of_columns(name="dt.weekday", returns=always("dt.weekday", _DAYS, _INT8))
def weekday(x: Column) -> Column:
    """Day of the week, Monday is 1 and Sunday 7."""
    return _part(x, _INT8, (_days(x) + 3) % 7 + 1)  # 1970-01-01 was a Thursday


@map_of_columns(name="dt.day", returns=always("dt.day", _DAYS, _INT8))
def day(x: Column) -> Column:
    """Day of the month, 1 to 31."""
    return _part(x, _INT8, _days(x) - _first_day(x, "M") + 1)


@map_of_columns(name="dt.ordinal_day", returns=always("dt.ordinal_day", _DAYS, _INT16))
def ordinal_day(x: Column) -> Column:
    """Day of the year, 1 to 366."""
    return _part(x, _INT16, _days(x) - _first_day(x, "Y") + 1)


@map_of_columns(name="dt.month", returns=always("dt.month", _DAYS, _INT8))
def month(x: Column) -> Column:
    """Month of the year, 1 to 12."""
    return _part(x, _INT8, _months(x) % 12 + 1)


@map_of_columns(name="dt.quarter", returns=always("dt.quarter", _DAYS, _INT8))
def quarter(x: Column) -> Column:
    """Quarter of the year, 1 to 4."""
    return _part(x, _INT8, _months(x) % 12 // 3 + 1)


@map_of_columns(name="dt.year", returns=always("dt.year", _DAYS, _INT32))
def year(x: Column) -> Column:
    """The year."""
    return _part(x, _INT32, _months(x) // 12 + 1970)


@map_of_columns(name="dt.date", returns=always("dt.date", _DAYS, pl.Date()))
def date(x: Column) -> Column:
    """The day as a Date."""
    return _part(x, pl.Date(), _days(x))


@map_of_columns(name="dt.hour", returns=always("dt.hour", DATETIME, _INT8))
def hour(x: Column) -> Column:
    """Hour of the day, 0 to 23."""
    return _part(x, _INT8, on_the_clock(x) % DAY_US // _HOUR_US)


@map_of_columns(name="dt.minute", returns=always("dt.minute", DATETIME, _INT8))
def minute(x: Column) -> Column:
    """Minute of the hour, 0 to 59."""
    return _part(x, _INT8, on_the_clock(x) % _HOUR_US // _MINUTE_US)


@map_of_columns(name="dt.second", returns=always("dt.second", DATETIME, _INT8))
def second(x: Column) -> Column:
    """Second of the minute, 0 to 59."""
    return _part(x, _INT8, on_the_clock(x) % _MINUTE_US // _SECOND_US)


def on_the_clock(x: Column) -> Index:
    """Microseconds since 1970-01-01 00:00 as the clock of the column's time zone counts them."""
    zone = x.dtype.time_zone if isinstance(x.dtype, pl.Datetime) else None
    if zone in (None, "UTC"):
        return microseconds(x)
    local: Array = x.to_series().dt.replace_time_zone(None).to_physical().fill_null(0).to_numpy()
    return local


def _days(x: Column) -> Index:
    if x.dtype in DATE:
        return x.values.astype(np.int64)
    return on_the_clock(x) // DAY_US


def _months(x: Column) -> Index:
    return _days(x).view("M8[D]").astype("M8[M]").astype(np.int64)


def _first_day(x: Column, unit: str) -> Index:
    return _days(x).view("M8[D]").astype(f"M8[{unit}]").astype("M8[D]").astype(np.int64)


def _part(x: Column, dtype: pl.DataType, values: Index) -> Column:
    return Column(dtype, values, x.valid)
