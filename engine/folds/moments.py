"""Sums of squared deviations from the mean, of ranges and as states that merge.

Merging is pairwise (Chan, Golub and LeVeque 1983, eq. 2.1) with the mean kept as a pair, so that 1.7e15 +- 1e3 keeps its spread. Every
term is a square, so nothing ever cancels and rows of one value give exactly 0. Numbers whose squares leave the range of floats (more
than 1e154 apart) give infinity.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..language.fold import State
from ..record import record
from . import compiled
from .column import Array, Index
from .compensated import two_sum
from .kernels_moments import MOMENTS_HELD
from .memory import fresh
from .ranges import Over, sums
from .tree import Tree


def spread(values: Array, offsets: Index) -> Over:
    """The sum of squared deviations of ranges of floats: 0 for one row or none, NaN where one is NaN or infinite.

    Compiled, from prefix sums (32 bytes a row), where these say it within 1e-13; merged states for the rest.
    """
    loops = compiled.kernels(len(values))
    tree = _Merged(values)
    if loops is None:
        return _mended(_unsaid, tree, values, offsets)
    by_prefix = _ByPrefix.of(values, offsets, loops)
    if not by_prefix.all_finite:
        return _mended(lambda start, stop: by_prefix(start, stop)[0], tree, values, offsets)

    def over(start: Index, stop: Index) -> Array:
        out, every = by_prefix(start, stop)
        return out if every else _with_lost(out, tree, start, stop)

    return over


def _mended(over: Over, tree: Over, values: Array, offsets: Index) -> Over:
    """The same sums where none is lost, and NaN where a number is not finite."""
    broken = sums(~np.isfinite(values), offsets)

    def mended(start: Index, stop: Index) -> Array:
        out, bad = over(start, stop), broken(start, stop) > 0
        out[bad] = 0.0
        out = _with_lost(out, tree, start, stop)
        out[bad] = np.nan
        return out

    return mended


def _unsaid(start: Index, stop: Index) -> Array:  # noqa: ARG001  (as all sums of ranges are asked)
    return np.full(len(start), np.nan)


def _with_lost(out: Array, tree: Over, start: Index, stop: Index) -> Array:
    lost = np.flatnonzero(np.isnan(out))
    if len(lost):
        out[lost] = tree(start[lost], stop[lost])
    return out


def lifted(values: Array) -> State:
    """The state of each single number: how many, their mean as a pair, the sum of squared deviations as a pair, and whether all are finite."""
    finite = np.isfinite(values)
    nothing = np.zeros(len(values))
    return np.ones(len(values), dtype=np.int64), np.where(finite, values, 0.0), nothing, nothing, nothing, ~finite


def nothing(n: int) -> State:
    """n states of no numbers."""
    zero = np.zeros(n)
    return np.zeros(n, dtype=np.int64), zero, zero, zero, zero, np.zeros(n, dtype=np.bool_)


@np.errstate(all="ignore")
def merged(a: State, b: State) -> State:
    """The states of the numbers of `a` and of `b`."""
    n = a[0] + b[0]
    mean_a, mean_b, squares = (a[1], a[2]), (b[1], b[2]), two_sum((a[3], a[4]), (b[3], b[4]))
    apart = _total(two_sum(mean_b, (-mean_a[0], -mean_a[1])))
    share = b[0] / np.maximum(n, 1)
    mean = two_sum(mean_a, (apart * share, np.zeros(len(n))))
    squares = two_sum(squares, (apart * apart * (a[0] * share), np.zeros(len(n))))
    alone = (a[0] == 0) | (b[0] == 0)  # the other's parts are all 0
    chosen = (np.where(alone, a[k] + b[k], part) for k, part in enumerate((*mean, *squares), start=1))
    return n, *chosen, a[5] | b[5]


@np.errstate(all="ignore")
def squares_of(state: State) -> Array:
    """The sum of squared deviations of a state."""
    summed = _total((state[3], state[4]))
    return np.where(state[5], np.nan, np.where(np.isfinite(summed), summed, np.inf))


def _total(pair: tuple[Array, ...]) -> Array:
    total: Array = pair[0] + pair[1]
    return total


class _Merged:
    """The sums of ranges from a tree of states, which is made when it is first needed."""

    def __init__(self, values: Array) -> None:
        self._values = values
        self._tree: Tree | None = None

    def __call__(self, start: Index, stop: Index) -> Array:
        """The sums."""
        if self._tree is None:
            self._tree = Tree(lifted(self._values), merged)
        return squares_of(self._tree.over(start, stop, nothing(len(start))))


@record(eq=False)
class _ByPrefix:
    """The sums of ranges as far as prefix sums give them."""

    values: Array
    prefix: Array
    unit: Array
    offsets: Index
    all_finite: bool
    loops: Any

    @staticmethod
    def of(values: Array, offsets: Index, loops: Any) -> _ByPrefix:
        """What the loops prepare."""
        groups = len(offsets) - 1
        prefix, unit = fresh((len(values) + groups) * 4, np.dtype(np.float64)).reshape(-1, 4), np.empty(groups)
        all_finite = loops.prefix_moments(values, offsets, np.empty(MOMENTS_HELD), prefix, unit)
        return _ByPrefix(values, prefix, unit, offsets, all_finite, loops)

    def __call__(self, start: Index, stop: Index) -> tuple[Array, bool]:
        """The sums, NaN where they cannot be said; and whether all can."""
        out = np.empty(len(start), dtype=np.float64)
        held = np.empty(MOMENTS_HELD)
        every = self.loops.deviations(self.values, held, self.prefix, self.unit, self.offsets, start, stop, out)
        return out, every
