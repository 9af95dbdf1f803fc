"""Folding index ranges on a tree of merged states: any fold, any ranges, O(log n) merges a range.

Level k holds the states of aligned blocks of 2^k rows. A range is the merge, in order, of at most two blocks a level. Only rows
inside a range ever enter its state, so nothing outside can leak in.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..language.fold import Fold, State
from .column import Column, Index

Merge = Callable[[State, State], State]


class Tree:
    """The states of single rows, in order, and on demand those of the blocks above them."""

    def __init__(self, rows: State, merge: Merge) -> None:
        self._levels, self._merge = [rows], merge

    @staticmethod
    def of(fold: Fold, column: Column) -> Tree:
        """The tree of a fold's states over a column."""
        return Tree(fold.lift(column), fold.merge)

    def over(self, start: Index, stop: Index, empty: State) -> State:
        """The state of each half-open range [start, stop), beginning from `empty`, one state a range."""
        left = tuple(part.copy() for part in empty)
        right = tuple(part.copy() for part in empty)
        low, high = start.copy(), stop.copy()
        height = 0
        while (low < high).any():
            level, merge = self._level(height), self._merge
            odd_low = np.flatnonzero((low < high) & (low & 1 == 1))
            put(left, odd_low, merge(take(left, odd_low), take(level, low[odd_low])))
            low[odd_low] += 1
            odd_high = np.flatnonzero((low < high) & (high & 1 == 1))
            put(right, odd_high, merge(take(level, high[odd_high] - 1), take(right, odd_high)))
            low, high, height = (low + 1) >> 1, high >> 1, height + 1
        return self._merge(left, right)

    def _level(self, height: int) -> State:
        """The states of a level; threads that ask at the same time make equal ones."""
        levels = self._levels
        while len(levels) <= height:
            levels = [*levels, _halved(levels[-1], self._merge)]
        self._levels = levels
        return levels[height]


def _halved(level: State, merge: Merge) -> State:
    """The next level: neighbours merged in pairs, an odd last one kept."""
    n = len(level[0])
    even = n - (n & 1)
    merged = merge(tuple(part[0:even:2] for part in level), tuple(part[1:even:2] for part in level))
    if n & 1 == 0:
        return merged
    return tuple(np.concatenate([part, tail[-1:]]) for part, tail in zip(merged, level, strict=True))


def take(state: State, index: Index | slice) -> State:
    """Some of the states."""
    return tuple(part[index] for part in state)


def put(state: State, index: Index | slice, new: State) -> None:
    """Write states where others stand."""
    for part, values in zip(state, new, strict=True):
        part[index] = values
