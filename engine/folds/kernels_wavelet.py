"""Compiled loops over the bits of codes; engine/folds/wavelet.py says how they lie."""

from __future__ import annotations

from typing import Any

import numpy as np

from .column import Array, Index
from .jit import jit

_PAIRS, _FOURS = np.uint64(0x5555555555555555), np.uint64(0x3333333333333333)
_BYTES, _ADDED = np.uint64(0x0F0F0F0F0F0F0F0F), np.uint64(0x0101010101010101)
_ONE = np.uint64(1)


@jit
def wavelet_fill(codes: Array, offsets: Index, first: Index, levels: Index, ones: Array, words: Array) -> None:
    """Fill the words of all groups from their codes, which count from 0 in each and are used up; `ones` (codes,) is scratch."""
    for g in range(len(offsets) - 1):
        own = codes[offsets[g] : offsets[g + 1]]
        level = first[g]
        for bit in range(levels[g] - 1, -1, -1):
            level += _level_filled(own, bit, words, level, ones)


@jit
def _level_filled(own: Array, bit: int, words: Array, level: int, ones: Array) -> int:
    """Fill one level of a group and put its codes in the order of the next one; gives how many words it took."""
    n = len(own)
    zero = one = 0
    word = np.uint64(0)
    at = level + 1
    words[at] = np.uint64(0)
    for i in range(n):
        if (own[i] >> bit) & 1:
            word |= _ONE << np.uint64(i & 63)
            ones[one] = own[i]
            one += 1
        else:
            own[zero] = own[i]
            zero += 1
        if i & 63 == 63:
            words[at + 1] = word
            at += 2
            words[at] = np.uint64(one)
            word = np.uint64(0)
    words[at + 1] = word
    words[level] = np.uint64(zero)
    for i in range(one):
        own[zero + i] = ones[i]
    return at + 2 - level


@jit
def wavelet_smallest(
    words: Array,
    offsets: Index,
    first: Index,
    levels: Index,
    group: Index,
    start: Index,
    stop: Index,
    k: Index,
    out: Index,
) -> None:
    """Fill the k-th least code of each range."""
    for i in range(len(start)):
        begin = offsets[group[i]]
        stride = _stride(offsets[group[i] + 1] - begin)
        a, b, rank, code = start[i] - begin, stop[i] - begin, k[i], 0
        level = first[group[i]]
        for bit in range(levels[group[i]] - 1, -1, -1):
            ones_a, ones_b, zeros = _split(words, level, a, b)
            if rank < zeros:
                a, b = a - ones_a, b - ones_b
            else:
                rank -= zeros
                code |= 1 << bit
                a, b = _behind(words, level, ones_a), _behind(words, level, ones_b)
            level += stride
        out[i] = begin + code


@jit
def wavelet_neighbours(
    words: Array,
    offsets: Index,
    first: Index,
    levels: Index,
    group: Index,
    start: Index,
    stop: Index,
    low: Index,
    high: Index,
    lower: Index,
    upper: Index,
) -> None:
    """Fill the low-th and the high-th least code of each range; high is low or one more. Both go one way until their bits differ."""
    for i in range(len(start)):
        begin = offsets[group[i]]
        stride = _stride(offsets[group[i] + 1] - begin)
        a, b, rank, code = start[i] - begin, stop[i] - begin, low[i], 0
        level = first[group[i]]
        bit_left, level_left, a_left, b_left, code_left = 0, level, a, b, 0  # of the other one, where they part
        for bit in range(levels[group[i]] - 1, -1, -1):
            ones_a, ones_b, zeros = _split(words, level, a, b)
            with_ones_a, with_ones_b = _behind(words, level, ones_a), _behind(words, level, ones_b)
            if rank < zeros:
                if rank + 1 == zeros and code_left == 0:
                    bit_left, level_left, code_left = bit, level + stride, code | (1 << bit)
                    a_left, b_left = with_ones_a, with_ones_b
                a, b = a - ones_a, b - ones_b
            else:
                rank -= zeros
                code |= 1 << bit
                a, b = with_ones_a, with_ones_b
            level += stride
        lower[i] = upper[i] = begin + code
        if high[i] > low[i] and code_left > 0:
            upper[i] = begin + code_left + _least(words, level_left, stride, a_left, b_left, bit_left)


@jit
def _least(words: Array, level: int, stride: int, a: int, b: int, bits: int) -> int:
    """The least of the codes of a range, which has so many bits left."""
    code = 0
    for bit in range(bits - 1, -1, -1):
        ones_a, ones_b, zeros = _split(words, level, a, b)
        if zeros > 0:
            a, b = a - ones_a, b - ones_b
        else:
            code |= 1 << bit
            a, b = _behind(words, level, ones_a), _behind(words, level, ones_b)
        level += stride
    return code


@jit
def _split(words: Array, level: int, a: int, b: int) -> tuple[int, int, int]:
    """How many ones come before both ends of a range, and how many zeros are in it."""
    ones_a, ones_b = _ones(words, level, a), _ones(words, level, b)
    return ones_a, ones_b, (b - ones_b) - (a - ones_a)


@jit
def wavelet_at_most(
    words: Array,
    offsets: Index,
    first: Index,
    levels: Index,
    group: Index,
    start: Index,
    stop: Index,
    most: Index,
    out: Index,
) -> None:
    """Fill how many codes of each range are at most as great as one of its group's codes."""
    for i in range(len(start)):
        g = group[i]
        rows = offsets[g + 1] - offsets[g]
        a, b, code, found = start[i] - offsets[g], stop[i] - offsets[g], most[i] - offsets[g], 0
        level = first[g]
        for bit in range(levels[g] - 1, -1, -1):
            if a == b:
                break
            ones_a, ones_b = _ones(words, level, a), _ones(words, level, b)
            if (code >> bit) & 1:
                found += (b - ones_b) - (a - ones_a)
                a, b = _behind(words, level, ones_a), _behind(words, level, ones_b)
            else:
                a, b = a - ones_a, b - ones_b
            level += _stride(rows)
        out[i] = found + (b - a)


@jit
def _behind(words: Array, level: int, ones: int) -> Any:
    """Where a row with so many ones before it stands in the next level, if it is one: behind all zeros."""
    return np.int64(words[level]) + ones


@jit
def _stride(rows: int) -> int:
    """How many words a level of a group has."""
    return 2 * (rows >> 6) + 3


@jit
def _ones(words: Array, level: int, i: int) -> Any:
    """How many of the first i bits of a level are ones."""
    at = level + 1 + 2 * (i >> 6)
    below = (_ONE << np.uint64(i & 63)) - _ONE
    return np.int64(words[at]) + _count(words[at + 1] & below)


@jit
def _count(word: Any) -> Any:
    """How many bits are ones (Warren 2003, "Hacker's Delight", figure 5-2, which LLVM knows to be one instruction)."""
    word = word - ((word >> _ONE) & _PAIRS)
    word = (word & _FOURS) + ((word >> np.uint64(2)) & _FOURS)
    word = (word + (word >> np.uint64(4))) & _BYTES
    return np.int64((word * _ADDED) >> np.uint64(56))
