"""Compiled loops that put rows in order. Large results go to arrays of the caller's, whose memory is warm."""

from __future__ import annotations

from .column import Array, Index
from .jit import jit


@jit
def places(group: Index, place: Index, offsets: Index) -> bool:
    """Fill where each row stands when sorted by group (-1: left out, as its group is) and where groups begin; True if rows stood so.

    Rows of one group keep their order. `offsets` comes as zeros.
    """
    cursor = _begin(group, offsets)
    stood_so = True
    for i in range(len(group)):
        g = group[i]
        if g < 0:
            place[i] = -1
            stood_so = False
            continue
        place[i] = cursor[g]
        stood_so &= cursor[g] == i
        cursor[g] += 1
    return stood_so


@jit
def places_in_order(group: Index, order: Index, place: Index, offsets: Index) -> None:
    """The same where the rows of a group follow each other in the given order of all rows."""
    cursor = _begin(group, offsets)
    for i in order:
        g = group[i]
        place[i] = -1
        if g >= 0:
            place[i] = cursor[g]
            cursor[g] += 1


@jit
def _begin(group: Index, offsets: Index) -> Index:
    for g in group:
        if g >= 0:
            offsets[g + 1] += 1
    for g in range(len(offsets) - 1):
        offsets[g + 1] += offsets[g]
    return offsets[:-1].copy()


@jit
def take(values: Array, rows: Index, out: Array) -> None:
    """Fill `out` with the values at some rows; about half the time of numpy's indexing, which checks and buffers."""
    for i in range(len(rows)):
        out[i] = values[rows[i]]


@jit
def spread(values: Array, place: Index, out: Array) -> None:
    """Write the values each to its place in `out`; those placed below 0 are left out."""
    for i in range(len(values)):
        if place[i] >= 0:
            out[place[i]] = values[i]


@jit
def rises(values: Index) -> bool:
    """Whether every value is greater than the one before."""
    for i in range(1, len(values)):  # noqa: SIM110  (compiled)
        if values[i] <= values[i - 1]:
            return False
    return True


@jit
def never_falls(values: Index) -> bool:
    """Whether no value is less than the one before."""
    falls = False
    for i in range(1, len(values)):
        falls |= values[i] < values[i - 1]
    return not falls


@jit
def distinct(values: Index, low: int, seen: Array) -> bool:
    """Whether no value appears twice; `seen` comes as False for each from `low` on."""
    for value in values:
        if seen[value - low]:
            return False
        seen[value - low] = True
    return True
