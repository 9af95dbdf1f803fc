"""The compiled loop that finds the groups of rows."""

from __future__ import annotations

from .column import Index
from .jit import jit


@jit
def owners(offsets: Index, row: Index, out: Index) -> None:
    """Fill the last group that begins at or before each row; one past the end is the last group's. The search begins where it ended."""
    last = len(offsets) - 2
    g = 0
    for i in range(len(row)):
        if not (offsets[g] <= row[i] and (g >= last or row[i] < offsets[g + 1])):
            low, high = 0, max(last, 0)
            while low < high:
                middle = (low + high + 1) >> 1
                if offsets[middle] <= row[i]:
                    low = middle
                else:
                    high = middle - 1
            g = low
        out[i] = g
