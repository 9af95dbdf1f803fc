"""Reductions over index ranges of a column, for folds' `bulk`: compiled where the work is worth it, numpy where it is not.

Among ranges that are not empty `start` and `stop` never decrease. Both forms agree up to the contract's 1e-12 for float sums and exactly otherwise.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from .column import Array, Index

_KERNELS = __package__ + ".kernels"
_WORTH = 200_000  # rows; loading the compiled loops costs about 1.3 CPU s, numpy at this size 0.2 s (2026-11, benchmarks/fraud.py)


def kernels(work: int) -> Any:
    """The compiled loops if they are loaded already or `work` rows are worth loading them."""
    loaded = sys.modules.get(_KERNELS)
    if loaded is not None and hasattr(loaded, "largest"):
        return loaded
    return warm() if work >= _WORTH else None


def warm() -> Any:
    """Load the compiled loops now, as a long-lived process does at its start; None where numba is not installed."""
    try:
        from . import kernels as loops
    except ImportError:
        return None
    return loops


def range_sum(values: Array, start: Index, stop: Index) -> Array:
    """The sum of each range: int64 exactly for integers and Booleans, float64 compensated for floats; 0 for an empty one."""
    loops = kernels(len(values) + len(start))
    if values.dtype.kind != "f":
        whole = values.astype(np.int64, copy=False)
        return loops.sum_integers(whole, start, stop) if loops else _integer_sums(whole, start, stop)
    wide = values.astype(np.float64, copy=False)
    return loops.sum_floats(wide, start, stop) if loops else _float_sums(wide, start, stop)


def range_min(values: Array, start: Index, stop: Index) -> Array:
    """The least value of each range (NaN if one is inside); arbitrary for an empty range."""
    loops = kernels(len(values) + len(start))
    return (
        loops.smallest(values, start, stop)
        if loops and values.dtype != np.object_
        else _reduced(np.minimum, values, start, stop)
    )


def range_max(values: Array, start: Index, stop: Index) -> Array:
    """The greatest value of each range (NaN if one is inside); arbitrary for an empty range."""
    loops = kernels(len(values) + len(start))
    return (
        loops.largest(values, start, stop)
        if loops and values.dtype != np.object_
        else _reduced(np.maximum, values, start, stop)
    )


def upper_index(time: Index, offsets: Index, group: Index, bound: Index) -> Index:
    """For each asked (group, bound) the index after the last event of the group with time <= bound.

    Events are sorted by time within each group, [offsets[g], offsets[g + 1]); asked entries are sorted by group and bound.
    """
    loops = kernels(len(time) + len(group))
    if loops:
        found: Index = loops.upper_index(time, offsets, group, bound)
        return found
    instants = np.unique(time)
    width = len(instants) + 1
    event_group = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    rank = event_group * width + np.searchsorted(instants, time, side="right")
    return np.searchsorted(rank, group * width + np.searchsorted(instants, bound, side="right"), side="right")


def order_by_group(group: Index, groups: int) -> tuple[Index, Index]:
    """The stable order that sorts by group (entries below 0 left out), and the offsets of the groups."""
    loops = kernels(len(group))
    if loops:
        sorted_: tuple[Index, Index] = loops.order_by_group(group, groups)
        return sorted_
    order = np.argsort(group, kind="stable")
    order = order[np.searchsorted(group[order], 0) :]
    return order, np.searchsorted(group[order], np.arange(groups + 1))


def take(values: Array, rows: Index) -> Array:
    """The values at some rows."""
    loops = kernels(len(rows)) if values.dtype != np.object_ else None
    taken: Array = loops.take(values, rows) if loops else values[rows]
    return taken


def put(out: Array, rows: Index, values: Array) -> None:
    """Write values to some rows of `out`."""
    loops = kernels(len(rows)) if values.dtype == out.dtype != np.object_ else None
    if loops:
        loops.put(out, rows, values)
    else:
        out[rows] = values


def _integer_sums(values: Array, start: Index, stop: Index) -> Array:
    prefix = np.zeros(len(values) + 1, dtype=np.int64)
    np.cumsum(values, out=prefix[1:])
    return prefix[stop] - prefix[start]


def _float_sums(values: Array, start: Index, stop: Index) -> Array:
    """Pairs (high, low) on a tree of blocks, the compensated sum that the compiled loop forms."""
    from .tree import reduce_ranges

    high, low = reduce_ranges(
        (values, np.zeros_like(values)), _two_sum, (np.zeros(len(start)), np.zeros(len(start))), start, stop
    )
    with np.errstate(all="ignore"):
        return np.where(np.isfinite(high), high + low, high)


def _two_sum(a: tuple[Array, ...], b: tuple[Array, ...]) -> tuple[Array, ...]:
    with np.errstate(all="ignore"):
        total = a[0] + b[0]
        shifted = total - a[0]
        return total, (a[0] - (total - shifted)) + (b[0] - shifted) + a[1] + b[1]


def _reduced(best: Any, values: Array, start: Index, stop: Index) -> Array:
    from .tree import reduce_ranges

    if not len(values):
        return np.zeros(len(start), dtype=values.dtype)
    seed = np.minimum(start, len(values) - 1)
    (out,) = reduce_ranges((values,), lambda a, b: (best(a[0], b[0]),), (values[seed],), start, stop)
    return out
