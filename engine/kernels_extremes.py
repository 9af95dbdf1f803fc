"""Compiled loops for minima and maxima of ranges."""

from __future__ import annotations

from typing import Any

import numpy as np

from .column import Array, Index
from .jit import jit

_BLOCK_BITS = 5  # blocks of 32 rows


@jit
def extremes_prepared(values: Array, low: bool) -> tuple[Array, Array, Array, Array]:
    """Blocks of rows: the best from each row to the end of its block and from the block's begin to it, and a sparse table of blocks.

    The best is the least if `low`, else the greatest; NaN where one is inside (Bender and Farach-Colton 2000).
    """
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
            so_far[i] = _better(low, so_far[i - 1], values[i])
        onward[last] = values[last]
        for i in range(last - 1, first - 1, -1):
            onward[i] = _better(low, values[i], onward[i + 1])
        table[0, block] = so_far[last]
    for k in range(1, len(table)):
        for block in range(blocks - (1 << k) + 1):
            table[k, block] = _better(low, table[k - 1, block], table[k - 1, block + (1 << (k - 1))])
    return onward, so_far, table, logs


@jit
def extremes(
    values: Array, low: bool, onward: Array, so_far: Array, table: Array, logs: Array, start: Index, stop: Index
) -> Array:
    """The best of each range: the end of a block, the begin of one, and two overlapping powers of two of whole blocks between them.

    Inside one block it is read. Arbitrary for an empty range.
    """
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
                best = _better(low, best, values[j])
        else:
            best = _better(low, onward[a], so_far[b])
            between = last - first - 1
            if between > 0:
                k = logs[between]
                best = _better(low, best, _better(low, table[k, first + 1], table[k, last - (1 << k)]))
        out[i] = best
    return out


@jit
def _better(low: bool, a: Any, b: Any) -> Any:
    return np.minimum(a, b) if low else np.maximum(a, b)
