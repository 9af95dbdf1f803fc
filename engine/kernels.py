"""Compiled loops. Importing this module costs about a second, so `ranges` does it only where the work is worth it.

All times are int64 microseconds; index ranges are half-open, and those that are not empty never decrease from one to the next.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from .column import Array, Index

compiled = numba.njit(cache=True, nogil=True, error_model="numpy")


@compiled
def upper_index(time: Index, offsets: Index, group: Index, bound: Index) -> Index:
    """For each asked (group, bound), both sorted, the index after the last event of the group with time <= bound.

    Few questions search; many are merged with the events, eight of which are compared at once.
    """
    out = np.empty(len(group), dtype=np.int64)
    i = 0
    while i < len(group):
        g = group[i]
        position = offsets[g]
        end = offsets[g + 1]
        last = i
        while last < len(group) and group[last] == g:
            last += 1
        while i < last and end - position > 8 * (last - i):  # many events for a question: halve them instead
            high = end
            while position < high:
                middle = (position + high) >> 1
                if time[middle] <= bound[i]:
                    position = middle + 1
                else:
                    high = middle
            out[i] = position
            i += 1
        while i < last:
            limit = bound[i]
            while position + 8 <= end:
                passed = 0
                for k in range(8):
                    passed += time[position + k] <= limit
                position += passed
                if passed < 8:
                    break
            else:
                while position < end and time[position] <= limit:
                    position += 1
            out[i] = position
            i += 1
    return out


@compiled
def order_by_group(group: Index, groups: int) -> tuple[Index, Index]:
    """The stable order that sorts by group (entries of group < 0 left out), and where each group begins."""
    offsets = np.zeros(groups + 1, dtype=np.int64)
    for g in group:
        if g >= 0:
            offsets[g + 1] += 1
    for g in range(groups):
        offsets[g + 1] += offsets[g]
    place = offsets[:-1].copy()
    order = np.empty(offsets[groups], dtype=np.int64)
    for i in range(len(group)):
        g = group[i]
        if g >= 0:
            order[place[g]] = i
            place[g] += 1
    return order, offsets


@compiled
def _two_sum(a: float, b: float) -> tuple[float, float]:
    """The rounded sum, and exactly what rounding lost."""
    s = a + b
    t = s - a
    return s, (a - (s - t)) + (b - t)


@compiled
def prefix_holds(values: Array) -> bool:
    """True where differences of compensated prefix sums are good to 1e-13 of any window's least term.

    A pair of doubles carries 104 bits, so the loss is at most n * 2^-104 of the sum of all magnitudes; what lies outside a window
    may then be as large as it likes within that, and nothing of it shows. Infinities and NaN never pass.
    """
    total = 0.0
    least = np.inf
    for x in values:
        size = abs(x)
        total += size
        if size > 0.0 and size < least:
            least = size
    return bool(np.isfinite(total)) and total * len(values) * 2.0**-104 <= 1e-13 * least


@compiled
def sum_by_prefix(values: Array, start: Index, stop: Index) -> Array:
    """Sums of float ranges by differences of compensated prefix sums (Knuth 1969, TwoSum); only where `prefix_holds`."""
    high = np.empty(len(values) + 1, dtype=np.float64)
    low = np.empty(len(values) + 1, dtype=np.float64)
    high[0] = 0.0
    low[0] = 0.0
    total = 0.0
    lost = 0.0
    for i in range(len(values)):
        total, error = _two_sum(total, values[i])
        lost += error
        high[i + 1] = total
        low[i + 1] = lost
    out = np.empty(len(start), dtype=np.float64)
    for i in range(len(start)):
        s, error = _two_sum(high[stop[i]], -high[start[i]])
        out[i] = s + (error + (low[stop[i]] - low[start[i]]))
    return out


@compiled
def sum_floats(values: Array, start: Index, stop: Index) -> Array:
    """Sums of float ranges, compensated; what lies outside a range never leaks into it."""
    if prefix_holds(values):
        return sum_by_prefix(values, start, stop)
    return sum_by_stacks(values, start, stop)


@compiled
def sum_by_stacks(values: Array, start: Index, stop: Index) -> Array:
    """Sums of float ranges by two stacks of compensated partial sums: only what is inside a range is ever added.

    `front[i]` holds the sum of [i, mid), the accumulator that of [mid, high) (Tangwongsan et al. 2015, two-stacks); each sum is a
    pair (Knuth 1969, TwoSum), so the error stays near one rounding however long the range.
    """
    out = np.zeros(len(start), dtype=np.float64)
    front = np.empty(len(values) + 1, dtype=np.float64)
    front_low = np.empty(len(values) + 1, dtype=np.float64)
    mid = high = 0
    back = back_low = 0.0
    for i in range(len(start)):
        a, b = start[i], stop[i]
        if a >= b:
            continue
        if a >= mid:  # nothing that was stacked is still inside: turn all that is over to the front
            high = mid = b
            total = low = back = back_low = 0.0
            for j in range(b - 1, a - 1, -1):
                total, lost = _two_sum(total, values[j])
                low += lost
                front[j], front_low[j] = total, low
        while high < b:
            back, lost = _two_sum(back, values[high])
            back_low += lost
            high += 1
        s, lost = _two_sum(front[a], back)
        out[i] = s + (lost + front_low[a] + back_low) if np.isfinite(s) else s
    return out


@compiled
def sum_integers(values: Array, start: Index, stop: Index) -> Array:
    """Exact sums of integer ranges, by differences of prefix sums."""
    prefix = np.empty(len(values) + 1, dtype=np.int64)
    prefix[0] = 0
    for i in range(len(values)):
        prefix[i + 1] = prefix[i] + np.int64(values[i])
    out = np.empty(len(start), dtype=np.int64)
    for i in range(len(start)):
        out[i] = prefix[stop[i]] - prefix[start[i]]
    return out


def _extreme(better: Any) -> Any:
    """The two-stack form of a minimum or maximum of ranges."""

    @compiled
    def extremes(values: Array, start: Index, stop: Index) -> Array:
        out = np.zeros(len(start), dtype=values.dtype)
        front = np.empty(len(values) + 1, dtype=values.dtype)
        mid = 0
        high = 0
        for i in range(len(start)):
            a = start[i]
            b = stop[i]
            if a >= b:
                continue
            if high < a:
                high = a
                mid = a
            if a >= mid:
                mid = b if b > high else high
                front[mid - 1] = values[mid - 1]
                for j in range(mid - 2, a - 1, -1):
                    front[j] = better(values[j], front[j + 1])
                high = mid
                back = front[a]
            elif high < b:
                if high == mid:
                    back = values[high]
                    high += 1
                while high < b:
                    back = better(back, values[high])
                    high += 1
            out[i] = front[a] if mid == high else better(front[a], back)
        return out

    return extremes


@compiled
def _smaller(a: Any, b: Any) -> Any:
    return np.minimum(a, b)


@compiled
def _larger(a: Any, b: Any) -> Any:
    return np.maximum(a, b)


smallest = _extreme(_smaller)
largest = _extreme(_larger)


@compiled
def take(values: Array, rows: Index) -> Array:
    """The values at some rows; about half the time of numpy's indexing, which checks and buffers."""
    out = np.empty(len(rows), dtype=values.dtype)
    for i in range(len(rows)):
        out[i] = values[rows[i]]
    return out


@compiled
def put(out: Array, rows: Index, values: Array) -> None:
    """Write values to some rows."""
    for i in range(len(rows)):
        out[rows[i]] = values[i]
