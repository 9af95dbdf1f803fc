"""Awkward values of every type, which the laws of operators are checked on."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import polars as pl

from nowthen.engine.folds.column import Array, Column, physical

BERLIN = pl.Datetime("us", "Europe/Berlin")
INTEGERS: list[pl.DataType] = [
    t() for t in (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64)
]
FLOATS: list[pl.DataType] = [pl.Float32(), pl.Float64()]
TIMES: list[pl.DataType] = [pl.Date(), pl.Datetime("us"), pl.Datetime("us", "UTC"), BERLIN, pl.Duration("us")]
TYPES: list[pl.DataType] = [*INTEGERS, *FLOATS, pl.Boolean(), pl.String(), *TIMES]
ONE_OF_EACH: list[pl.DataType] = [
    pl.Int8(),
    pl.Int64(),
    pl.UInt64(),
    *FLOATS,
    pl.Boolean(),
    pl.String(),
    *TIMES,
    pl.Null(),
]

_AUTUMN = 1_603_587_600_000_000  # 2020-10-25 01:00 UTC, when the clocks in Berlin went back
_LEAP = 1_582_934_400_000_000  # 2020-02-29
_AWKWARD: dict[type[pl.DataType], list[Any]] = {
    pl.Boolean: [True, False],
    pl.String: ["", "a", "b", "é", "\U0001f600"],
    pl.Date: [0, -1, 18_321, 18_627, -30_000],
    pl.Datetime: [0, -1, _LEAP - 1, _LEAP, _AUTUMN, _AUTUMN - 1, _AUTUMN + 3_600_000_000, -315_273_600_000_001],
    pl.Duration: [0, 5, -5, 1_500_000, -1_500_000, 86_400_000_000, -3_600_000_001],
    pl.Float32: [0.0, -0.0, 1.5, -2.5, 0.1, 2.0, np.nan, np.inf, -np.inf, 1e10],
    pl.Float64: [0.0, -0.0, 1.5, -2.5, 0.1, 2.0, np.nan, np.inf, -np.inf, 1e16],
}
# Parameters of folds that the laws are to be held with; of others, every choice of their Boolean ones.
PARAMETERS: dict[str, list[dict[str, Any]]] = {
    "var": [{}, {"ddof": 0}, {"ddof": 3}],
    "std": [{}, {"ddof": 0}],
    "quantile": [
        {"q": 0.3},
        {"q": 1, "interpolation": "midpoint"},
        {"q": 0.6, "interpolation": "midpoint"},
        {"q": 0.5, "interpolation": "nearest"},
        {"q": 0.25, "interpolation": "lower"},
        {"q": 0.9, "interpolation": "higher"},
    ],
    "first_k": [{"k": 1}, {"k": 3}, {"k": 3, "ignore_nulls": False}],
    "last_k": [{"k": 1}, {"k": 3}, {"k": 3, "ignore_nulls": False}],
    "top_k": [{"k": 1}, {"k": 3}],
    "bottom_k": [{"k": 1}, {"k": 3}],
}


def awkward(dtype: pl.DataType) -> Array:
    """Physical values at the edges of a type."""
    values = _AWKWARD.get(type(dtype))
    if values is None:
        limits = np.iinfo(physical(dtype))
        values = [0, 1, 2, 7, 100, limits.max, limits.min] + ([-1, -2, -7] if limits.min else [])
    return np.array(values, dtype=physical(dtype))


def column(dtype: pl.DataType) -> Column:
    """The awkward values, and a null with something under it."""
    if isinstance(dtype, pl.Null):
        return Column.nulls(2, dtype)
    values = awkward(dtype)
    return Column(dtype, np.append(values, values[-1:]), np.append(np.ones(len(values), dtype=np.bool_), False))


def product(*dtypes: pl.DataType, most: int = 150) -> list[Column]:
    """Columns of equal length with every combination of awkward values, thinned out evenly to `most` rows."""
    columns = [column(dtype) for dtype in dtypes]
    rows = np.array(list(itertools.product(*(range(len(c)) for c in columns))), dtype=np.int64)
    rows = rows[np.unique(np.linspace(0, len(rows) - 1, most).astype(np.int64))]
    return [c.take(rows[:, i]) for i, c in enumerate(columns)]


def bits(values: Array) -> list[Any]:
    """Values that are equal exactly if the arrays are bit for bit, every NaN taken as the same."""
    return exactly(values.tolist())


def exactly(values: list[Any]) -> list[Any]:
    """The same of Python values, lists among them."""
    return [_exactly(value) for value in values]


def _exactly(value: Any) -> Any:
    if isinstance(value, list):
        return exactly(value)
    if not isinstance(value, float):
        return value
    return ("nan",) if value != value else (value, bool(np.signbit(value)))


def seen(made: Column) -> list[Any]:
    """The entries of a column bit for bit, null as None."""
    return [value if valid else None for value, valid in zip(bits(made.values), made.is_valid().tolist(), strict=True)]
