"""One type for several columns: which it is, and the columns converted to it."""

from __future__ import annotations

from functools import cache

import numpy as np
import polars as pl

from ..engine.folds.column import Array, Column, Mask, physical
from ..engine.language.instant import DAY_US
from .kinds import BOOLEAN, DATE, DATETIME, INTEGER, NULL, NUMBER, refused

_BY_PHYSICAL = {physical(number()): number() for number in NUMBER.types}


@cache
def number(a: pl.DataType, b: pl.DataType) -> pl.DataType | None:
    """The number type that holds both, as in Polars; None for UInt64 with a signed integer, which has none.

    A Boolean counts as the smallest integer, a null as nothing.

    >>> number(pl.Int8(), pl.UInt8())
    Int16
    """
    if a in NULL or b in NULL:
        return a if b in NULL else b
    if a in BOOLEAN or b in BOOLEAN:
        return a if b in BOOLEAN else b
    both = _BY_PHYSICAL[np.result_type(physical(a), physical(b))]
    return None if a in INTEGER and b in INTEGER and both not in INTEGER else both


@cache
def common(name: str, *dtypes: pl.DataType) -> pl.DataType:
    """The one type for values chosen from columns of these types, or `WrongType`. Naive times are UTC."""
    chosen = dtypes[0]
    for dtype in dtypes[1:]:
        both = _pair(chosen, dtype)
        if both is None:
            raise refused(name, "columns of one type", chosen, dtype)
        chosen = both
    return chosen


def _pair(a: pl.DataType, b: pl.DataType) -> pl.DataType | None:
    if a == b or b in NULL:
        return a
    if a in NULL:
        return b
    if a in NUMBER | BOOLEAN and b in NUMBER | BOOLEAN:
        return number(a, b)
    if a in DATE and b in DATETIME:
        return b
    if a in DATETIME and b in DATE:
        return a
    if isinstance(a, pl.Datetime) and isinstance(b, pl.Datetime) and None in (a.time_zone, b.time_zone):
        return a if b.time_zone is None else b
    return None


def converted(column: Column, dtype: pl.DataType) -> Column:
    """The column as values of a type that `common` or `number` gave for it."""
    if column.dtype in NULL:
        return Column.nulls(len(column), dtype)
    if column.dtype in DATE and dtype in DATETIME:
        return Column(dtype, microseconds(column), column.valid)
    return Column(dtype, column.values.astype(physical(dtype), copy=False), column.valid)


def microseconds(column: Column) -> Array:
    """The values of a time or duration in microseconds; a Date is its midnight."""
    whole: Array = column.values.astype(np.int64, copy=False)
    return whole * DAY_US if column.dtype in DATE else whole


def all_valid(*columns: Column) -> Mask | None:
    """True where no column is null; None where none has a null."""
    masks = [column.valid for column in columns if column.valid is not None]
    return np.logical_and.reduce(masks) if masks else None
