"""Reductions over index ranges of a column, for folds' `bulk`: what a column needs is prepared once, then any ranges are asked.

Compiled where the work is worth it, numpy where it is not; both agree up to the contract's 1e-12 for float sums and exactly otherwise.
Ranges may come in any order. `offsets` say where groups begin; no range reaches from one into another.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from ..record import record
from . import compiled
from .column import Array, Index, Mask
from .compensated import total, two_sum
from .kernels_extremes import EXTREMES_BLOCK
from .memory import fresh
from .tree import Tree

Over = Callable[[Index, Index], Array]  # (start, stop) of ranges [start, stop) -> a value for each


class Lengths:
    """How many rows each range has."""

    def __call__(self, start: Index, stop: Index) -> Array:
        """The lengths."""
        return stop - start


@record(eq=False)
class IntegerSums:
    """Exact sums of whole numbers, from their prefix sums (n + 1,)."""

    prefix: Index

    def __call__(self, start: Index, stop: Index) -> Array:
        """The sums."""
        loops = compiled.kernels(len(self.prefix))
        if loops is None:
            return self.prefix[stop] - self.prefix[start]
        summed = np.empty(len(start), dtype=np.int64)
        loops.differences(self.prefix, start, stop, summed)
        return summed


@record(eq=False)
class FloatSums:
    """Sums of finite numbers within groups whose compensated prefix sums hold: see the kernel."""

    values: Array
    high: Array
    low: Array
    loops: Any

    def __call__(self, start: Index, stop: Index) -> Array:
        """The sums."""
        summed = np.empty(len(start), dtype=np.float64)
        self.loops.sum_by_prefix(self.values, self.high, self.low, start, stop, summed)
        return summed


@record(eq=False)
class Extremes:
    """The least or greatest values of ranges, of whole numbers or floats of 64 bits: see the kernel."""

    kind: np.dtype[Any]
    prepared: tuple[Any, ...]
    loops: Any

    @staticmethod
    def of(values: Array, low: bool, loops: Any) -> Extremes:
        """The least values if `low`, else the greatest."""
        n, whole = len(values), np.dtype(np.int64)
        blocks = -(-n // EXTREMES_BLOCK)
        levels = max(blocks.bit_length(), 1)
        onward, so_far, table = fresh(n, whole), fresh(n, whole), fresh(levels * blocks, whole).reshape(levels, blocks)
        logs = np.zeros(blocks + 1, dtype=np.int8)
        prepared = (values.view(np.int64), values.dtype.kind == "f", low, onward, so_far, table, logs)
        loops.extremes_prepared(*prepared)
        return Extremes(values.dtype, prepared, loops)

    def __call__(self, start: Index, stop: Index) -> Array:
        """The values."""
        out = np.empty(len(start), dtype=self.kind)
        self.loops.extremes(*self.prepared, start, stop, out.view(np.int64))
        return out


def sums(values: Array, offsets: Index) -> Over:
    """Sums of ranges: int64 exactly for integers and Booleans, float64 compensated for floats; 0 for an empty one."""
    if values.dtype.kind != "f":
        return _integer_sums(values)
    return _float_sums(values.astype(np.float64, copy=False), offsets)


def divided(summed: Array, start: Index, stop: Index) -> tuple[Array, Mask | None]:
    """The sums of ranges over their lengths, float64, and which ranges are not empty (None: every one)."""
    out, some = np.empty(len(start), dtype=np.float64), np.empty(len(start), dtype=np.bool_)
    loops = compiled.kernels(len(start))
    if loops:
        return out, None if loops.divided(summed, start, stop, out, some) else some
    np.greater(stop, start, out=some)
    np.divide(summed, np.maximum(stop - start, 1), out=out)
    return out, None if some.all() else some


def least(values: Array) -> Over:
    """The least value of each range (NaN if one is inside, 0.0 for -0.0); arbitrary for an empty range."""
    return _extremes(values, low=True)


def greatest(values: Array) -> Over:
    """The greatest value of each range (NaN if one is inside, 0.0 for -0.0); arbitrary for an empty range."""
    return _extremes(values, low=False)


def _integer_sums(values: Array) -> Over:
    prefix = fresh(len(values) + 1, np.dtype(np.int64))
    prefix[0] = 0
    np.cumsum(values, dtype=np.int64, out=prefix[1:])
    return IntegerSums(prefix)


def _float_sums(values: Array, offsets: Index) -> Over:
    """Sums of what is finite, and beside them what is not."""
    finite = np.isfinite(values)
    if finite.all():
        return _finite_sums(values, offsets)
    plain = _finite_sums(np.where(finite, values, 0.0), offsets)
    nan, up, down = (_counts(mask) for mask in (np.isnan(values), values == np.inf, values == -np.inf))

    def over(start: Index, stop: Index) -> Array:
        out = plain(start, stop)
        ups, downs = up(start, stop), down(start, stop)
        out[ups] = np.inf
        out[downs] = -np.inf
        out[nan(start, stop) | (ups & downs)] = np.nan
        return out

    return over


def _counts(mask: Mask) -> Callable[[Index, Index], Mask]:
    """Whether a range holds any."""
    prefix = np.concatenate([[0], np.cumsum(mask)])
    return lambda start, stop: prefix[stop] > prefix[start]


def _finite_sums(values: Array, offsets: Index) -> Over:
    """Differences of compensated prefix sums within each group; where these do not hold, merged pairs."""
    loops = compiled.kernels(len(values))
    if loops is None:
        return partial(_merged, _pairs(values))
    high, low = (fresh(len(values), np.dtype(np.float64)) for _ in range(2))
    by_prefix = FloatSums(values, high, low, loops)
    if loops.prefix_sums(values, offsets, high, low):
        return by_prefix
    pairs = _pairs(values)

    def over(start: Index, stop: Index) -> Array:
        out = by_prefix(start, stop)
        lost = np.flatnonzero(np.isnan(out))
        out[lost] = _merged(pairs, start[lost], stop[lost])
        return out

    return over


def _pairs(values: Array) -> Tree:
    return Tree((values, np.zeros_like(values)), two_sum)


def _merged(pairs: Tree, start: Index, stop: Index) -> Array:
    return total(pairs.over(start, stop, (np.zeros(len(start)), np.zeros(len(start)))))


def _extremes(values: Array, *, low: bool) -> Over:
    loops = compiled.kernels(len(values)) if values.dtype in (np.int64, np.float64) else None
    if loops:
        return Extremes.of(values, low, loops)
    plain = values + values.dtype.type(0) if values.dtype.kind == "f" else values
    better = np.minimum if low else np.maximum
    tree = Tree((plain,), lambda a, b: (better(a[0], b[0]),))

    def over(start: Index, stop: Index) -> Array:
        if not len(plain):
            return np.full(len(start), "" if plain.dtype.hasobject else 0, dtype=plain.dtype)
        (out,) = tree.over(start, stop, (plain[np.minimum(start, len(plain) - 1)],))
        return out

    return over
