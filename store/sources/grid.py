"""Grids: spines that ask about every key at regular intervals."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import polars as pl

from ...engine.errors import Invalid, WrongType
from ...engine.language import dtype as types
from ...engine.language.duration import Duration, positive
from ...engine.language.instant import instant
from .frame import as_frame

AT = "at"  # the column with the times
MOST_ROWS = 2**32 - 2  # that a frame of Polars holds

Moment = str | datetime


def grid(keys: Any, start: Moment, end: Moment, every: Duration = "15m") -> pl.DataFrame:
    """A spine with every key at start, start + every, ... before end: the columns of the keys, and "at" in microseconds UTC.

    `keys` is a frame or a mapping of columns; a key given twice counts once, and other columns of it, such as request fields, come
    along. Without any column there is one row for each time, for views of no entity. Rows are ordered by time, and within a time as
    the keys were given. Naive times are UTC.

    >>> grid({"shop_id": [1, 2]}, "2026-01-01", "2026-01-01T00:30")["at"].dt.strftime("%H:%M").to_list()
    ['00:00', '00:00', '00:15', '00:15']
    """
    rows, times = grid_keys(keys), grid_times(start, end, every)
    count = grid_height(rows, times)
    if count > MOST_ROWS:
        raise Invalid(
            f"a grid of {rows.height:,} keys at {len(times):,} times has {count:,} rows, more than a frame holds. "
            "Take shorter stretches of time one after the other, or a longer every=."
        )
    asked = _series(times if count else range(0)).to_frame()
    return asked.join(rows, how="cross", maintain_order="left_right").select(*rows.columns, AT) if rows.width else asked


def grid_keys(keys: Any) -> pl.DataFrame:
    """The keys of a grid, each once, in the order they were given."""
    rows = pl.DataFrame() if isinstance(keys, Mapping) and not keys else as_frame(keys)
    if AT in rows.columns:
        raise Invalid(f"a grid's column {AT!r} is its time; rename the key column.")
    return rows.unique(maintain_order=True) if rows.width else rows


def grid_times(start: Moment, end: Moment, every: Duration) -> range:
    """start, start + every, ... as long as they come before end, in microseconds UTC."""
    first, last, step = moment_us(start, "start"), moment_us(end, "end"), positive(every, "every")
    if last <= first:
        raise Invalid(f"a grid from {start} to {end} has no times: its end must come after its start.")
    return range(first, last, step)


def grid_height(keys: pl.DataFrame, times: range) -> int:
    """How many rows the grid has; without key columns one for each time."""
    return len(times) * (keys.height if keys.width else 1)


def _series(times: range) -> pl.Series:
    return pl.Series(AT, np.arange(times.start, times.stop, times.step, dtype=np.int64)).cast(types.UTC)


def moment_us(given: Moment, what: str) -> int:
    """Microseconds UTC of a datetime or of its ISO writing; a day alone is its beginning."""
    if isinstance(given, str):
        try:
            given = datetime.fromisoformat(given)
        except ValueError:
            raise Invalid(f"{what} is {given!r}; write a time as '2026-01-31' or '2026-01-31T12:00'.") from None
    if isinstance(given, date) and not isinstance(given, datetime):
        given = datetime(given.year, given.month, given.day, tzinfo=UTC)
    if not isinstance(given, datetime):
        raise WrongType(f"{what} is {given!r}; give a datetime, or text such as '2026-01-31T12:00'.")
    return instant(given, what)
