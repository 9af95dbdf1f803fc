"""Sums of squared deviations against exact fractions, with numbers made to be hard on sums of squares."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from nowthen.engine.folds import compiled, moments
from nowthen.engine.folds.column import Array, Index
from nowthen.engine.folds.moments import spread

RANDOM = np.random.default_rng(5)
OFFSETS = np.array([0, 150, 150, 170, 400])

pytestmark = pytest.mark.usefixtures("loops")


def ranges(count: int = 40) -> tuple[Index, Index]:
    """Ranges within the groups, short ones among them."""
    pieces = []
    for first, last in pairwise(OFFSETS.tolist()):
        one, other = RANDOM.integers(first, last + 1, (2, count))
        near = np.minimum(one + RANDOM.integers(0, 4, count), last)
        pieces += [np.sort([one, other], axis=0), np.stack([one, near])]
    start, stop = np.concatenate(pieces, axis=1)
    order = RANDOM.permutation(len(start))
    return start[order], stop[order]


def some(share: float, value: float, other: Array) -> Array:
    return np.where(RANDOM.random(len(other)) < share, value, other)


PLAIN = RANDOM.normal(size=400)
HARD = {
    "plain": PLAIN,
    "far from zero": 1.7e15 + np.rint(PLAIN * 1e3),
    "very far from zero": 1e18 + PLAIN * 1e5,
    "a little about a large price": 1e4 + np.round(PLAIN * 0.01, 2),
    "one huge value": np.where(np.arange(400) % 200 == 3, 1e16, PLAIN),
    "huge at times": some(0.02, 1e16, PLAIN * 1e-3),
    "of every size": PLAIN * 10.0 ** RANDOM.integers(-30, 30, 400),
    "long runs of one value": np.repeat(RANDOM.normal(size=4), 100) + np.repeat([0.0, 1e-9], 200),
    "runs after an outlier": np.where(np.arange(400) % 150 == 0, 1e12, 0.1),
    "flags": (RANDOM.random(400) < 0.02).astype(np.float64),
    "prices": RANDOM.choice([9.99, 19.99, 0.1], 400, p=[0.9, 0.08, 0.02]),
    "whole and large": RANDOM.integers(-(2**62), 2**62, 400).astype(np.float64),
    "one step apart": 1e15 + RANDOM.choice([0.125, 0.25], 400),
    "rising": np.arange(400.0) * 1e10,
    "a cliff": np.repeat([1e-8, 1e8], 200) * (1 + 1e-7 * PLAIN),
}


def exact(values: Array) -> Fraction:
    """The sum of squared deviations."""
    numbers = [Fraction(one) for one in values.tolist()]
    mean = sum(numbers, Fraction(0)) / max(len(numbers), 1)
    return sum(((one - mean) ** 2 for one in numbers), Fraction(0))


@pytest.mark.parametrize("values", HARD.values(), ids=HARD)
def test_a_spread_is_as_near_as_the_data_allow_and_never_negative(values: Array) -> None:
    start, stop = ranges()
    found = spread(values, OFFSETS)(start, stop)
    assert (found >= 0).all()
    for got, a, b in zip(found.tolist(), start.tolist(), stop.tolist(), strict=True):
        wanted = exact(values[a:b])
        # well within what the contract allows, which grows with the condition number
        assert abs(Fraction(got) - wanted) <= Fraction(2e-13) * wanted


@pytest.mark.parametrize("constant", [0.1, 1e16, -1.7e15, 3.0, 1e-12, 1e200, 5e-324])
def test_equal_values_have_no_spread_at_all(constant: float) -> None:
    start, stop = ranges()
    assert not spread(np.full(400, constant), OFFSETS)(start, stop).any()


def test_equal_values_between_others_have_none_either() -> None:
    values = np.concatenate([PLAIN[:30], np.full(900, 0.1), PLAIN[:30] * 1e9])
    over = spread(values, np.array([0, 960]))
    assert over(np.array([30, 31, 200]), np.array([930, 120, 203])).tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("stray", [np.nan, np.inf, -np.inf, 1e16, 1e300])
def test_what_stands_before_or_after_a_range_changes_nothing(stray: float) -> None:
    values = PLAIN * 1e-2
    values[[0, 149, 170, 399]] = stray
    start, stop = ranges()
    clear = np.array([(values[a:b] != stray).all() and np.isfinite(values[a:b]).all() for a, b in zip(start, stop)])
    found = spread(values, OFFSETS)(start, stop)
    for got, a, b in zip(found[clear].tolist(), start[clear].tolist(), stop[clear].tolist(), strict=True):
        wanted = exact(values[a:b])
        assert abs(Fraction(got) - wanted) <= Fraction(2e-13) * wanted


@pytest.mark.parametrize("stray", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_makes_the_ranges_that_hold_it_nan(stray: float) -> None:
    values = PLAIN.copy()
    values[10] = stray
    found = spread(values, OFFSETS)(np.array([0, 10, 10, 11, 5]), np.array([150, 11, 10, 150, 11]))
    assert np.isnan(found).tolist() == [True, True, False, False, True]


def test_squares_beyond_the_range_of_floats_are_infinite_where_they_are_inside() -> None:
    values = np.concatenate([[1e200, -1e200], PLAIN[:98]])
    found = spread(values, np.array([0, 100]))(np.array([0, 1, 2]), np.array([2, 100, 100]))
    assert found[:2].tolist() == [np.inf, np.inf]
    assert abs(Fraction(found[2]) - exact(values[2:])) <= Fraction(2e-13) * exact(values[2:])


def test_merged_states_say_the_same_in_any_order_of_merging() -> None:
    for values in HARD.values():
        rows = moments.lifted(values)
        one_by_one = moments.nothing(1)
        for row in range(len(values)):
            one_by_one = moments.merged(one_by_one, tuple(part[row : row + 1] for part in rows))
        wanted = exact(values)
        assert abs(Fraction(moments.squares_of(one_by_one)[0]) - wanted) <= Fraction(1e-14) * wanted


@pytest.mark.parametrize("name", ["plain", "far from zero", "flags", "prices"])
def test_common_columns_need_no_merging(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if compiled.kernels(0) is None:
        pytest.skip("merging is all there is without the compiled loops")
    over = spread(np.tile(HARD[name], 10), np.array([0, 4000]))
    monkeypatch.setattr(moments, "Tree", None)
    start = RANDOM.integers(0, 1000, 500)
    assert np.isfinite(over(start, start + RANDOM.integers(600, 3000, 500))).all()


@pytest.mark.parametrize("name", ["one huge value", "long runs of one value", "a cliff", "runs after an outlier"])
def test_long_ranges_that_prefix_sums_do_not_hold_for_are_merged(name: str) -> None:
    values = np.repeat(HARD[name], 10)
    start = RANDOM.integers(0, 2000, 40)
    stop = start + RANDOM.integers(600, 2000, 40)
    found = spread(values, np.array([0, 4000]))(start, stop)
    for got, a, b in zip(found.tolist(), start.tolist(), stop.tolist(), strict=True):
        assert abs(Fraction(got) - exact(values[a:b])) <= Fraction(2e-13) * exact(values[a:b])
