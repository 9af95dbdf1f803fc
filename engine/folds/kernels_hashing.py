"""Compiled loops that hash keys; engine/folds/hashing.py says what a hash is."""

from __future__ import annotations

from typing import Any

import numpy as np

from .column import Array
from .jit import jit

GAMMA = np.uint64(0x9E3779B97F4A7C15)
FIRST, SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_30, _27, _31 = np.uint64(30), np.uint64(27), np.uint64(31)


@jit
def hashed_words(words: Array, begins: bool, out: Array) -> None:
    """Fill the hash of keys with one more column: that of words of 64 bits, none of them null. It `begins` where it is the first."""
    for i in range(len(words)):
        word = _mixed(words[i])
        out[i] = _mixed(word if begins else out[i] ^ word)


@jit
def bucketed(hashes: Array, buckets: int) -> None:
    """Put the bucket of each hash in its place."""
    divisor = np.uint64(buckets)
    mask = divisor - np.uint64(1)
    if divisor & mask == 0:
        for i in range(len(hashes)):
            hashes[i] &= mask
    else:
        for i in range(len(hashes)):
            hashes[i] %= divisor


@jit
def _mixed(word: Any) -> Any:
    """SplitMix64's output function (Steele, Lea and Flood 2014, figure 14)."""
    word = np.uint64(word) + GAMMA
    word = (word ^ (word >> _30)) * FIRST
    word = (word ^ (word >> _27)) * SECOND
    return word ^ (word >> _31)
