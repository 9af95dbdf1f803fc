"""Compiled loops that find the question a row reaches, and keep there the latest row."""

from __future__ import annotations

from .column import Array, Index, Mask
from .jit import jit


@jit
def reached(time: Index, group: Index, late: int, base: Index, offsets: Index, cursor: Index, out: Index) -> None:
    """Fill for each row the first question of its group with base - late >= time, -1 where there is none.

    Group g has the questions [offsets[g], offsets[g + 1]), sorted by base. `cursor` holds where the search in each group begins and
    ended: rows that come about by time find their question a few steps from that of the row before.
    """
    for i in range(len(time)):
        g = group[i]
        out[i] = -1
        if g >= 0:
            at = _first(base, offsets[g], offsets[g + 1], cursor[g], time[i] + late)
            cursor[g] = at
            if at < offsets[g + 1]:
                out[i] = at


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
def keep_latest(
    time: Index,
    sequence: Index,
    question: Index,
    seen: Mask,
    latest: Index,
    latest_sequence: Index,
    row: Index,
    touched: Index,
) -> int:
    """Keep the latest row of each question, by (time, sequence, position); fill the questions that got one, and return their number.

    `latest` holds the time and `latest_sequence` the sequence of what questions have; `row` is -1 for all, and becomes the row of those
    that got one. Without `sequence` (empty) later rows follow earlier ones; without `seen` (empty) every row counts.
    """
    count = 0
    for i in range(len(time)):
        q = question[i]
        if q < 0 or time[i] < latest[q] or (len(seen) > 0 and not seen[i]):
            continue
        if len(sequence) > 0:
            if time[i] == latest[q] and sequence[i] < latest_sequence[q]:
                continue
            latest_sequence[q] = sequence[i]
        latest[q] = time[i]
        if row[q] < 0:
            touched[count] = q
            count += 1
        row[q] = i
    return count


@jit
def put_values(values: Array, rows: Index, places: Index, out: Array) -> None:
    """Write the values of some rows each to its place."""
    for k in range(len(rows)):
        out[places[k]] = values[rows[k]]
