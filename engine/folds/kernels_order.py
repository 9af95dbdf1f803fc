"""Compiled loops that put rows in order. Large results go to arrays of the caller's, whose memory is warm."""

from __future__ import annotations

from .column import Array, Index, Mask
from .jit import jit

_RUN = 16  # rows sorted by insertion: they fit two lines of the cache


@jit
def places(group: Index, cursor: Index, place: Index, offsets: Index) -> bool:
    """Fill where each row stands when sorted by group (-1: left out, as its group is) and where groups begin; True if rows stood so.

    Rows of one group keep their order. `offsets` comes as zeros; `cursor` (groups,) is scratch.
    """
    _begin(group, cursor, offsets)
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
def places_by_time(
    group: Index,
    time: Index,
    ties: Index,
    cursor: Index,
    last: Index,
    mixed: Mask,
    rows: Index,
    times: Index,
    spare: Index,
    spare_times: Index,
    place: Index,
    offsets: Index,
) -> None:
    """The same where the rows of a group follow each other by (time, ties, position), ties (ties, n).

    Rows are counted into their groups as they stand. Only groups that are out of order are sorted then. Scratch is `cursor`, `last` and
    `mixed`, which comes as False, (groups,); and `rows`, `times`, `spare` and `spare_times`, (n,).
    """
    _begin(group, cursor, offsets)
    last[:] = -1
    for i in range(len(group)):
        g = group[i]
        place[i] = -1
        if g >= 0:
            place[i] = cursor[g]
            cursor[g] += 1
            mixed[g] |= last[g] >= 0 and _later(time[last[g]], last[g], time[i], i, ties)
            last[g] = i
    for i in range(len(group)):
        if group[i] >= 0 and mixed[group[i]]:
            rows[place[i]] = i
    for g in range(len(cursor)):
        if mixed[g]:
            first, end = offsets[g], offsets[g + 1]
            _sort(rows[first:end], time, ties, times[first:end], spare[first:end], spare_times[first:end])
            for to in range(first, end):
                place[rows[to]] = to


@jit
def falls(group: Index, time: Index, ties: Index, most: int, counts: Index) -> None:
    """Fill how many rows fall behind the one before by (time, ties), and by (group, time, ties), those that are left out among them.

    No more are counted once both are more than `most`.
    """
    by_time = 0
    by_group = int(len(group) > 0 and group[0] < 0)
    for i in range(1, len(group)):
        fallen = _later(time[i - 1], i - 1, time[i], i, ties)
        by_time += fallen
        by_group += group[i] < max(group[i - 1], 0) or (fallen and group[i] == group[i - 1])
        if by_time > most and by_group > most:
            break
    counts[0], counts[1] = by_time, by_group


@jit
def _later(time: int, row: int, other_time: int, other: int, ties: Index) -> bool:
    """Whether a row of this time comes after another by (time, ties)."""
    if time != other_time:
        return time > other_time
    for k in range(len(ties)):
        if ties[k, row] != ties[k, other]:
            return bool(ties[k, row] > ties[k, other])
    return False


@jit
def _sort(rows: Index, time: Index, ties: Index, times: Index, spare: Index, spare_times: Index) -> None:
    """Sort rows by (time, ties), equal ones as they stand: short runs by insertion, then merged; little moves where little is amiss."""
    n = len(rows)
    for i in range(n):
        times[i] = time[rows[i]]
    for begin in range(0, n, _RUN):
        _insert(rows, times, ties, begin, min(begin + _RUN, n))
    width = _RUN
    while width < n:
        for begin in range(0, n - width, 2 * width):
            _merge(rows, times, ties, begin, begin + width, min(begin + 2 * width, n), spare, spare_times)
        width *= 2


@jit
def _insert(rows: Index, times: Index, ties: Index, begin: int, end: int) -> None:
    for i in range(begin + 1, end):
        row, at = rows[i], times[i]
        to = i
        while to > begin and _later(times[to - 1], rows[to - 1], at, row, ties):
            rows[to], times[to] = rows[to - 1], times[to - 1]
            to -= 1
        rows[to], times[to] = row, at


@jit
def _merge(
    rows: Index, times: Index, ties: Index, begin: int, middle: int, end: int, spare: Index, spare_times: Index
) -> None:
    """Merge two sorted neighbours; those that are in place already, at the beginning and at the end, are not touched."""
    low, high = begin, middle  # the first of the earlier part that comes after the first of the later one
    while low < high:
        half = (low + high) >> 1
        if _later(times[half], rows[half], times[middle], rows[middle], ties):
            high = half
        else:
            low = half + 1
    held = middle - low
    for i in range(held):
        spare[i], spare_times[i] = rows[low + i], times[low + i]
    taken, right = 0, middle
    while taken < held:
        if right < end and _later(spare_times[taken], spare[taken], times[right], rows[right], ties):
            rows[low], times[low] = rows[right], times[right]
            right += 1
        else:
            rows[low], times[low] = spare[taken], spare_times[taken]
            taken += 1
        low += 1


@jit
def begins(group: Index, offsets: Index) -> None:
    """Fill where groups begin; `offsets` comes as zeros. Rows of group -1 are left out."""
    for g in group:
        if g >= 0:
            offsets[g + 1] += 1
    for g in range(len(offsets) - 1):
        offsets[g + 1] += offsets[g]


@jit
def _begin(group: Index, cursor: Index, offsets: Index) -> None:
    """Fill where groups begin, twice."""
    begins(group, offsets)
    for g in range(len(cursor)):
        cursor[g] = offsets[g]


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
def distinct(values: Index, low: int, seen: Array) -> bool:
    """Whether no value appears twice; `seen` comes as False for each from `low` on."""
    for value in values:
        if seen[value - low]:
            return False
        seen[value - low] = True
    return True
