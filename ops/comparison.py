"""Comparisons. As in Polars floats are in total order: NaN equals NaN and is greater than everything else."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import polars as pl

from ..engine.errors import Invalid
from ..engine.folds.column import Array, Column
from ..engine.language.map import Returns, map_of_columns
from .alike import all_valid, common, converted
from .kinds import INTEGER, LIST, refused
from .logic import and_


@cache
def _same_type(name: str, a: pl.DataType, b: pl.DataType) -> pl.DataType | None:
    """The type to compare in; None where the values can be compared as they are."""
    if a in LIST or b in LIST:
        raise refused(name, "plain values", a, b)
    if a == b or (a in INTEGER and b in INTEGER):
        return None
    zones = {dtype.time_zone for dtype in (a, b) if isinstance(dtype, pl.Datetime)}
    return None if len(zones) > 1 else common(name, a, b)


def _answer(name: str) -> Returns:
    def rule(a: pl.DataType, b: pl.DataType) -> pl.DataType:
        _same_type(name, a, b)
        return pl.Boolean()

    return rule


@map_of_columns(name="eq", returns=_answer("eq"))
def eq(a: Column, b: Column) -> Column:
    """True where the two are equal."""
    return _compared("eq", _equal, a, b)


@map_of_columns(name="ne", returns=_answer("ne"))
def ne(a: Column, b: Column) -> Column:
    """True where the two differ."""
    return _compared("ne", lambda x, y: ~_equal(x, y), a, b)


@map_of_columns(name="lt", returns=_answer("lt"))
def lt(a: Column, b: Column) -> Column:
    """True where the first is less than the second."""
    return _compared("lt", _less, a, b)


@map_of_columns(name="le", returns=_answer("le"))
def le(a: Column, b: Column) -> Column:
    """True where the first is less than the second or equal to it."""
    return _compared("le", lambda x, y: ~_less(y, x), a, b)


@map_of_columns(name="gt", returns=_answer("gt"))
def gt(a: Column, b: Column) -> Column:
    """True where the first is greater than the second."""
    return _compared("gt", lambda x, y: _less(y, x), a, b)


@map_of_columns(name="ge", returns=_answer("ge"))
def ge(a: Column, b: Column) -> Column:
    """True where the first is greater than the second or equal to it."""
    return _compared("ge", lambda x, y: ~_less(x, y), a, b)


def _between(x: pl.DataType, lower: pl.DataType, upper: pl.DataType, *, closed: str) -> pl.DataType:
    if closed not in ("both", "left", "right", "none"):
        raise Invalid(f"is_between: closed={closed!r}; it is 'both', 'left', 'right' or 'none'.")
    _same_type("is_between", x, lower)
    _same_type("is_between", x, upper)
    return pl.Boolean()


@map_of_columns(name="is_between", returns=_between)
def is_between(x: Column, lower: Column, upper: Column, *, closed: str = "both") -> Column:
    """True where the value lies between the bounds; `closed` says which bounds belong to it. A null bound is unknown."""
    above = (ge if closed in ("both", "left") else gt)(x, lower)
    below = (le if closed in ("both", "right") else lt)(x, upper)
    return and_(above, below)


def _compared(name: str, function: Callable[[Array, Array], Array], a: Column, b: Column) -> Column:
    dtype = _same_type(name, a.dtype, b.dtype)
    if dtype is not None:
        a, b = converted(a, dtype), converted(b, dtype)
    return Column(pl.Boolean(), function(a.values, b.values), all_valid(a, b))


def _equal(x: Array, y: Array) -> Array:
    equal: Array = x == y
    return equal | (x != x) & (y != y) if x.dtype.kind == "f" else equal


def _less(x: Array, y: Array) -> Array:
    less: Array = x < y
    return less | (x == x) & (y != y) if x.dtype.kind == "f" else less
