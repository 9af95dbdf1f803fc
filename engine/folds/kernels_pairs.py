"""Arithmetic on numbers and what rounding lost of them, for compiled loops."""

from __future__ import annotations

from .jit import jit

_SPLIT = 134217729.0  # 2^27 + 1 (Veltkamp's splitting, Dekker 1971)


@jit
def two_sum(a: float, b: float) -> tuple[float, float]:
    """The rounded sum, and exactly what rounding lost (Knuth 1969)."""
    s = a + b
    t = s - a
    return s, (a - (s - t)) + (b - t)


@jit
def difference(high: float, low: float, less_high: float, less_low: float) -> tuple[float, float]:
    """The difference of two pairs as a pair whose low part is small beside the high one."""
    s, error = two_sum(high, -less_high)
    return two_sum(s, error + (low - less_low))


@jit
def product(a: float, b: float) -> tuple[float, float]:
    """The rounded product, and exactly what rounding lost (Dekker 1971)."""
    p = a * b
    c = _SPLIT * a
    a_high = c - (c - a)
    a_low = a - a_high
    c = _SPLIT * b
    b_high = c - (c - b)
    b_low = b - b_high
    return p, ((a_high * b_high - p) + a_high * b_low + a_low * b_high) + a_low * b_low


@jit
def squared(a: float) -> tuple[float, float]:
    """The rounded square, and exactly what rounding lost."""
    return product(a, a)
