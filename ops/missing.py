"""Nulls (no value) and NaN (a float that is not a number): asking for them and replacing them."""

from __future__ import annotations

import numpy as np
import polars as pl

from ..engine.errors import WrongType
from ..engine.folds.column import Array, Column, selected
from ..engine.language.expr import Expr, apply
from ..engine.language.map import map_of_columns, map_of_values
from .alike import common, converted
from .kinds import CASTABLE, FLOAT, LIST, NULL, NUMBER, accept, always, refused


@map_of_columns(name="is_null", returns=always("is_null", CASTABLE | LIST, pl.Boolean()))
def is_null(x: Column) -> Column:
    """True where there is no value."""
    return Column(pl.Boolean(), ~x.is_valid())


@map_of_columns(name="is_not_null", returns=always("is_not_null", CASTABLE | LIST, pl.Boolean()))
def is_not_null(x: Column) -> Column:
    """True where there is a value; NaN is one."""
    return Column(pl.Boolean(), x.is_valid())


def _first(*dtypes: pl.DataType) -> pl.DataType:
    if not dtypes:
        raise WrongType("coalesce takes at least one column.")
    return common("coalesce", *dtypes)


@map_of_columns(name="coalesce", returns=_first)
def first_known(*columns: Column) -> Column:
    """The first value, from left to right, that is not null."""
    dtype = common("coalesce", *(column.dtype for column in columns))
    found = converted(columns[0], dtype)
    for column in columns[1:]:
        if found.valid is None:
            break
        found = _filled(found, converted(column, dtype))
    return found


def coalesce(*exprs: Expr | object) -> Expr:
    """The first value, from left to right, that is not null: `coalesce(tx.amount, tx.quoted, 0.0)`."""
    return apply("coalesce", *exprs)


def _kept_or_common(x: pl.DataType, value: pl.DataType) -> pl.DataType:
    return x if x in FLOAT and value in NUMBER else common("fill_null", x, value)


@map_of_columns(name="fill_null", returns=_kept_or_common)
def fill_null(x: Column, value: Column) -> Column:
    """The entries, with `value` where they are null. A float column keeps its type."""
    dtype = _kept_or_common(x.dtype, value.dtype)
    return _filled(converted(x, dtype), converted(value, dtype))


def _filled(column: Column, value: Column) -> Column:
    if column.valid is None:
        return column
    valid = None if value.valid is None else column.valid | value.valid
    return Column(column.dtype, selected(column.valid, column.values, value.values), valid)


@map_of_values(name="is_nan", returns=always("is_nan", NUMBER, pl.Boolean()))
def is_nan(x: Array) -> Array:
    """True where the value is NaN.

    >>> is_nan(np.array([1.0, np.nan]))
    array([False,  True])
    """
    return np.isnan(x)


@map_of_values(name="is_finite", returns=always("is_finite", NUMBER, pl.Boolean()))
def is_finite(x: Array) -> Array:
    """True where the value is neither infinite nor NaN.

    >>> is_finite(np.array([1.0, np.inf]))
    array([ True, False])
    """
    return np.isfinite(x)


def _same_float(x: pl.DataType, value: pl.DataType) -> pl.DataType:
    accept("fill_nan", NUMBER, x)
    if value not in NUMBER | NULL:
        raise refused("fill_nan", "a number or None as value", value)
    return x


@map_of_columns(name="fill_nan", returns=_same_float)
def fill_nan(x: Column, value: Column) -> Column:
    """The entries, with `value` (None for null) where they are NaN."""
    if x.dtype not in FLOAT:
        return x
    other = converted(value, x.dtype)
    nan = np.isnan(x.values)
    values = np.where(nan, other.values, x.values)
    if x.valid is None and other.valid is None:
        return Column(x.dtype, values)
    return Column(x.dtype, values, np.where(nan & x.is_valid(), other.is_valid(), x.is_valid()))
