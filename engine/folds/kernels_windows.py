"""Compiled loops that find the windows of questions and sum what lies in them."""

from __future__ import annotations

import numpy as np

from .column import Array, Index, Mask
from .jit import jit
from .kernels_pairs import two_sum

_CHUNK = 512  # questions whose ends are kept between finding and using them: 4 KB an end
_AT_ONCE, _NEAR = 16, 4  # comparisons that the processor does side by side, and how often before steps are doubled


@jit
def upper_indices(
    time: Index,
    offsets: Index,
    group: Index,
    asked: Index,
    base: Index,
    row: Index,
    less: Index,
    held: Index,
    out: Index,
) -> None:
    """Fill what `_find_ends` finds, (ends, questions)."""
    _find_ends(time, offsets, group, asked, base, row, less, 0, len(group), held, out)


@jit
def _find_ends(
    time: Index,
    offsets: Index,
    group: Index,
    asked: Index,
    base: Index,
    row: Index,
    less: Index,
    first: int,
    last: int,
    held: Index,
    out: Index,
) -> None:
    """Fill for each end w of the questions [first, last), base[row[w], i] - less[w], the index after the last event of its group with time
    <= the end.

    The group's first event where row[w] < 0. The first question of a group searches; those that follow it, asked no earlier, go on from
    there, except where an end falls all the same (days by a clock that was put back). Ends go side by side: each waits for its own
    loads, and meanwhile the others get theirs. `held` (2, ends) is scratch.
    """
    ends = len(row)
    position, before = held[0], held[1]
    previous = -1
    for i in range(first, last):
        g = group[i]
        goes_on = g == previous and asked[i] >= asked[i - 1]
        previous = g
        for w in range(ends):
            if row[w] < 0:
                out[w, i] = offsets[g]
                continue
            bound = base[row[w], i] - less[w]
            if goes_on and bound >= before[w]:
                position[w] = _advanced(time, position[w], offsets[g + 1], bound)
            else:
                position[w] = _searched(time, offsets[g], offsets[g + 1], bound)
            before[w] = bound
            out[w, i] = position[w]


@jit
def _advanced(time: Index, position: int, end: int, bound: int) -> int:
    """The first index from `position` on with time > bound: near ones by many comparisons at once, far ones by doubled steps."""
    for _ in range(_NEAR):
        if position + _AT_ONCE > end:
            break
        passed = 0
        for k in range(_AT_ONCE):
            passed += int(time[position + k] <= bound)
        position += passed
        if passed < _AT_ONCE:
            return position
    step = _AT_ONCE
    while position + step <= end:
        if time[position + step - 1] > bound:
            return _searched(time, position, position + step, bound)
        position += step
        step *= 2
    return _searched(time, position, end, bound)


@jit
def _searched(time: Index, position: int, end: int, bound: int) -> int:
    """The first index in [position, end) with time > bound, by halving."""
    while position < end:
        middle = (position + end) >> 1
        if time[middle] <= bound:
            position = middle + 1
        else:
            end = middle
    return position


@jit
def differences(prefix: Index, start: Index, stop: Index, out: Index) -> None:
    """Fill the sums of ranges from prefix sums."""
    for i in range(len(start)):
        out[i] = prefix[stop[i]] - prefix[start[i]]


@jit
def prefix_sums(values: Array, offsets: Index, high: Array, low: Array) -> bool:
    """Fill for each row the sum of the rows of its group before it, as a pair (high, low); True where all pairs hold.

    Compensated twice (Ogita, Rump and Oishi 2005, SumK with K = 3; TwoSum by Knuth 1969), a pair is within n * 2^-104 of the sum of
    all n magnitudes of its group. It holds where that is within 1e-13 of the least magnitude: whatever lies outside a range then
    does not show in the range's sum. In groups where it does not hold `low` is NaN.
    """
    all_hold = True
    for g in range(len(offsets) - 1):
        total = lost = rest = magnitude = 0.0
        least = np.inf
        for i in range(offsets[g], offsets[g + 1]):
            high[i] = total
            low[i] = lost + rest
            size = abs(values[i])
            magnitude += size
            if 0.0 < size < least:
                least = size
            total, error = two_sum(total, values[i])
            lost, error = two_sum(lost, error)
            rest += error
        rows = offsets[g + 1] - offsets[g]
        if not (np.isfinite(magnitude) and magnitude * rows * 2.0**-104 <= 1e-13 * least):
            all_hold = False
            low[offsets[g] : offsets[g + 1]] = np.nan
    return all_hold


@jit
def _between(value: float, high_before: float, low_before: float, high: float, low: float) -> float:
    """The sum of a range from the prefix sums before its first row and before its last, and the value of the last."""
    s, error = two_sum(high, -high_before)
    s, more = two_sum(s, value)
    return s + (error + more + (low - low_before))


@jit
def divided(sums: Array, start: Index, stop: Index, out: Array, some: Mask) -> bool:
    """Fill the sums of ranges over their lengths, and which ranges are not empty; True where all are."""
    every = True
    for i in range(len(start)):
        n = stop[i] - start[i]
        out[i] = sums[i] / max(n, 1)
        some[i] = n > 0
        every &= n > 0
    return every


@jit
def sum_by_prefix(values: Array, high: Array, low: Array, start: Index, stop: Index, out: Array) -> None:
    """Fill the sums of ranges inside groups from `prefix_sums`; NaN where the group's do not hold, 0 for an empty range."""
    for i in range(len(start)):
        a = start[i]
        b = stop[i] - 1
        out[i] = _between(values[b], high[a], low[a], high[b], low[b]) if a <= b else 0.0


@jit
def fused(
    time: Index,
    offsets: Index,
    group: Index,
    asked: Index,
    base: Index,
    row: Index,
    less: Index,
    held: Index,
    index: Index,
    steps: Index,
    prefix: Index,
    values: Array,
    high: Array,
    low: Array,
    whole: Array,
    real: Array,
    some: Array,
    every: Array,
) -> None:
    """All folds that are sums over sliding windows, a few questions at a time; engine/folds/fused.py says what the parts are.

    The ends of their windows are found and left in `index`, then each step reads what stands between two of them.
    """
    for first in range(0, len(group), _CHUNK):
        last = min(first + _CHUNK, len(group))
        _find_ends(time, offsets, group, asked, base, row, less, first, last, held, index)
        for k in range(len(steps)):
            start, stop = index[steps[k, 0], first:last], index[steps[k, 1], first:last]
            kind, column, slot = steps[k, 2], steps[k, 3], steps[k, 4]
            every[k] &= _filled(start, stop, some[k, first:last])
            if kind == 0:
                _lengths(start, stop, whole[slot, first:last])
            elif kind == 1:
                _whole_sums(prefix[column], start, stop, whole[slot, first:last])
            elif kind == 2:
                _whole_sums(prefix[column], start, stop, real[slot, first:last])
            else:
                sum_by_prefix(values[column], high[column], low[column], start, stop, real[slot, first:last])
            if kind == 2 or kind == 4:
                _per_row(start, stop, real[slot, first:last])


@jit
def _filled(start: Index, stop: Index, some: Array) -> bool:
    """Fill which ranges are not empty; True where all are."""
    count = 0
    for i in range(len(start)):
        some[i] = start[i] < stop[i]
        count += start[i] < stop[i]
    return count == len(start)


@jit
def _lengths(start: Index, stop: Index, out: Array) -> None:
    for i in range(len(start)):
        out[i] = stop[i] - start[i]


@jit
def _whole_sums(prefix: Index, start: Index, stop: Index, out: Array) -> None:
    for i in range(len(start)):
        out[i] = prefix[stop[i]] - prefix[start[i]]


@jit
def _per_row(start: Index, stop: Index, out: Array) -> None:
    for i in range(len(start)):
        out[i] /= max(stop[i] - start[i], 1)
