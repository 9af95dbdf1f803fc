"""Compiled loops that give keys of 64 bits their codes: by their distance from the least one, or by a table of hashes."""

from __future__ import annotations

import numpy as np

from .column import Array, Index
from .jit import jit

_ONE, _SHIFT, _FACTOR = np.uint64(1), np.uint64(32), np.uint64(0x9E3779B97F4A7C15)  # Knuth 1973, 6.4: golden ratio


@jit
def near_codes(words: Array, low: Array, span: Array, out: Index) -> None:
    """Fill the distance of each word from `low`, -1 where it is `span` or more; all are uint64, and distances wrap."""
    for i in range(len(words)):
        distance = words[i] - low
        out[i] = np.int64(distance) if distance < span else -1


@jit
def learned_codes(words: Array, present: Array, out: Index) -> tuple[Array, int]:
    """A table of the words that are present, and how many there are; fill the code of each, -1 where it is not present.

    Codes follow the first appearance. The table holds (word, code + 1), or 0 where it is empty; at most half of it is filled.
    """
    table = np.zeros((1024, 2), dtype=np.uint64)
    count = 0
    for i in range(len(words)):
        out[i] = -1
        if not present[i]:
            continue
        at = _place(table, words[i])
        if table[at, 1] == 0:
            if 2 * count >= len(table):
                table = _grown(table)
                at = _place(table, words[i])
            count += 1
            table[at, 0], table[at, 1] = words[i], count
        out[i] = np.int64(table[at, 1]) - 1
    return table, count


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
def _grown(table: Array) -> Array:
    larger = np.zeros((2 * len(table), 2), dtype=np.uint64)
    for at in range(len(table)):
        if table[at, 1] != 0:
            to = _place(larger, table[at, 0])
            larger[to, 0], larger[to, 1] = table[at, 0], table[at, 1]
    return larger
