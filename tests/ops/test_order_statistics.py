"""Quantiles, medians and distinct counts of any range against Polars, in many groups."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
import pytest

from nowthen.engine.errors import Invalid
from nowthen.engine.folds.column import Array, Column, Index
from nowthen.engine.language.fold import Fold
from nowthen.engine.language.registry import operators

RANDOM = np.random.default_rng(3)
OFFSETS = np.array([0, 90, 90, 91, 300, 420])
N = 420
NUMBERS: dict[str, Array] = {
    "floats": RANDOM.normal(size=N),
    "floats with ties": np.round(RANDOM.normal(size=N), 1) + 0.0,  # Polars keeps the sign of zeros, NowThen does not
    "32-bit floats": RANDOM.normal(size=N).astype(np.float32),
    "with infinities": RANDOM.choice([np.inf, -np.inf, 1.0, 2.0], N, p=[0.1, 0.1, 0.4, 0.4]),
    "integers": RANDOM.integers(-5, 5, N),
    "large integers": RANDOM.integers(-(2**62), 2**62, N),
    "unsigned": RANDOM.integers(0, 2**64 - 1, N, dtype=np.uint64),
}
OTHERS: dict[str, Column] = {
    "texts": Column(pl.String(), RANDOM.choice(["", "a", "b", "é"], N).astype(object)),
    "truths": Column(pl.Boolean(), RANDOM.random(N) < 0.1),
    "times": Column(pl.Datetime("us"), RANDOM.integers(0, 9, N) * 10**15),
    "zeros": Column(pl.Float64(), RANDOM.choice([0.0, -0.0, np.nan, -np.nan], N)),
}
INTERPOLATIONS = ["linear", "nearest", "lower", "higher", "midpoint"]


def made(name: str, **params: Any) -> Fold:
    found = operators()[name]
    assert isinstance(found, type)
    return found(**params)


def number(values: Array) -> Column:
    return Column(pl.Series(values).dtype, values)


def ranges(count: int = 50) -> tuple[Index, Index]:
    ends = [np.sort(RANDOM.integers(first, last + 1, (2, count)), axis=0) for first, last in pairwise(OFFSETS.tolist())]
    start, stop = np.concatenate(ends, axis=1)
    return start, stop


def asked(fold: Fold, column: Column) -> tuple[list[Any], list[pl.Series]]:
    """The values of some ranges in bulk, and the rows of each."""
    start, stop = ranges()
    ranged = fold.bulk(column, OFFSETS, fold.result(column.dtype))
    assert ranged is not None
    rows = column.to_series()
    return ranged(start, stop).to_series().to_list(), [rows[a:b] for a, b in zip(start.tolist(), stop.tolist())]


@pytest.mark.parametrize("q", [0.0, 0.1, 0.5, 1 / 3, 0.9, 1.0])
@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
@pytest.mark.parametrize("name", NUMBERS)
def test_a_quantile_is_that_of_polars(name: str, interpolation: Any, q: float, loops: None) -> None:
    found, rows = asked(made("quantile", q=q, interpolation=interpolation), number(NUMBERS[name]))
    np.testing.assert_equal(found, [one.cast(pl.Float64).quantile(q, interpolation) for one in rows])


@pytest.mark.parametrize("name", NUMBERS)
def test_a_median_is_that_of_polars(name: str, loops: None) -> None:
    found, rows = asked(made("median"), number(NUMBERS[name]))
    np.testing.assert_equal(found, [one.cast(pl.Float64).median() for one in rows])


@pytest.mark.parametrize("name", [*NUMBERS, *OTHERS])
def test_a_distinct_count_is_that_of_polars(name: str, loops: None) -> None:
    found, rows = asked(made("n_unique"), OTHERS.get(name) or number(NUMBERS[name]))
    assert found == [one.n_unique() for one in rows]


def test_a_quantile_with_nan_inside_is_nan_and_without_it_is_not(loops: None) -> None:
    values = np.array([1.0, np.nan, 3.0, 4.0])
    ranged = made("quantile", q=0.0).bulk(number(values), np.array([0, 4]), pl.Float64())
    assert ranged is not None
    np.testing.assert_equal(ranged(np.array([0, 0, 2]), np.array([4, 1, 4])).values, [np.nan, 1.0, 3.0])


@pytest.mark.parametrize("q", [-0.1, 1.1, float("nan"), "0.5", True])
def test_a_share_beyond_0_to_1_is_refused(q: Any) -> None:
    with pytest.raises(Invalid, match="q is a share from 0 to 1"):
        made("quantile", q=q)


def test_an_unknown_interpolation_is_refused_with_the_known_ones() -> None:
    with pytest.raises(Invalid, match="Did you mean 'linear'"):
        made("quantile", q=0.5, interpolation="linaer")


def test_a_whole_q_is_the_same_fold_as_its_float() -> None:
    assert repr(made("quantile", q=1)) == repr(made("quantile", q=1.0))


@pytest.mark.parametrize("ddof", [-1, 1.5, True])
def test_a_strange_ddof_is_refused(ddof: Any) -> None:
    with pytest.raises(Invalid, match="ddof is a whole number"):
        made("var", ddof=ddof)
