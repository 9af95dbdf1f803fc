"""Size and sign of a number, and keeping it within bounds."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from ..engine.errors import Invalid
from ..engine.folds.column import Array, physical
from ..engine.language.map import map_of_values
from .kinds import DURATION, FLOAT, NUMBER, accept, same


@map_of_values(name="abs", returns=same("abs", NUMBER | DURATION))
def absolute(x: Array) -> Array:
    """The value without its sign.

    >>> absolute(np.array([-2, 3]))
    array([2, 3])
    """
    return np.abs(x)


@map_of_values(name="sign", returns=same("sign", NUMBER))
def sign(x: Array) -> Array:
    """-1, 0 or 1 in the type of the column; NaN stays NaN.

    >>> sign(np.array([-2.5, 0.0]))
    array([-1.,  0.])
    """
    return np.sign(x)


def _clipped(dtype: pl.DataType, *, lower_bound: Any, upper_bound: Any) -> pl.DataType:
    accept("clip", NUMBER, dtype)
    bounds = [bound for bound in (lower_bound, upper_bound) if bound is not None]
    for bound in bounds:
        if not isinstance(bound, int | float) or (dtype not in FLOAT and not _fits(bound, dtype)):
            raise Invalid(f"clip: the bound {bound!r} is not a value of {dtype}.")
    if len(bounds) == 2 and bounds[0] > bounds[1]:
        raise Invalid(f"clip: lower_bound={bounds[0]!r} is above upper_bound={bounds[1]!r}.")
    return dtype


def _fits(bound: float, dtype: pl.DataType) -> bool:
    limits = np.iinfo(physical(dtype))
    return bound == bound and limits.min <= bound <= limits.max and bound == int(bound)


@map_of_values(name="clip", returns=_clipped)
def clip(x: Array, *, lower_bound: float | None = None, upper_bound: float | None = None) -> Array:
    """The value, or the nearest bound where it lies outside; a bound of None is open. NaN stays NaN.

    >>> clip(np.array([1, 5, 9]), lower_bound=2, upper_bound=6)
    array([2, 5, 6])
    """
    lower, upper = (None if bound is None else x.dtype.type(bound) for bound in (lower_bound, upper_bound))
    return x if lower is None and upper is None else np.clip(x, lower, upper)
