"""Reductions over ranges in any order, at the edges of their blocks and with numbers that no prefix sum can hold."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from nowthen.engine.folds.column import Array, Index
from nowthen.engine.folds.ranges import greatest, least, sums

RANDOM = np.random.default_rng(11)


pytestmark = pytest.mark.usefixtures("loops")


def ranges(n: int, count: int = 400) -> tuple[Index, Index]:
    one, other = RANDOM.integers(0, n + 1, count), RANDOM.integers(0, n + 1, count)
    return np.minimum(one, other), np.maximum(one, other)


@pytest.mark.parametrize("n", [1, 31, 32, 33, 64, 65, 1000, 4096])
def test_least_and_greatest_of_any_range(n: int) -> None:
    start, stop = ranges(n)
    some = start < stop
    for values in (RANDOM.integers(-9, 9, n), RANDOM.normal(size=n), np.where(RANDOM.random(n) < 0.1, np.nan, 1.0)):
        for over, best in ((least(values), np.min), (greatest(values), np.max)):
            wanted = [best(values[a:b]) for a, b in zip(start[some], stop[some], strict=True)]
            np.testing.assert_array_equal(over(start, stop)[some], wanted)


WHOLE = np.array([-(2**63), 2**63 - 1, 0, -1, 1])
REAL = np.array([-np.inf, np.inf, -0.0, 0.0, -5e-324, 5e-324, -1.7e308, 1.7e308, np.nan, -np.nan, 1.5, -1.5])


@pytest.mark.parametrize("edge", [WHOLE, REAL], ids=["whole", "real"])
def test_the_outermost_numbers_keep_their_order(edge: Array) -> None:
    values = RANDOM.choice(edge, 300, p=None if edge is WHOLE else [0.115] * 8 + [0.0025] * 2 + [0.0375] * 2)
    start, stop = ranges(300)
    some = start < stop
    for over, best in ((least(values), np.min), (greatest(values), np.max)):
        wanted = [best(values[a:b]) for a, b in zip(start[some], stop[some], strict=True)]
        np.testing.assert_array_equal(over(start, stop)[some], wanted)


def test_the_least_of_two_zeros_is_the_positive_one() -> None:
    for values in ([-0.0, 0.0], [0.0, -0.0], [-0.0]):
        for over in (least(np.array(values)), greatest(np.array(values))):
            assert str(over(np.array([0]), np.array([len(values)]))[0]) == "0.0"


AWKWARD = {
    "plain": RANDOM.normal(size=200),
    "huge beside tiny": np.where(RANDOM.random(200) < 0.1, 1e300, 1e-300),
    "too many digits for a pair": np.where(RANDOM.random(200) < 0.1, 1e25, 1.0),
    "NaN": np.where(RANDOM.random(200) < 0.1, np.nan, 0.1),
    "infinities": RANDOM.choice([np.inf, -np.inf, 1.0, 2.0, 3.0], 200, p=[0.02, 0.02, 0.32, 0.32, 0.32]),
    "sums beyond the range of floats": RANDOM.choice([1.7e308, -1.7e308, 1.0], 200),
}


@pytest.mark.parametrize("values", AWKWARD.values(), ids=AWKWARD)
def test_nothing_outside_a_range_shows_in_its_sum(values: Array) -> None:
    offsets = np.array([0, 50, 50, 120, 200])
    over = sums(values, offsets)
    for first, last in pairwise(offsets.tolist()):
        start, stop = (first + part for part in ranges(last - first, 60))
        for got, a, b in zip(over(start, stop).tolist(), start.tolist(), stop.tolist(), strict=True):
            inside = values[a:b]
            if np.isfinite(inside).all() and np.abs(inside / 1e308).sum() < 1:
                assert abs(got - math.fsum(inside)) <= 1e-12 * np.abs(inside).sum()
            elif not np.isfinite(inside).all():
                np.testing.assert_equal(got, sum(inside[~np.isfinite(inside)].tolist()))


def test_whole_numbers_are_exact() -> None:
    values = RANDOM.integers(-(2**60), 2**60, 300)
    start, stop = ranges(300)
    with np.errstate(over="ignore"):
        wanted = [int(values[a:b].sum()) for a, b in zip(start, stop, strict=True)]
    assert sums(values, np.array([0, 300]))(start, stop).tolist() == wanted
