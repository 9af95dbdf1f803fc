"""Which group each row belongs to: some kernels keep a little for every group beside what they keep for every row."""

from __future__ import annotations

import numpy as np

from . import compiled
from .column import Index


def owners(offsets: Index, row: Index) -> Index:
    """The group of each row, given where groups begin; cheapest in rising order. One past the end is the last group's.

    >>> owners(np.array([0, 2, 2, 5]), np.array([0, 1, 2, 4, 5]))
    array([0, 0, 2, 2, 2])
    """
    loops = compiled.kernels(len(row))
    if loops:
        found = np.empty(len(row), dtype=np.int64)
        loops.owners(offsets, row, found)
        return found
    return np.clip(np.searchsorted(offsets, row, side="right") - 1, 0, max(len(offsets) - 2, 0))
