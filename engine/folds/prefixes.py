"""The states of all rows of a group up to each of its rows, for folds whose ranges begin where groups begin: any fold, one merge a row.

Rows stand in blocks. A row keeps the state of those of its block up to it, and blocks are kept in the same way: what is asked for
merges the two. Rows at the same place of all blocks are merged side by side.
"""

from __future__ import annotations

from math import isqrt

import numpy as np

from ..language.fold import Fold, State
from .column import Column, Index, Mask
from .memory import fresh
from .tree import Merge, put, take

_WIDTH = 199  # rows of a block at most: odd, so that equal places of blocks do not share a set of the cache (2.4 million rows, 2026-11)
_STRETCH = 32_768  # rows whose states are made at once: what lies between stays in the cache, and is not memory anew


class Prefixes:
    """Made of the states of single rows, in order, which it overwrites; `begins` says which rows are the first of a group."""

    def __init__(self, rows: State, begins: Mask, merge: Merge) -> None:
        self._rows, self._merge = rows, merge
        self._width = min(_WIDTH, isqrt(len(begins)) + 1)
        self._fold_blocks(begins)
        self._blocks = self._of_blocks(begins) if len(begins) > self._width else None

    def upto(self, start: Index, stop: Index, empty: State) -> State:
        """The state of each half-open range [start, stop), that begins where a group begins; `empty` gives those without rows."""
        found = tuple(part.copy() for part in empty)
        some = np.flatnonzero(start < stop)
        put(found, some, self._state(start[some], stop[some] - 1))
        return found

    def _state(self, first: Index, last: Index) -> State:
        """The states of the rows from each first one to each last one."""
        state = take(self._rows, last)
        block = last // self._width
        longer = np.flatnonzero(first < block * self._width)
        if self._blocks is not None:
            before = self._blocks._state(first[longer] // self._width, block[longer] - 1)
            put(state, longer, self._merge(before, take(state, longer)))
        return state

    def _fold_blocks(self, begins: Mask) -> None:
        """Merge each row with those before it in its block, back to the begin of its group."""
        before = _copied(self._rows, slice(None, None, self._width))
        for place in range(1, min(self._width, len(begins))):
            here = _copied(self._rows, slice(place, None, self._width))
            before = _copied(self._merge(take(before, slice(len(here[0]))), here), slice(None))
            alone = np.flatnonzero(begins[place :: self._width])
            put(before, alone, take(here, alone))
            put(self._rows, slice(place, None, self._width), before)

    def _of_blocks(self, begins: Mask) -> Prefixes:
        """The same over whole blocks; where a group begins in one, those before it are of other groups."""
        width, full = self._width, len(begins) // self._width
        last = _copied(self._rows, slice(width - 1, None, width))
        begin = np.logical_or.reduce(begins[: full * width].reshape(full, width), axis=1)
        return Prefixes(last, begin, self._merge)


def _copied(state: State, index: slice) -> State:
    """Some of the states, side by side: to fold those that lie apart takes twice as long, and what a merge gives may be what it was given."""
    return tuple(part[index].copy() for part in state)


def lifted(fold: Fold, column: Column) -> State:
    """The states of single rows, in arrays of their own."""
    stretches = [slice(begin, begin + _STRETCH) for begin in range(0, max(len(column), 1), _STRETCH)]
    rows: State = ()
    for stretch in stretches:
        some = fold.lift(column.slice(stretch))
        rows = rows or tuple(fresh(len(column), part.dtype) for part in some)
        put(rows, stretch, some)
    return rows
