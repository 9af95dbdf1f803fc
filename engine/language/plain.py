"""Plain Python values: what numpy and pandas wrap is taken out of them, so that equal values are equal in hashes and definitions."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from ..errors import Invalid
from .instant import refuse_nanoseconds


def plain(value: Any) -> Any:
    """The Python value of a single value of numpy or pandas; not-a-time is None, and whatever is no such value stays as it is.

    >>> plain(np.int64(3)), plain(np.datetime64("2026-01-02"))
    (3, datetime.date(2026, 1, 2))
    """
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if isinstance(value, np.datetime64 | np.timedelta64):
        return None if np.isnat(value) else _time(value)
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, datetime | timedelta):
        return None if value != value else _of_pandas(value)
    return value


def plains(values: Any) -> tuple[Any, ...] | None:
    """The plain values of a list, tuple, range, set (sorted), array or series; None for whatever is not several values."""
    if isinstance(values, set | frozenset):
        return tuple(sorted(map(plain, values), key=lambda one: (type(one).__name__, repr(one))))
    if isinstance(values, pl.Series):
        refuse_nanoseconds(values, "values")
    several = isinstance(values, list | tuple | range) or (isinstance(values, np.ndarray) and values.ndim == 1)
    if several or (hasattr(values, "to_list") and not isinstance(values, type)):
        return tuple(map(plain, values))
    return None


def told(value: object) -> str:
    """A value in one line of a message: as Python writes it, or its type and length where that would fill the screen.

    >>> told([1, 2]), told(pl.Series([1, 2]))
    ('[1, 2]', 'a Series of length 2')
    """
    text, sized = repr(value), hasattr(type(value), "__len__")
    if "\n" not in text and (len(text) <= 200 or not sized):
        return text
    return f"a {type(value).__name__}" + (f" of length {len(value)}" if sized else "")  # type: ignore[arg-type]


def _time(value: np.datetime64 | np.timedelta64) -> date | timedelta:
    exact = value.astype(f"{value.dtype.kind}8[us]") if np.datetime_data(value.dtype)[0] in ("ns", "ps") else value
    found = exact.item()
    if exact != value or not isinstance(found, date | timedelta):
        raise Invalid(f"{value!r} is not exact in microseconds, or not in the years 1 to 9999. Round it first.")
    return found


def _of_pandas(value: datetime | timedelta) -> datetime | timedelta:
    """A Timestamp or Timedelta of pandas as Python's, and Python's themselves."""
    if getattr(value, "nanosecond", 0) or getattr(value, "nanoseconds", 0):
        raise Invalid(f"{value!r} is not exact in microseconds. Round it first.")
    make = getattr(value, "to_pydatetime", None) or getattr(value, "to_pytimedelta", None)
    made: datetime | timedelta = make() if make else value
    return made
