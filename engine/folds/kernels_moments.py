"""Compiled loops for squared deviations from the mean of ranges."""

from __future__ import annotations

import numpy as np

from .column import Array, Index
from .jit import jit, prefetch
from .kernels_pairs import difference, product, squared, two_sum

_SHORT = 512  # rows; reading so many one after another costs less than merging states (1.5 us, 2026-11)
_SIDE = 64  # numbers worked on side by side between a loop that fetches them and one that uses them
_AHEAD = 16  # ranges before one is fetched, it is on its way; nearly so, as a later group stands a few places on
MOMENTS_HELD = 10 * _SIDE


@jit
def prefix_moments(values: Array, offsets: Index, held: Array, prefix: Array, unit: Array) -> bool:
    """Fill the sums of d and of d^2 before each row of a group and before its end, d = value - anchor, as pairs (high, low); True where
    all numbers are finite.

    `prefix` is (rows + groups, 4): row r of group g stands at r + g. The anchor is near the mean, and whole where all values are; d is
    exact as a pair, its square a product of two (Dekker 1971), and both are summed as in `prefix_sums`. Numbers that are not finite
    are left out. The pairs are within `unit` times the sum of d^2 of what they stand for: 0 where nothing was rounded anywhere, NaN
    where numbers left the range of floats. `deviations` says how that bounds its error. `held` (MOMENTS_HELD,) is scratch.
    """
    all_finite = True
    for g in range(len(offsets) - 1):
        first, last = offsets[g], offsets[g + 1]
        anchor = _anchor(values, first, last)
        sum_1 = lost_1 = rest_1 = sum_2 = lost_2 = rest_2 = 0.0
        rounded = 0
        for begin in range(first, last, _SIDE):
            end = min(begin + _SIDE, last)
            finite = _squares(values[begin:end], anchor, held)
            all_finite &= finite
            for j in range(end - begin):
                _put(prefix, begin + j + g, sum_1, lost_1 + rest_1, sum_2, lost_2 + rest_2)
                if not (finite or np.isfinite(values[begin + j])):
                    continue
                d, tail, square, more = held[j], held[_SIDE + j], held[2 * _SIDE + j], held[3 * _SIDE + j]
                rounded |= (tail != 0.0) | ((d != 0.0) & (square < 1e-290))
                sum_1, lost_1, rest_1 = _added(sum_1, lost_1, rest_1, d, tail)
                sum_2, lost_2, rest_2 = _added(sum_2, lost_2, rest_2, square, more)
                rounded |= (rest_1 != 0.0) | (rest_2 != 0.0)
        _put(prefix, last + g, sum_1, lost_1 + rest_1, sum_2, lost_2 + rest_2)
        n = last - first
        unit[g] = (n + 8) * (1.0 + 2.0 * np.sqrt(n)) * 2.0**-103 if rounded else 0.0
        if not np.isfinite(sum_1 + lost_1 + sum_2 + lost_2):
            unit[g] = np.nan
    return all_finite


@jit
def _squares(values: Array, anchor: float, held: Array) -> bool:
    """Put d, its tail, its square and what that lost into `held`, _SIDE places apart; True where all values are finite.

    No number waits for another here, so the processor takes several at once.
    """
    strange = 0
    for j in range(len(values)):
        d, tail = two_sum(values[j], -anchor)
        square, more = squared(d)
        held[j] = d
        held[_SIDE + j] = tail
        held[2 * _SIDE + j] = square
        held[3 * _SIDE + j] = more + (2.0 * d * tail + tail * tail)
        strange += not np.isfinite(values[j])
    return strange == 0


@jit
def _put(prefix: Array, at: int, high_1: float, low_1: float, high_2: float, low_2: float) -> None:
    prefix[at, 0] = high_1
    prefix[at, 1] = low_1
    prefix[at, 2] = high_2
    prefix[at, 3] = low_2


@jit
def _anchor(values: Array, first: int, last: int) -> float:
    """The mean of the finite values of a group, nearly; a whole number where they are, and exactly the value where all are equal."""
    base = total = 0.0
    n = 0
    whole = True
    for i in range(first, last):
        value = values[i]
        if np.isfinite(value):
            if n == 0:
                base = value
            total += value - base
            whole &= value == np.floor(value)
            n += 1
    mean = base + total / max(n, 1)
    if not np.isfinite(mean):
        return base
    return np.rint(mean) if whole else mean


@jit
def deviations(
    values: Array, held: Array, prefix: Array, unit: Array, offsets: Index, start: Index, stop: Index, out: Array
) -> bool:
    """Fill the sums of squared deviations of ranges from their means; NaN where that cannot be said from the prefix sums of its group.
    True where all can.

    With s1 and s2 the sums of d and d^2 of the range, n times the value is n * s2 - s1^2. The pairs of a group of N rows are wrong by
    at most (N + 8) 2^-104 times the sums of |d| and d^2 up to the range's end; as |s1| <= sqrt(n s2) and sum |d| <= sqrt(N sum d^2), that
    makes both terms together wrong by less than `unit` times n times the sum of d^2 up to there, and the arithmetic here adds 2^-100 n s2.
    A value is given where that is at most 1e-13 of it, or where nothing at all was rounded and it is 0. Short ranges that fail are
    read row by row. `held` (MOMENTS_HELD,) is scratch.
    """
    if not len(unit):  # no group, so all ranges are empty
        out[:] = 0.0
        return True
    every = True
    g = 0
    for first in range(0, len(start), _SIDE):
        last = min(first + _SIDE, len(start))
        g = _fetched(prefix, unit, offsets, start[first:], stop[first:], last - first, held, g)
        _by_prefix(held, out[first:last])
        for i in range(first, last):
            n = stop[i] - start[i]
            if n < 2:
                out[i] = 0.0
            elif np.isnan(out[i]):
                out[i] = _row_by_row(values, start[i], stop[i]) if n <= _SHORT else np.nan
                every &= not np.isnan(out[i])
    return every


@jit
def _fetched(
    prefix: Array, unit: Array, offsets: Index, start: Index, stop: Index, ranges: int, held: Array, g: int
) -> int:
    """Put what `deviations` needs of the first ranges into `held`, _SIDE places apart: the sums before its begin and its end, `unit`, and n.

    Groups are searched from group `g` on; that of the last range is returned.
    """
    for j in range(ranges):
        if j + _AHEAD < len(start):
            prefetch(prefix, start[j + _AHEAD] + g)
            prefetch(prefix, stop[j + _AHEAD] + g)
        n = stop[j] - start[j]
        if n > 0:
            g = _owner(offsets, g, start[j])
        a, b = min(start[j] + g, len(prefix) - 1), min(stop[j] + g, len(prefix) - 1)
        for k in range(4):
            held[k * _SIDE + j] = prefix[a, k]
            held[(4 + k) * _SIDE + j] = prefix[b, k]
        held[8 * _SIDE + j] = unit[g]
        held[9 * _SIDE + j] = n
    return g


@jit
def _by_prefix(held: Array, out: Array) -> None:
    """Fill the sums that can be said, NaN for the others; the processor takes several at once."""
    for j in range(len(out)):
        n, wrong = held[9 * _SIDE + j], held[8 * _SIDE + j]
        s1, t1 = difference(held[4 * _SIDE + j], held[5 * _SIDE + j], held[j], held[_SIDE + j])
        s2, t2 = difference(held[6 * _SIDE + j], held[7 * _SIDE + j], held[2 * _SIDE + j], held[3 * _SIDE + j])
        all_2, more = product(n, s2)
        mean_2, less = squared(s1)
        high, low = two_sum(all_2, -mean_2)
        times_n = high + (low + ((more - less) + (n * t2 - (2.0 * s1 * t1 + t1 * t1))))
        nothing = (times_n == 0.0) & (wrong == 0.0) & (t1 == 0.0) & (t2 == 0.0)
        near = n * (wrong * held[6 * _SIDE + j] + 2.0**-100 * s2) <= 1e-13 * times_n
        out[j] = times_n / n if near | nothing else np.nan


@jit
def _owner(offsets: Index, g: int, row: int) -> int:
    """The group of a row, searched from group `g` on, near ones first."""
    low, high = 0, len(offsets) - 2
    if offsets[g] <= row:
        low, step = g, 1
        while low + step <= high and offsets[low + step] <= row:
            low += step
            step *= 2
        high = min(high, low + step - 1)
    while low < high:
        middle = (low + high + 1) >> 1
        if offsets[middle] <= row:
            low = middle
        else:
            high = middle - 1
    return low


@jit
def _row_by_row(values: Array, start: int, stop: int) -> float:
    """The sum of squared deviations, corrected two-pass (Chan, Golub and LeVeque 1983, eq. 1.7) after a shift by the first value.

    As that value is one of them, the squares of the shifted ones add up to at most n + 1 times the sum: nothing cancels that matters.
    """
    n = stop - start
    base = values[start]
    total = 0.0
    for i in range(start, stop):
        total += values[i] - base
    mean = total / n
    squares = rest = 0.0
    for i in range(start, stop):
        d = (values[i] - base) - mean
        squares += d * d
        rest += d
    found = squares - rest * rest / n
    return 0.0 if found < 0.0 else found


@jit
def _added(total: float, lost: float, rest: float, high: float, low: float) -> tuple[float, float, float]:
    """A sum in three parts with a pair added."""
    total, error = two_sum(total, high)
    lost, more = two_sum(lost, error)
    lost, last = two_sum(lost, low)
    return total, lost, rest + (more + last)
