"""Sums of squared deviations from the mean, of ranges and as states that merge.

Merging is pairwise (Chan, Golub and LeVeque 1983, eq. 2.1) with the mean kept as a pair, so that 1.7e15 +- 1e3 keeps its spread. Every
term is a square, so nothing ever cancels and rows of one value give exactly 0. Numbers whose squares leave the range of floats (more
than 1e154 apart) give infinity.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from . import compiled
from .column import Array, Index
from .compensated import two_sum
from .fold import State
from .memory import fresh
from .owners import owners
from .ranges import Over, sums
from .tree import Tree


def spread(values: Array, offsets: Index) -> Over:
    """The sum of squared deviations of ranges of floats: 0 for one row or none, NaN where one is NaN or infinite.

    Compiled, from prefix sums (32 bytes a row), where these say it within 1e-13; merged states for the rest.
    """
    finite = np.isfinite(values)
    broken = None if finite.all() else sums(~finite, offsets)
    by_prefix, tree = _by_prefix(values, offsets), _Merged(values)

    def over(start: Index, stop: Index) -> Array:
        out = np.full(len(start), np.nan) if by_prefix is None else by_prefix(start, stop)
        bad = np.zeros(len(start), dtype=np.bool_) if broken is None else broken(start, stop) > 0
        lost = np.flatnonzero(np.isnan(out) & ~bad)
        if len(lost):
            out[lost] = tree(start[lost], stop[lost])
        out[bad] = np.nan
        return out

    return over


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


def _by_prefix(values: Array, offsets: Index) -> Over | None:
    """The sums as far as prefix sums give them, NaN where not; None without compiled loops."""
    loops: Any = compiled.kernels(len(values))
    if loops is None:
        return None
    groups = len(offsets) - 1
    prefix, unit = fresh((len(values) + groups) * 4, np.dtype(np.float64)).reshape(-1, 4), np.empty(groups)
    loops.prefix_moments(values, offsets, prefix, unit)

    def over(start: Index, stop: Index) -> Array:
        out: Array = loops.deviations(values, prefix, unit, owners(offsets, start), start, stop)
        return out

    return over
