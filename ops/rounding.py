"""Rounding. Integers stay as they are."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from ..engine.errors import Invalid
from ..engine.folds.column import Array
from ..engine.language.map import map_of_values
from .kinds import NUMBER, same


def _rounded(dtype: pl.DataType, *, decimals: Any) -> pl.DataType:
    if not isinstance(decimals, int) or decimals < 0:
        raise Invalid(f"round: decimals={decimals!r}; it is a whole number, 0 or more.")
    return same("round", NUMBER)(dtype)


@map_of_values(name="round", returns=_rounded)
def rounded(x: Array, *, decimals: int = 0) -> Array:
    """The nearest value with `decimals` decimals; a half goes to the even neighbour.

    >>> rounded(np.array([0.125, 2.5, 1e300]), decimals=2)
    array([1.2e-001, 2.5e+000, 1.0e+300])
    """
    near = np.round(x, decimals)
    # numpy multiplies by 10^decimals, which overflows for values that have no decimals to lose
    return np.where(np.isfinite(near), near, x) if x.dtype.kind == "f" else near


@map_of_values(name="floor", returns=same("floor", NUMBER))
def floor(x: Array) -> Array:
    """The greatest whole number not above the value.

    >>> floor(np.array([-1.5, 1.5]))
    array([-2.,  1.])
    """
    return np.floor(x)


@map_of_values(name="ceil", returns=same("ceil", NUMBER))
def ceil(x: Array) -> Array:
    """The least whole number not below the value.

    >>> ceil(np.array([-1.5, 1.5]))
    array([-1.,  2.])
    """
    return np.ceil(x)
