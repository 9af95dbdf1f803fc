"""Compiled loops. Importing this module costs about a second, so `compiled` does it only where the work is worth it.

All times are int64 microseconds; index ranges are half-open. Large results go to arrays of the caller's, whose memory is warm.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numba
import numpy as np

from .column import Array, Index, Mask

compiled = numba.njit(cache=True, nogil=True, error_model="numpy")

_BLOCK_BITS = 5  # minima and maxima: blocks of 32 rows
_CHUNK = 512  # questions whose ends are kept between finding and using them: 4 KB an end


@compiled
def upper_indices(
    time: Index, offsets: Index, group: Index, asked: Index, base: Index, row: Index, less: Index
) -> Index:
    """For each end w of question i, base[row[w], i] - less[w], the index after the last event of its group with time <= the end.

    (ends, questions). The first question of a group searches; those that follow it, asked no earlier, go on from there. Ends go side
    by side: each waits for its own loads, and meanwhile the others get theirs.
    """
    ends = len(row)
    out = np.empty((ends, len(group)), dtype=np.int64)
    position = np.empty(ends, dtype=np.int64)
    i = 0
    while i < len(group):
        g = group[i]
        end = offsets[g + 1]
        for w in range(ends):
            position[w] = _searched(time, offsets[g], end, base[row[w], i] - less[w])
            out[w, i] = position[w]
        i += 1
        while i < len(group) and group[i] == g and asked[i] >= asked[i - 1]:
            for w in range(ends):
                position[w] = _advanced(time, position[w], end, base[row[w], i] - less[w])
                out[w, i] = position[w]
            i += 1
    return out


@compiled
def _advanced(time: Index, position: int, end: int, bound: int) -> int:
    """The first index from `position` on with time > bound: near ones by four comparisons at once, far ones by doubled steps."""
    step = 4
    while position + step <= end:
        if step == 4:
            passed = (
                int(time[position] <= bound)
                + int(time[position + 1] <= bound)
                + int(time[position + 2] <= bound)
                + int(time[position + 3] <= bound)
            )
            position += passed
            if passed < 4:
                return position
        elif time[position + step - 1] <= bound:
            position += step
        else:
            return _searched(time, position, position + step, bound)
        step *= 2
    return _searched(time, position, end, bound)


@compiled
def _searched(time: Index, position: int, end: int, bound: int) -> int:
    """The first index in [position, end) with time > bound, by halving."""
    while position < end:
        middle = (position + end) >> 1
        if time[middle] <= bound:
            position = middle + 1
        else:
            end = middle
    return position


@compiled
def places(group: Index, place: Index, offsets: Index) -> bool:
    """Fill where each row stands when sorted by group (-1: left out, as its group is) and where groups begin; True if rows stood so.

    Rows of one group keep their order. `offsets` comes as zeros.
    """
    cursor = _begin(group, offsets)
    stood_so = True
    for i in range(len(group)):
        g = group[i]
        if g < 0:
            place[i] = -1
            stood_so = False
            continue
        place[i] = cursor[g]
        stood_so &= cursor[g] == i
        cursor[g] += 1
    return stood_so


@compiled
def places_in_order(group: Index, order: Index, place: Index, offsets: Index) -> None:
    """The same where the rows of a group follow each other in the given order of all rows."""
    cursor = _begin(group, offsets)
    for i in order:
        g = group[i]
        place[i] = -1
        if g >= 0:
            place[i] = cursor[g]
            cursor[g] += 1


@compiled
def _begin(group: Index, offsets: Index) -> Index:
    for g in group:
        if g >= 0:
            offsets[g + 1] += 1
    for g in range(len(offsets) - 1):
        offsets[g + 1] += offsets[g]
    return offsets[:-1].copy()


@compiled
def take(values: Array, rows: Index, out: Array) -> None:
    """Fill `out` with the values at some rows; about half the time of numpy's indexing, which checks and buffers."""
    for i in range(len(rows)):
        out[i] = values[rows[i]]


@compiled
def spread(values: Array, place: Index, out: Array) -> None:
    """Write the values each to its place in `out`; those placed below 0 are left out."""
    for i in range(len(values)):
        if place[i] >= 0:
            out[place[i]] = values[i]


@compiled
def rises(values: Index) -> bool:
    """Whether every value is greater than the one before."""
    for i in range(1, len(values)):  # noqa: SIM110  (compiled)
        if values[i] <= values[i - 1]:
            return False
    return True


@compiled
def never_falls(values: Index) -> bool:
    """Whether no value is less than the one before."""
    falls = False
    for i in range(1, len(values)):
        falls |= values[i] < values[i - 1]
    return not falls


@compiled
def distinct(values: Index, low: int, seen: Array) -> bool:
    """Whether no value appears twice; `seen` comes as False for each from `low` on."""
    for value in values:
        if seen[value - low]:
            return False
        seen[value - low] = True
    return True


@compiled
def differences(prefix: Index, start: Index, stop: Index) -> Index:
    """Sums of ranges from prefix sums."""
    out = np.empty(len(start), dtype=prefix.dtype)
    for i in range(len(start)):
        out[i] = prefix[stop[i]] - prefix[start[i]]
    return out


@compiled
def _two_sum(a: float, b: float) -> tuple[float, float]:
    """The rounded sum, and exactly what rounding lost."""
    s = a + b
    t = s - a
    return s, (a - (s - t)) + (b - t)


@compiled
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
            total, error = _two_sum(total, values[i])
            lost, error = _two_sum(lost, error)
            rest += error
        rows = offsets[g + 1] - offsets[g]
        if not (np.isfinite(magnitude) and magnitude * rows * 2.0**-104 <= 1e-13 * least):
            all_hold = False
            low[offsets[g] : offsets[g + 1]] = np.nan
    return all_hold


@compiled
def sum_by_prefix(values: Array, high: Array, low: Array, start: Index, stop: Index) -> Array:
    """Sums of ranges inside groups from `prefix_sums`; NaN where the group's do not hold, 0 for an empty range."""
    out = np.empty(len(start), dtype=np.float64)
    _real_sums(values, high, low, start, stop, out)
    return out


@compiled
def _between(value: float, high_before: float, low_before: float, high: float, low: float) -> float:
    """The sum of a range from the prefix sums before its first row and before its last, and the value of the last."""
    s, error = _two_sum(high, -high_before)
    s, more = _two_sum(s, value)
    return s + (error + more + (low - low_before))


@compiled
def divided(sums: Array, start: Index, stop: Index, out: Array, some: Mask) -> bool:
    """Fill the sums of ranges over their lengths, and which ranges are not empty; True where all are."""
    every = True
    for i in range(len(start)):
        n = stop[i] - start[i]
        out[i] = sums[i] / max(n, 1)
        some[i] = n > 0
        every &= n > 0
    return every


@compiled
def fused(
    time: Index,
    offsets: Index,
    group: Index,
    asked: Index,
    base: Index,
    row: Index,
    less: Index,
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
    """All folds that are sums over sliding windows, a few questions at a time; engine/fused.py says what the parts are.

    The ends of their windows are found as in `upper_indices`, then each step reads what stands between two of them.
    """
    ends = len(row)
    position = np.empty(ends, dtype=np.int64)
    index = np.empty((ends, _CHUNK), dtype=np.int64)
    last = -1
    for first in range(0, len(group), _CHUNK):
        n = min(_CHUNK, len(group) - first)
        for j in range(n):
            i = first + j
            g = group[i]
            goes_on = g == last and asked[i] >= asked[i - 1]
            last = g
            end = offsets[g + 1]
            for w in range(ends):
                if row[w] < 0:
                    position[w] = offsets[g]
                elif goes_on:
                    position[w] = _advanced(time, position[w], end, base[row[w], i] - less[w])
                else:
                    position[w] = _searched(time, offsets[g], end, base[row[w], i] - less[w])
                index[w, j] = position[w]
        for k in range(len(steps)):
            start = index[steps[k, 0], :n]
            stop = index[steps[k, 1], :n]
            column = steps[k, 3]
            slot = steps[k, 4]
            every[k] &= _filled(start, stop, some[k, first : first + n])
            kind = steps[k, 2]
            if kind == 0:
                _lengths(start, stop, whole[slot, first : first + n])
            elif kind == 1:
                _whole_sums(prefix[column], start, stop, whole[slot, first : first + n])
            elif kind == 2:
                _whole_sums(prefix[column], start, stop, real[slot, first : first + n])
            else:
                _real_sums(values[column], high[column], low[column], start, stop, real[slot, first : first + n])
            if kind == 2 or kind == 4:
                _per_row(start, stop, real[slot, first : first + n])


@compiled
def _filled(start: Index, stop: Index, some: Array) -> bool:
    """Fill which ranges are not empty; True where all are."""
    count = 0
    for i in range(len(start)):
        some[i] = start[i] < stop[i]
        count += start[i] < stop[i]
    return count == len(start)


@compiled
def _lengths(start: Index, stop: Index, out: Array) -> None:
    for i in range(len(start)):
        out[i] = stop[i] - start[i]


@compiled
def _whole_sums(prefix: Index, start: Index, stop: Index, out: Array) -> None:
    for i in range(len(start)):
        out[i] = prefix[stop[i]] - prefix[start[i]]


@compiled
def _real_sums(values: Array, high: Array, low: Array, start: Index, stop: Index, out: Array) -> None:
    for i in range(len(start)):
        a = start[i]
        b = stop[i] - 1
        out[i] = _between(values[b], high[a], low[a], high[b], low[b]) if a <= b else 0.0


@compiled
def _per_row(start: Index, stop: Index, out: Array) -> None:
    for i in range(len(start)):
        out[i] /= max(stop[i] - start[i], 1)


class Best(NamedTuple):
    """The loops of a minimum or maximum of ranges."""

    prepared: Any
    over: Any


def _best(better: Any) -> Best:
    """Blocks of rows: the best from each row to the end of its block and from the block's begin to it, and a sparse table of blocks.

    A range is the end of a block, the begin of one, and two overlapping powers of two of whole blocks between them (Bender and
    Farach-Colton 2000); inside one block it is read.
    """

    @compiled
    def prepared(values: Array) -> tuple[Array, Array, Array, Array]:
        n = len(values)
        blocks = ((n - 1) >> _BLOCK_BITS) + 1
        onward, so_far = np.empty_like(values), np.empty_like(values)
        logs = np.zeros(blocks + 1, dtype=np.int8)
        for k in range(2, blocks + 1):
            logs[k] = logs[k >> 1] + 1
        table = np.empty((logs[blocks] + 1, blocks), dtype=values.dtype)
        for block in range(blocks):
            first = block << _BLOCK_BITS
            last = min(first + (1 << _BLOCK_BITS), n) - 1
            so_far[first] = values[first]
            for i in range(first + 1, last + 1):
                so_far[i] = better(so_far[i - 1], values[i])
            onward[last] = values[last]
            for i in range(last - 1, first - 1, -1):
                onward[i] = better(values[i], onward[i + 1])
            table[0, block] = so_far[last]
        for k in range(1, len(table)):
            for block in range(blocks - (1 << k) + 1):
                table[k, block] = better(table[k - 1, block], table[k - 1, block + (1 << (k - 1))])
        return onward, so_far, table, logs

    @compiled
    def over(
        values: Array, onward: Array, so_far: Array, table: Array, logs: Array, start: Index, stop: Index
    ) -> Array:
        out = np.zeros(len(start), dtype=values.dtype)
        for i in range(len(start)):
            a = start[i]
            b = stop[i] - 1
            if a > b:
                continue
            first = a >> _BLOCK_BITS
            last = b >> _BLOCK_BITS
            if first == last:
                best = values[a]
                for j in range(a + 1, b + 1):
                    best = better(best, values[j])
            else:
                best = better(onward[a], so_far[b])
                between = last - first - 1
                if between > 0:
                    k = logs[between]
                    best = better(best, better(table[k, first + 1], table[k, last - (1 << k)]))
            out[i] = best
        return out

    return Best(prepared, over)


@compiled
def _smaller(a: Any, b: Any) -> Any:
    return np.minimum(a, b)


@compiled
def _larger(a: Any, b: Any) -> Any:
    return np.maximum(a, b)


smallest = _best(_smaller)
largest = _best(_larger)

LOADED = True  # last: another thread may find this module half imported
