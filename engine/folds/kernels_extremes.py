"""Compiled loops for the least of ranges of ranks.

A rank is a whole number of 64 bits that orders values: the greatest value is the one of least rank where ranks are turned around. So one
loop without branches serves both ends and all kinds of numbers.
"""

from __future__ import annotations

from .column import Array, Index
from .jit import jit, prefetch

_BLOCK_BITS = 5
EXTREMES_BLOCK = 1 << _BLOCK_BITS  # rows
_AHEAD = 32  # ranges before one is asked for, its ends are on their way
_LEAST, _MOST = -(2**63), 2**63 - 1
_INFINITY = 0x7FF0000000000000  # the bits of infinity; those of NaN are more
_NAN = 0x7FF8000000000000


@jit
def extremes_prepared(
    bits: Index, real: bool, low: bool, onward: Index, so_far: Index, table: Index, logs: Array
) -> None:
    """Fill, of ranks in blocks of rows: the least from each row to the end of its block, that from the block's begin to it, and a sparse
    table of blocks (Bender and Farach-Colton 2000).

    `bits` are whole numbers, or those of floats if `real`; the least value has the least rank if `low`, else the greatest has.
    """
    n, blocks = len(bits), table.shape[1]
    for k in range(2, blocks + 1):
        logs[k] = logs[k >> 1] + 1
    for block in range(blocks):
        first = block << _BLOCK_BITS
        last = min(first + EXTREMES_BLOCK, n) - 1
        best = _MOST
        for i in range(first, last + 1):
            rank = _rank(bits[i], real, low)
            onward[i] = rank
            best = min(best, rank)
            so_far[i] = best
        table[0, block] = best
        for i in range(last - 1, first - 1, -1):
            onward[i] = min(onward[i], onward[i + 1])
    for k in range(1, len(table)):
        for block in range(blocks - (1 << k) + 1):
            table[k, block] = min(table[k - 1, block], table[k - 1, block + (1 << (k - 1))])


@jit
def extremes(
    bits: Index,
    real: bool,
    low: bool,
    onward: Index,
    so_far: Index,
    table: Index,
    logs: Array,
    start: Index,
    stop: Index,
    out: Index,
) -> None:
    """Fill the bits of the best of each range: the end of a block, the begin of one, and two overlapping powers of two of whole blocks
    between them. Inside one block it is read.

    NaN where one is inside; arbitrary for an empty range.
    """
    for i in range(len(start)):
        if i + _AHEAD < len(start):
            prefetch(onward, start[i + _AHEAD])
            prefetch(so_far, stop[i + _AHEAD] - 1)
        a = start[i]
        b = stop[i] - 1
        if a > b:
            out[i] = 0
            continue
        first = a >> _BLOCK_BITS
        last = b >> _BLOCK_BITS
        if first == last:
            best = _MOST
            for j in range(a, b + 1):
                best = min(best, _rank(bits[j], real, low))
        else:
            best = min(onward[a], so_far[b])
            between = last - first - 1
            if between > 0:
                k = logs[between]
                best = min(best, min(table[k, first + 1], table[k, last - (1 << k)]))
        out[i] = _bits(best, real, low)


@jit
def _rank(bits: int, real: bool, low: bool) -> int:
    """The rank of a value: that of NaN is the least of all, those of both zeros are equal."""
    if real:
        size = bits & _MOST
        if size > _INFINITY:
            return _LEAST
        bits = bits if bits >= 0 else -size
    return bits if low else ~bits


@jit
def _bits(rank: int, real: bool, low: bool) -> int:
    """The bits of the value of a rank."""
    if real and rank == _LEAST:
        return _NAN
    bits = rank if low else ~rank
    if real and bits < 0:
        return _LEAST - bits
    return bits
