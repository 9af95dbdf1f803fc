"""Compiled loops that give keys of 64 bits their codes: by their distance from the least one, or by a table of hashes."""

from __future__ import annotations

import numpy as np

from .column import Array, Index, Mask
from .jit import jit

_ONE, _SHIFT, _FACTOR = np.uint64(1), np.uint64(32), np.uint64(0x9E3779B97F4A7C15)  # Knuth 1973, 6.4: golden ratio


@jit
def near_codes(words: Array, near: Array, out: Index) -> None:
    """Fill the distance of each word from `near[0]`, -1 where it is `near[1]` or more; all are uint64, and distances wrap."""
    low, span = near[0], near[1]
    for i in range(len(words)):
        distance = words[i] - low
        out[i] = np.int64(distance) if distance < span else -1


@jit
def learned_codes(words: Array, present: Mask, begin: int, table: Array, count: Index, out: Index) -> int:
    """Learn the words that are present, from `begin` on, as long as the table has room; where it ended is returned.

    Fill the code of each, -1 where it is not present; codes follow the first appearance. The table holds (word, code + 1), or 0 where it
    is empty, which half of it stays; `count` (1,) is how many it has.
    """
    for i in range(begin, len(words)):
        out[i] = -1
        if not present[i]:
            continue
        at = _place(table, words[i])
        if table[at, 1] == 0:
            if 2 * count[0] >= len(table):
                return i
            count[0] += 1
            table[at, 0], table[at, 1] = words[i], count[0]
        out[i] = np.int64(table[at, 1]) - 1
    return len(words)


@jit
def hashed_codes(words: Array, table: Array, out: Index) -> None:
    """Fill the code of each word, -1 where the table has it not. Equal neighbours, as in sorted files, are looked up once."""
    code = np.int64(-1)
    for i in range(len(words)):
        if i == 0 or words[i] != words[i - 1]:
            code = np.int64(table[_place(table, words[i]), 1]) - 1
        out[i] = code


@jit
def renumber_codes(table: Array, rank: Index, out: Index) -> None:
    """Give every code its rank, in the table and where it was given."""
    for at in range(len(table)):
        if table[at, 1] != 0:
            table[at, 1] = rank[np.int64(table[at, 1]) - 1] + 1
    for i in range(len(out)):
        if out[i] >= 0:
            out[i] = rank[out[i]]


@jit
def _place(table: Array, word: int) -> int:
    """Where the word is in the table, or the empty place where it would go."""
    mask = np.uint64(len(table)) - _ONE
    mixed = np.uint64(word) * _FACTOR
    at = (mixed ^ (mixed >> _SHIFT)) & mask
    while table[at, 1] != 0 and table[at, 0] != word:
        at = (at + _ONE) & mask
    return int(at)


@jit
def moved_codes(table: Array, larger: Array) -> None:
    """Fill a larger table, which comes as zeros."""
    for at in range(len(table)):
        if table[at, 1] != 0:
            to = _place(larger, table[at, 0])
            larger[to, 0], larger[to, 1] = table[at, 0], table[at, 1]
