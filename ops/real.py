"""Real functions of numbers. Outside their domain they are NaN or infinite, as in Polars; nothing is raised."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl

from ..engine.errors import Invalid
from ..engine.folds.column import Array
from ..engine.language.map import map_of_values
from .kinds import real


def _logarithm(dtype: pl.DataType, *, base: Any) -> pl.DataType:
    if not (isinstance(base, int | float) and base > 0 and base != 1):
        raise Invalid(f"log: base={base!r}; it is a number above 0 other than 1.")
    return real("log")(dtype)


@map_of_values(name="log", returns=_logarithm)
def log(x: Array, *, base: float = math.e) -> Array:
    """The logarithm to `base`, by default the natural one.

    >>> log(np.array([1, 8]), base=2)
    array([0., 3.])
    """
    natural = np.log(_float(x))
    return natural if base == math.e else natural / math.log(base)


@map_of_values(name="log1p", returns=real("log1p"))
def log1p(x: Array) -> Array:
    """log(1 + x), exact even where x is tiny."""
    return np.log1p(_float(x))


@map_of_values(name="exp", returns=real("exp"))
def exp(x: Array) -> Array:
    """The exponential, Euler's number to the power of x."""
    return np.exp(_float(x))


@map_of_values(name="sqrt", returns=real("sqrt"))
def sqrt(x: Array) -> Array:
    """The square root.

    >>> sqrt(np.array([4, 9]))
    array([2., 3.])
    """
    return np.sqrt(_float(x))


def _float(x: Array) -> Array:
    """Integers as float64; numpy would take int8 to float16."""
    return x if x.dtype.kind == "f" else x.astype(np.float64)
