"""Conversion to another type."""

from __future__ import annotations

import polars as pl

from ..engine.errors import Invalid, WrongType
from ..engine.folds.column import Column, physical
from ..engine.language.dtype import settled
from ..engine.language.map import map_of_columns
from .kinds import ANY, BOOLEAN, CASTABLE, DATETIME, FLOAT, INTEGER, NULL, NUMBER, accept


def _target(source: pl.DataType, *, dtype: pl.DataType, **_: bool) -> pl.DataType:
    accept("cast", CASTABLE, source)
    if dtype not in ANY or dtype in NULL or settled(dtype) != dtype:
        raise WrongType(
            f"cast: a feature cannot be {dtype}. Use a number, Boolean, String, Date, Datetime('us') or Duration('us')."
        )
    try:
        pl.Series([0]).cast(source).cast(dtype, strict=False)  # of no rows Polars converts anything to anything
    except pl.exceptions.PolarsError:
        raise WrongType(f"cast: {source} cannot be converted to {dtype}.") from None
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
        raise Invalid(
            f"cast: {bad[0]!r} is not a {dtype} ({len(bad)} of {len(x)} values). With strict=False it becomes null."
        )
    return Column.from_series(made)


def _always_fits(source: pl.DataType, target: pl.DataType) -> bool:
    """True where numpy's conversion is the same and can lose no value."""
    if target in FLOAT:
        return source in NUMBER | BOOLEAN
    return (source in BOOLEAN and target in INTEGER) or (source in DATETIME and target in DATETIME)
