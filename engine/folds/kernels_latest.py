"""Compiled loops that find the question a row reaches, and keep there the latest row."""

from __future__ import annotations

import numpy as np

from .column import Array, Index, Mask
from .jit import jit, prefetch

NEVER, ALWAYS = -(2**63), 2**63 - 1  # the time of no row, and one that no row has
_AT, _AFTER, _UPTO, _TIME, _FIRST, _END = range(6)  # columns of `front`
FRONT = 8  # words of a group: a line of the cache
_AHEAD = 20  # rows before a row is done, its group's front is on its way
_SOON = 8  # and what that leads to


@jit
def keep_latest(
    time: Index,
    sequence: Index,
    group: Index,
    seen: Mask,
    late: int,
    base: Index,
    front: Index,
    latest: Index,
    latest_sequence: Index,
    mine: Array,
    touched: Index,
    rows: Index,
) -> int:
    """Let each row go to the first question of its group with base - late >= time, which keeps the latest by (time, sequence, position).

    Questions are sorted by group and base; rows of group -1 are nobody's. `latest` holds the time and
    `latest_sequence` the sequence of what questions have; `mine`, a bit for each that comes as 0, whether it is one of these rows.
    `touched` is filled with questions that got a row and `rows` with that, and how many is returned: of equal questions the last one
    counts. Without `sequence` (empty) later rows follow earlier ones; without `seen` (empty) every row counts.

    `front` holds for each group the question its last row went to, the base before that and its own, the time it has, and the group's
    first question and its end: rows that come about by time mostly go where the one before went. They are taken from the last to the
    first, so that most find a later one there.
    """
    count = 0
    for i in range(len(time) - 1, -1, -1):
        if i >= _AHEAD:
            _look_ahead(group[i - _AHEAD], group[i - _SOON], front, base, latest)
        g = group[i]
        if g < 0 or (len(seen) > 0 and not seen[i]):
            continue
        wanted = time[i] + late
        if not front[g, _AFTER] < wanted <= front[g, _UPTO]:
            _turn(front, g, _first(base, front[g, _FIRST], front[g, _END], front[g, _AT], wanted), base, latest)
        if time[i] < front[g, _TIME]:
            continue
        q = front[g, _AT]
        if time[i] == front[g, _TIME] and not _later(
            sequence, i, latest_sequence, q, (mine[q >> 3] >> (q & 7)) & 1 == 0
        ):
            continue
        if len(sequence) > 0:
            latest_sequence[q] = sequence[i]
        latest[q] = front[g, _TIME] = time[i]
        mine[q >> 3] |= np.uint8(1 << (q & 7))
        touched[count], rows[count] = q, i
        count += 1
    return count


@jit
def _look_ahead(ahead: int, soon: int, front: Index, base: Index, latest: Index) -> None:
    """Have the front of a group fetched, and what the front of another, which is there by now, leads to."""
    if ahead >= 0:
        prefetch(front, ahead)
    if soon >= 0:
        prefetch(base, front[soon, _AT] - 1)
        prefetch(latest, front[soon, _AT] - 1)


@jit
def _later(sequence: Index, i: int, latest_sequence: Index, q: int, elder: bool) -> bool:
    """Whether row i follows the row of equal time that question q has; `elder` if that is of rows before these."""
    if len(sequence) == 0 or sequence[i] == latest_sequence[q]:
        return elder
    return bool(sequence[i] > latest_sequence[q])


@jit
def _turn(front: Index, g: int, q: int, base: Index, latest: Index) -> None:
    """Let the front of a group be at question q; where that is the group's end no row is late enough."""
    front[g, _AT] = q
    front[g, _AFTER] = base[q - 1] if q > front[g, _FIRST] else NEVER
    front[g, _UPTO] = base[q] if q < front[g, _END] else ALWAYS
    front[g, _TIME] = latest[q] if q < front[g, _END] else ALWAYS


@jit
def stand_first(offsets: Index, front: Index) -> None:
    """Fill the front before any row came: up to never, so that the first row has to search. Group g has the questions [offsets[g], offsets[g + 1])."""
    for g in range(len(front)):
        front[g, _AT] = front[g, _FIRST] = offsets[g]
        front[g, _END] = offsets[g + 1]
        front[g, _AFTER] = front[g, _UPTO] = front[g, _TIME] = NEVER


@jit
def _first(base: Index, low: int, high: int, at: int, wanted: int) -> int:
    """The first index in [low, high) with base >= wanted, searched by doubled steps from `at`, then by halving; `high` for none."""
    step = 1
    if at < high and base[at] < wanted:
        low = at + 1
        while low + step <= high:
            if base[low + step - 1] >= wanted:
                high = low + step - 1
                break
            low += step
            step *= 2
    else:
        high = at
        while high - step >= low:
            if base[high - step] < wanted:
                low = high - step + 1
                break
            high -= step
            step *= 2
    while low < high:
        middle = (low + high) >> 1
        if base[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low


@jit
def merge_latest(time: Index, sequence: Index, latest: Index, latest_sequence: Index, touched: Index) -> int:
    """Keep for each question the later of two rows, that of `time`, which came later, and that of `latest`; fill those that got one."""
    count = 0
    for q in range(len(time)):
        if time[q] == NEVER or time[q] < latest[q]:
            continue
        if len(sequence) > 0:
            if time[q] == latest[q] and sequence[q] < latest_sequence[q]:
                continue
            latest_sequence[q] = sequence[q]
        latest[q] = time[q]
        touched[count] = q
        count += 1
    return count


@jit
def carry(offsets: Index, time: Index, source: Index, out: Index) -> None:
    """Fill for each question the last one of its group up to it that has a time, itself where there is none; and that time."""
    for g in range(len(offsets) - 1):
        at = -1
        for q in range(offsets[g], offsets[g + 1]):
            if time[q] != NEVER:
                at = q
            source[q] = q if at < 0 else at
            out[q] = NEVER if at < 0 else time[at]


@jit
def put_values(values: Array, rows: Index, places: Index, out: Array) -> None:
    """Write the values of some rows each to its place."""
    for k in range(len(rows)):
        out[places[k]] = values[rows[k]]
