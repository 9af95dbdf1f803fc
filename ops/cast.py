"""Conversion to another type."""

from __future__ import annotations

import polars as pl

from ..engine.column import Column, physical
from ..engine.dtype import settled
from ..engine.errors import Invalid, WrongType
from ..engine.map import map_of_columns
from .kinds import ANY, BOOLEAN, FLOAT, INTEGER, NULL, NUMBER, accept

_FROM_TEXT = (pl.Boolean, pl.Duration)  # Polars has no cast of text to these


def _target(dtype_of_column: pl.DataType, *, dtype: pl.DataType, strict: bool) -> pl.DataType:
    accept("cast", ANY, dtype_of_column)
    if dtype not in ANY or dtype in NULL or settled(dtype) != dtype:
        raise WrongType(f"cast: a feature cannot be {dtype}. Take a number, Boolean, String, Date, Datetime('us') or Duration('us').")
    try:
        pl.Series([], dtype=dtype_of_column).cast(dtype)
        if isinstance(dtype_of_column, pl.String) and isinstance(dtype, _FROM_TEXT):
            raise pl.exceptions.InvalidOperationError
    except pl.exceptions.PolarsError:
        raise WrongType(f"cast: {dtype_of_column} cannot be converted to {dtype}.") from None
    return dtype


@map_of_columns(name="cast", returns=_target)
def cast(x: Column, *, dtype: pl.DataType, strict: bool = True) -> Column:
    """The values as another type, as Polars converts them. Null stays null.

    A value that has no counterpart (300 as Int8, "abc" as a number) raises `Invalid` naming it; with `strict=False` it becomes null.
    """
    if x.dtype in NULL:
        return Column.nulls(len(x), dtype)
    if x.dtype == dtype:
        return x
    if _always_fits(x.dtype, dtype):
        return Column(dtype, x.values.astype(physical(dtype)), x.valid)
    series = x.to_series()
    made = series.cast(dtype, strict=False)
    if strict and made.null_count() > series.null_count():
        bad = series.filter(made.is_null() & series.is_not_null())
        raise Invalid(f"cast: {bad[0]!r} is not a {dtype} ({len(bad)} such of {len(x)}). With strict=False it becomes null.")
    return Column.from_series(made)


def _always_fits(source: pl.DataType, target: pl.DataType) -> bool:
    """True where numpy's conversion is the same and can lose no value."""
    if target in FLOAT:
        return source in NUMBER | BOOLEAN
    return source in BOOLEAN and target in INTEGER or isinstance(source, pl.Datetime) and isinstance(target, pl.Datetime)
