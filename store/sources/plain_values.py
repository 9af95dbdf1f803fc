"""Single values of numpy and pandas as Python's, where Polars would take them for something else.

Polars 2.1 reads a list of np.datetime64 in nanoseconds as microseconds, np.bool_ in a row as a float, and drops the nanoseconds of a
pandas Timestamp.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from ...engine.errors import Invalid

_OF_NUMPY = (np.datetime64, np.timedelta64, np.bool_)


def plain_values(name: str, values: Sequence[Any]) -> Sequence[Any]:
    """The values of a column, as Python's where needed; times with nanoseconds are refused with their row number.

    >>> plain_values("at", [np.datetime64(1_000, "ns"), None])
    [datetime.datetime(1970, 1, 1, 0, 0, 0, 1), None]
    """
    if not any(map(_misread, set(map(type, values)))):
        return values
    return [_plain(name, row, value) for row, value in enumerate(values)]


def plain_rows(rows: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """The same of rows."""
    if not any(map(_misread, _kinds(rows))):
        return rows
    return [{name: _plain(name, place, value) for name, value in row.items()} for place, row in enumerate(rows)]


def _kinds(rows: Iterable[Mapping[str, Any]]) -> set[type]:
    return {type(value) for row in rows for value in row.values()}


def _misread(kind: type) -> bool:
    """Whether Polars may misread values of a type: numpy's, and pandas' own of Python's times."""
    finer = hasattr(kind, "nanosecond") or hasattr(kind, "nanoseconds")
    return issubclass(kind, _OF_NUMPY) or (issubclass(kind, datetime | timedelta) and finer)


def _plain(name: str, row: int, value: Any) -> Any:
    if isinstance(value, np.datetime64 | np.timedelta64):
        return _in_microseconds(name, row, value)
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, datetime | timedelta) and value != value:  # pandas' not-a-time
        return None
    if getattr(value, "nanosecond", 0) or getattr(value, "nanoseconds", 0):
        raise _too_fine(name, row, value)
    return value


def _in_microseconds(name: str, row: int, value: Any) -> Any:
    """A datetime, date or timedelta; None for not-a-time."""
    if np.isnat(value):
        return None
    if value.dtype == np.dtype("datetime64[D]"):
        return value.item()
    made = value.astype(f"{value.dtype.kind}8[us]")
    if made.astype(value.dtype) != value:
        raise _too_fine(name, row, value)
    return made.item()


def _too_fine(name: str, row: int, value: Any) -> Invalid:
    return Invalid(f"column {name!r} row {row}: {value} is not exact in microseconds, as times are. Round it first.")
