"""Membership in a fixed set of values."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import polars as pl

from ..engine.errors import WrongType
from ..engine.folds.column import Array, Column
from ..engine.language.map import map_of_columns
from ..engine.language.plain import told
from .kinds import ANY, accept


def _member(dtype: pl.DataType, *, values: tuple[Any, ...]) -> pl.DataType:
    accept("is_in", ANY, dtype)
    if not isinstance(values, tuple):
        raise WrongType(f"is_in: values={told(values)}; give a list of plain values, as in is_in(values=[1, 2]).")
    _members.__wrapped__(dtype, values)
    return pl.Boolean()


@map_of_columns(name="is_in", returns=_member)
def is_in(x: Column, *, values: tuple[Any, ...]) -> Column:
    """True where the value is one of `values`. Null stays null; None among `values` is ignored; NaN is NaN."""
    members = _members(x.dtype, values)
    if x.values.dtype != np.object_:
        return Column(pl.Boolean(), np.isin(x.values, members) | _nan(x.values, members), x.valid)
    known = frozenset(members.tolist())
    return Column(pl.Boolean(), np.fromiter((value in known for value in x.values), np.bool_, len(x)), x.valid)


@lru_cache(maxsize=1024)  # a row online costs a microsecond, making the array of members twenty
def _members(dtype: pl.DataType, values: tuple[Any, ...]) -> Array:
    given = [value for value in values if value is not None]
    try:
        return Column.from_series(pl.Series(given, dtype=dtype, strict=True)).values
    except (TypeError, OverflowError, UnicodeEncodeError, pl.exceptions.PolarsError) as error:
        raise WrongType(
            f"is_in: a column of {dtype} cannot be compared with all of {told(given)}: {str(error).partition(chr(10))[0]}"
        ) from None


def _nan(values: Array, members: Array) -> Array:
    if values.dtype.kind != "f" or not np.isnan(members).any():
        return np.zeros(len(values), dtype=np.bool_)
    return np.isnan(values)
