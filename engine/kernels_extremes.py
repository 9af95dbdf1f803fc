"""Compiled loops for minima and maxima of ranges."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .column import Array, Index
from .jit import jit

_BLOCK_BITS = 5  # blocks of 32 rows


class Best(NamedTuple):
    """The loops of a minimum or maximum of ranges."""

    prepared: Any
    over: Any


def _best(better: Any) -> Best:
    """Blocks of rows: the best from each row to the end of its block and from the block's begin to it, and a sparse table of blocks.

    A range is the end of a block, the begin of one, and two overlapping powers of two of whole blocks between them (Bender and
    Farach-Colton 2000); inside one block it is read.
    """

    @jit
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

    @jit
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


@jit
def _smaller(a: Any, b: Any) -> Any:
    return np.minimum(a, b)


@jit
def _larger(a: Any, b: Any) -> Any:
    return np.maximum(a, b)


smallest = _best(_smaller)
largest = _best(_larger)
