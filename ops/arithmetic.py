"""Arithmetic on numbers, times and durations: + - * / // % ** and the unary minus.

Numbers follow Polars: the result has the type that holds both, division gives a float, integers wrap around, and an integer divided
by zero with // or % is null. UInt64 with a signed integer gives Int64.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import polars as pl

from ..engine.folds.column import Array, Column, Mask
from ..engine.language.instant import DAY_US
from ..engine.language.map import map_of_columns, map_of_values
from .alike import all_valid, converted, microseconds, number
from .kinds import BOOLEAN, DATE, DATETIME, DURATION, FLOAT, INTEGER, NULL, NUMBER, SIGNED, STRING, refused, same

_NUMERIC = NUMBER | BOOLEAN | NULL
_INSTANT = DATE | DATETIME
_TIME = _INSTANT | DURATION
_MICROSECONDS = pl.Duration("us")


@cache
def added(a: pl.DataType, b: pl.DataType) -> pl.DataType:
    """The type of a + b."""
    if a in STRING | NULL and b in STRING | NULL and not (a in NULL and b in NULL):
        return pl.String()
    if a in BOOLEAN and b in BOOLEAN:
        return pl.UInt32()
    if a in DURATION and b in _TIME | NULL:
        return a if b in NULL else b
    if b in DURATION and a in _INSTANT | NULL:
        return b if a in NULL else a
    return _numbers("add", "two numbers, two Strings, or a time and a Duration", a, b)


@cache
def subtracted(a: pl.DataType, b: pl.DataType) -> pl.DataType:
    """The type of a - b."""
    if a in _INSTANT and b in _INSTANT:
        return _MICROSECONDS
    if a in _TIME and b in DURATION | NULL:
        return a
    if a in NULL and b in DURATION:
        return b
    return _numbers("sub", "two numbers, two times, or a time and a Duration", a, b)


@cache
def multiplied(a: pl.DataType, b: pl.DataType) -> pl.DataType:
    """The type of a * b."""
    if (a in DURATION and b in NUMBER | NULL) or (b in DURATION and a in NUMBER | NULL):
        return _MICROSECONDS
    return _numbers("mul", "two numbers, or a Duration and a number", a, b)


@cache
def divided(a: pl.DataType, b: pl.DataType) -> pl.DataType:
    """The type of a / b."""
    if a in DURATION and b in NUMBER | DURATION | NULL:
        return pl.Float64() if b in DURATION else _MICROSECONDS
    if a in BOOLEAN and b in BOOLEAN:
        return pl.Float64()
    both = _numbers("truediv", "two numbers, a Duration and a number, or two Durations", a, b)
    return both if both in FLOAT else pl.Float64()


@cache
def floored(a: pl.DataType, b: pl.DataType) -> pl.DataType:
    """The type of a // b."""
    return _numbers("floordiv", "two numbers", a, b)


@cache
def remaining(a: pl.DataType, b: pl.DataType) -> pl.DataType:
    """The type of a % b."""
    return _numbers("mod", "two numbers", a, b)


@cache
def raised(a: pl.DataType, b: pl.DataType) -> pl.DataType:
    """The type of a ** b: that of the base, or of the exponent where only it is a float."""
    if a not in NUMBER or b not in NUMBER | NULL:
        raise refused("pow", "two numbers", a, b)
    return b if a in INTEGER and b in FLOAT else a


def _numbers(name: str, accepted: str, a: pl.DataType, b: pl.DataType) -> pl.DataType:
    if a not in _NUMERIC or b not in _NUMERIC or (a in BOOLEAN | NULL and b in BOOLEAN | NULL):
        raise refused(name, accepted, a, b)
    return number(a, b) or pl.Int64()


@map_of_columns(name="add", returns=added)
def add(a: Column, b: Column) -> Column:
    """The sum. Strings are joined; a time and a Duration give the later time (a Date stays a Date)."""
    return _combined(a, b, added(a.dtype, b.dtype), np.add)


@map_of_columns(name="sub", returns=subtracted)
def sub(a: Column, b: Column) -> Column:
    """The difference; two times give a Duration."""
    return _combined(a, b, subtracted(a.dtype, b.dtype), np.subtract)


@map_of_columns(name="mul", returns=multiplied)
def mul(a: Column, b: Column) -> Column:
    """The product; a Duration times a float is cut to whole microseconds."""
    dtype = multiplied(a.dtype, b.dtype)
    if dtype in DURATION:
        return _scaled(a, b, dtype, np.multiply)
    return _combined(a, b, dtype, np.multiply)


@map_of_columns(name="truediv", returns=divided)
def truediv(a: Column, b: Column) -> Column:
    """The quotient as a float; division by zero gives infinity or NaN. A Duration by a number gives a Duration, null by zero."""
    dtype = divided(a.dtype, b.dtype)
    if dtype in DURATION:
        whole = b.dtype in INTEGER
        return _scaled(a, b, dtype, np.floor_divide if whole else np.true_divide).null_where(_zero(b))
    return _combined(a, b, dtype, np.true_divide)


@map_of_columns(name="floordiv", returns=floored)
def floordiv(a: Column, b: Column) -> Column:
    """The quotient rounded down; null where an integer is divided by zero."""
    dtype = floored(a.dtype, b.dtype)
    if dtype in FLOAT:
        return _combined(a, b, dtype, lambda x, y: np.floor(x / y))
    return _combined(a, b, dtype, np.floor_divide).null_where(_zero(b))


@map_of_columns(name="mod", returns=remaining)
def mod(a: Column, b: Column) -> Column:
    """What is left of a // b, with the sign of b; null where an integer is divided by zero."""
    dtype = remaining(a.dtype, b.dtype)
    if dtype in FLOAT:
        return _combined(a, b, dtype, lambda x, y: x - np.floor(x / y) * y)
    return _combined(a, b, dtype, np.remainder).null_where(_zero(b))


@map_of_columns(name="pow", returns=raised)
def power(a: Column, b: Column) -> Column:
    """The base to the power of the exponent; null where an integer is raised to a negative integer (cast the base to Float64 for a fraction)."""
    dtype = raised(a.dtype, b.dtype)
    if dtype in FLOAT:
        return _combined(a, b, dtype, np.power)
    exponent = converted(b, pl.Int64())
    negative = exponent.values < 0
    # modulo 2^64 like the multiplication it stands for, then cut to the base's type
    values = np.power(a.values.astype(np.int64), np.where(negative, 0, exponent.values))
    return Column(dtype, values, all_valid(a, exponent)).null_where(negative)


@map_of_values(name="neg", returns=same("neg", SIGNED | FLOAT | DURATION))
def neg(x: Array) -> Array:
    """The value with its sign reversed.

    >>> neg(np.array([1, -2]))
    array([-1,  2])
    """
    return -x


def _combined(a: Column, b: Column, dtype: pl.DataType, function: Callable[[Array, Array], Array]) -> Column:
    values = function(_operand(a, dtype), _operand(b, dtype))
    if dtype in DATE:
        values = values // DAY_US
    return Column(dtype, values, all_valid(a, b))


def _operand(column: Column, dtype: pl.DataType) -> Array:
    if column.dtype in _TIME:
        return microseconds(column)
    if column.dtype in NULL and dtype in _TIME:
        return np.zeros(len(column), dtype=np.int64)
    return converted(column, dtype).values


def _scaled(a: Column, b: Column, dtype: pl.DataType, function: Callable[[Array, Array], Array]) -> Column:
    """A Duration times or by a number; what is no whole number of microseconds is cut, what is not finite is null."""
    x, y = _factor(a), _factor(b)
    values = function(x.values, y.values)
    if values.dtype.kind != "f":
        return Column(dtype, values, all_valid(x, y))
    lost = ~(np.abs(values) < 2.0**63)
    return Column(dtype, np.where(lost, 0, values).astype(np.int64), all_valid(x, y)).null_where(lost)


def _factor(column: Column) -> Column:
    if column.dtype in DURATION:
        return column
    whole = converted(column, pl.Float64() if column.dtype in FLOAT else pl.Int64())
    return whole.null_where(whole.values < 0) if isinstance(column.dtype, pl.UInt64) else whole  # 2^63 and above


def _zero(column: Column) -> Mask:
    zero: Mask = column.values == 0
    return zero
