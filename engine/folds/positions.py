"""Rows on their way to their places and back, and where times stand among the events of a group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..language.window import End
from . import compiled
from .column import Array, Index
from .memory import fresh, nowhere

_FEW = 16  # one of so many rows falls behind the one before, or fewer: then only those groups are sorted that are out of order
_BLOCK = 1 << 15  # rows packed at a time, so that what lies between stays in the cache: half the time (2026-11)


def upper_indices(time: Index, offsets: Index, group: Index, asked: Index, ends: Sequence[End]) -> Index:
    """For each end w of question i, the index after the last event of its group with time <= the end; (ends, questions).

    Group g has the events [offsets[g], offsets[g + 1]), sorted by time. Questions may come in any order; it is cheapest where those
    of a group follow each other by the time asked, with which ends never decrease.
    """
    loops = compiled.kernels(len(time) + len(ends) * len(group))
    if loops:
        bases = {id(end.instants): end.instants for end in ends}
        base = np.stack(list(bases.values())) if len(bases) > 1 else ends[0].instants[None]
        row, less = [list(bases).index(id(end.instants)) for end in ends], [end.less for end in ends]
        held, found = np.empty((2, len(ends)), dtype=np.int64), np.empty((len(ends), len(group)), dtype=np.int64)
        loops.upper_indices(time, offsets, group, asked, base, np.array(row), np.array(less), held, found)
        return found
    bounds = np.stack([end() for end in ends])
    instants = np.unique(time)
    width = len(instants) + 1
    rank = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets)) * width + np.searchsorted(
        instants, time, side="right"
    )
    return np.searchsorted(rank, group * width + np.searchsorted(instants, bounds, side="right"), side="right")


def places(group: Index, groups: int, time: Index, ties: Sequence[Index] = ()) -> tuple[Index | None, Index]:
    """Where each row stands when sorted by (group, time, ties, position), and where groups begin.

    None: it stands there; -1: left out, as its group is.
    """
    loops = compiled.kernels(len(group))
    if loops is None:
        return _places(group, groups, time, ties)
    table, most, counts = _table(ties), len(group) // _FEW, np.zeros(2, dtype=np.int64)
    loops.falls(group, time, table, most, counts)
    by_time, by_group = counts.tolist()
    offsets = np.zeros(groups + 1, dtype=np.int64)
    if not by_group:
        loops.begins(group, offsets)
        return None, offsets
    if min(by_time, by_group) > most and not ties and _packing(group, time) is not None:
        return _by_packing(loops, group, time, offsets)
    place = fresh(len(group), smallest(len(group)))
    if by_time:
        loops.places_by_time(group, time, table, *_scratch(groups, place.dtype, len(group)), place, offsets)
    else:
        loops.places(group, np.empty(groups, dtype=np.int64), place, offsets)
    return place, offsets


def _by_packing(loops: Any, group: Index, time: Index, offsets: Index) -> tuple[Index | None, Index]:
    """The same for rows that come in no order: to sort all of them costs less than to look which groups need it."""
    loops.begins(group, offsets)
    rows = ordered(group, time)[len(group) - int(offsets[-1]) :]
    numbers = np.arange(len(rows), dtype=smallest(len(group)))
    place = fresh(len(group), numbers.dtype)
    if len(rows) < len(group):
        place[:] = -1
    loops.spread(numbers, rows, place)
    return place, offsets


def grouped(group: Index, groups: int) -> tuple[Index | None, Index]:
    """The same where the rows of a group keep their order, whatever their times."""
    loops = compiled.kernels(len(group))
    if loops is None:
        return _places(group, groups, np.zeros(len(group), dtype=np.int64), ())
    place, offsets = fresh(len(group), smallest(len(group))), np.zeros(groups + 1, dtype=np.int64)
    return None if loops.places(group, np.empty(groups, dtype=np.int64), place, offsets) else place, offsets


def _scratch(groups: int, small: np.dtype[Any], n: int) -> tuple[Array, ...]:
    """What `places_by_time` needs; pages of it that are not used cost nothing."""
    whole = np.dtype(np.int64)
    of_groups = (np.empty(groups, dtype=whole), np.empty(groups, dtype=whole), np.zeros(groups, dtype=np.bool_))
    return (*of_groups, fresh(n, small), *(np.empty(n, dtype=kind) for kind in (whole, small, whole)))


def _table(ties: Sequence[Index]) -> Index:
    if not ties:
        return np.empty((0, 0), dtype=np.int64)
    return ties[0][None] if len(ties) == 1 else np.stack(ties)


def _places(group: Index, groups: int, time: Index, ties: Sequence[Index]) -> tuple[Index | None, Index]:
    order = np.lexsort((*reversed(ties), time, group)) if ties else ordered(group, time)
    kept = order[np.searchsorted(group[order], 0) :]
    offsets = np.searchsorted(group[kept], np.arange(groups + 1))
    rows = np.arange(len(kept))
    if len(kept) == len(group) and (kept == rows).all():
        return None, offsets
    place = np.full(len(group), -1)
    place[kept] = rows
    return place, offsets


def ordered(group: Index, time: Index) -> Index:
    """The rows sorted by (group, time, position); groups are -1 or more.

    All three are packed in one number, as numpy sorts numbers many times faster than rows by two keys (1e6: 8 ms against 150, 2026-11).
    Times are cut short where they do not fit, and the few rows that then look alike are sorted for themselves.
    """
    packing = _packing(group, time)
    if packing is None:
        return np.lexsort((time, group))
    low, bits, places, short = packing
    numbers = fresh(len(group), np.dtype(np.int64))
    for begin in range(0, len(group), _BLOCK):
        cut = slice(begin, begin + _BLOCK)
        packed = group[cut] + np.int64(1)
        packed <<= bits - short
        packed |= (time[cut] - low) >> short
        packed <<= places
        packed |= np.arange(begin, begin + len(packed))
        numbers[cut] = packed
    numbers.sort()
    rows = np.bitwise_and(numbers, (1 << places) - 1, out=fresh(len(group), numbers.dtype))
    if short:
        numbers >>= places
        _tell_apart(rows, numbers, time)
    return rows


def _packing(group: Index, time: Index) -> tuple[int, int, int, int] | None:
    """The least time, how many bits times and positions take, and how many bits times are cut short by; None where that is too many."""
    if not len(group):
        return None
    low, high = int(time.min()), int(time.max())
    bits, places = (high - low).bit_length(), len(group).bit_length()
    short = max(bits + places + (int(group.max()) + 1).bit_length() - 63, 0)
    return None if short > bits or bits > 62 else (low, bits, places, short)


def _tell_apart(rows: Index, numbers: Index, time: Index) -> None:
    """Sort rows of equal numbers by time, in place."""
    same = numbers[1:] == numbers[:-1]
    tied = np.flatnonzero(np.append(same, False) | np.insert(same, 0, False))
    alike, numbers = rows[tied], numbers[tied]
    times = time[alike]
    if ((times[1:] < times[:-1]) & (numbers[1:] == numbers[:-1])).any():
        rows[tied] = alike[np.lexsort((times, numbers))]


def smallest(span: int) -> np.dtype[Any]:
    """The type of indices and codes up to `span`: half the memory to move where 32 bits do."""
    return np.dtype(np.int32 if span < 2**31 - 1 else np.int64)


def take(values: Array, rows: Index) -> Array:
    """The values at some rows."""
    loops = compiled.kernels(len(rows)) if values.dtype != np.object_ else None
    if loops is None:
        return values[rows]
    out = fresh(len(rows), values.dtype)
    loops.take(values, rows, out)
    return out


def spread(values: Array, place: Index, n: int) -> Array:
    """The values each at its place among n; those placed below 0 are left out."""
    if not isinstance(values, np.ndarray):
        return values.spread(place, n)
    out = fresh(n, values.dtype)
    loops = compiled.kernels(len(values)) if values.dtype != np.object_ else None
    if loops:
        loops.spread(values, place, out)
    else:
        kept = place >= 0
        out[place[kept]] = values[kept]
    return out


def standing(place: Index, n: int) -> Index:
    """Which row stands at each of n places, all of which are taken; rows that are placed below 0 stand nowhere."""
    return spread(np.arange(len(place), dtype=smallest(len(place))), place, n)


def put_at(values: Array, rows: Index, out: Array) -> None:
    """Write the values at their rows in `out`."""
    loops = compiled.kernels(len(rows)) if values.dtype != np.object_ else None
    if loops:
        loops.spread(values, rows, out)
    else:
        out[rows] = values


def rises(values: Array) -> bool:
    """Whether every value is greater than the one before."""
    loops = compiled.kernels(len(values)) if values.dtype == np.int64 else None
    return bool(loops.rises(values)) if loops else bool((values[1:] > values[:-1]).all())


def distinct(values: Array, low: int, span: int) -> bool:
    """Whether no value of [low, low + span) appears twice."""
    seen = nowhere(span)
    loops = compiled.kernels(len(values)) if values.dtype == np.int64 else None
    if loops:
        return bool(loops.distinct(values, low, seen))
    seen[values - low] = True
    return int(np.count_nonzero(seen)) == len(values)
