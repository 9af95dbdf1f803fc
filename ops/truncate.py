"""Times rounded down to a grid."""

from __future__ import annotations

import re
from functools import cache

import polars as pl

from ..engine.errors import Invalid, WrongType
from ..engine.folds.column import Column
from ..engine.language import duration
from ..engine.language.map import map_of_columns
from .kinds import DATE, DATETIME, accept

_CALENDAR = re.compile(r"w|mo|q|y")  # units whose grid does not start at 1970-01-01 or has no fixed step


def _truncated(dtype: pl.DataType, *, every: str) -> pl.DataType:
    accept("dt.truncate", DATE | DATETIME, dtype)
    if not isinstance(every, str):
        raise WrongType(f"dt.truncate: every={every!r}; write it as Polars does: '15m', '1h', '1d', '1w', '1mo'.")
    try:
        pl.Series([0]).cast(dtype).dt.truncate(every)
    except pl.exceptions.PolarsError as error:
        raise Invalid(f"dt.truncate: every={every!r}. {str(error).partition(chr(10))[0]}") from None
    return dtype


@map_of_columns(name="dt.truncate", returns=_truncated)
def truncate(x: Column, *, every: str) -> Column:
    """The last multiple of `every` at or before the time, on the clock of the column's time zone; weeks start on Monday."""
    step = _step_us(every)
    if step is not None and isinstance(x.dtype, pl.Datetime) and x.dtype.time_zone in (None, "UTC"):
        return Column(x.dtype, x.values - x.values % step, x.valid)
    return Column.from_series(x.to_series().dt.truncate(every))


@cache
def _step_us(every: str) -> int | None:
    return None if _CALENDAR.search(every) else duration.microseconds(every)
