"""Sums of floats as pairs (high, low): the rounded sum, and what rounding lost.

Merging is Knuth's two-sum (The Art of Computer Programming 2, 4.2.2, theorem B) with the losses added up, so a sum keeps what is
small beside what is large, in whatever order the parts are merged.
"""

from __future__ import annotations

import numpy as np

from .column import Array

Pair = tuple[Array, ...]  # of two


@np.errstate(all="ignore")
def two_sum(a: Pair, b: Pair) -> Pair:
    """The sum of two pairs."""
    high = a[0] + b[0]
    shifted = high - a[0]
    lost = (a[0] - (high - shifted)) + (b[0] - shifted)
    return high, lost + a[1] + b[1]


@np.errstate(all="ignore")
def total(pair: Pair) -> Array:
    """The number a pair stands for; beyond the range of floats, or after inf or NaN, that is its high part.

    >>> total(two_sum((np.array([1e16]), np.array([0.0])), (np.array([1.0]), np.array([0.5]))))
    array([1.e+16])
    """
    return np.where(np.isfinite(pair[0]), pair[0] + pair[1], pair[0])
