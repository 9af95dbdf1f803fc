"""Values of numpy and pandas in expressions mean what Python's own values mean, to the hash."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import nowthen as nt
from nowthen.engine.language.build import literal
from nowthen.engine.language.plain import plain, told

from .shop import NOON, sales

tx = sales()
NAIVE = NOON.replace(tzinfo=None)


@pytest.mark.parametrize(
    "value, same",
    [
        (np.int8(3), 3),
        (np.uint64(3), 3),
        (np.float32(0.5), 0.5),
        (np.float64(0.5), 0.5),
        (np.bool_(True), True),
        (np.str_("a"), "a"),
        (np.array(3), 3),
        (np.datetime64("2020-01-02"), date(2020, 1, 2)),
        (np.datetime64(NAIVE, "ns"), NAIVE),
        (np.datetime64(NAIVE, "s"), NAIVE),
        (np.timedelta64(2, "h"), timedelta(hours=2)),
        (np.timedelta64(2_000, "ns"), timedelta(microseconds=2)),
        (np.datetime64("NaT"), None),
        (pd.Timestamp(NOON), NOON),
        (pd.Timedelta("2h"), timedelta(hours=2)),
        (pd.NaT, None),
    ],
    ids=repr,
)
def test_a_value_of_numpy_or_pandas_is_the_plain_literal(value: Any, same: Any) -> None:
    assert literal(value) is literal(same)


@pytest.mark.parametrize(
    "value", [np.datetime64(1, "ns"), np.timedelta64(1, "ns"), pd.Timestamp(1), np.datetime64(2**40, "D")]
)
def test_times_that_are_not_exact_are_refused(value: Any) -> None:
    with pytest.raises(nt.Invalid, match="not exact in microseconds"):
        plain(value)


@pytest.mark.parametrize(
    "values",
    [np.array([1, 2]), pl.Series([1, 2]), pd.Series([1, 2]), range(1, 3), {np.int64(2), 1}, [np.int64(1), 2]],
    ids=repr,
)
def test_members_may_be_several_values_of_any_kind(values: Any) -> None:
    assert tx.items.is_in(values) is tx.items.is_in([1, 2])


def test_parameters_and_defaults_are_plain() -> None:
    assert tx.items.last_k(np.int64(3)) is tx.items.last_k(3)
    assert tx.amount.quantile(np.float64(0.5)).key == tx.amount.quantile(0.5).key
    assert nt.feature(tx.items.sum(), default=np.int64(3)).key == nt.feature(tx.items.sum(), default=3).key
    lists = [nt.feature(tx.items.last_k(2), default=default).key for default in ([1, 2], np.array([1, 2]))]
    assert lists[0] == lists[1]


def test_values_of_numpy_stand_on_either_side() -> None:
    assert (np.int64(3) + tx.items) is (3 + tx.items)
    assert (np.datetime64("2020-01-02T03:00") < tx.time) is (tx.time > datetime(2020, 1, 2, 3, tzinfo=UTC))


def test_a_long_value_is_told_by_its_type_and_length() -> None:
    assert told(list(range(1000))) == "a list of length 1000"
    assert told(pl.DataFrame({"a": [1]})) == "a DataFrame of length 1"
    assert told("a") == "'a'"
