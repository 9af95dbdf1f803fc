"""Columns of lists do what columns of plain values do."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime
from typing import Any

import numpy as np
import polars as pl
import pytest

from nowthen.engine.errors import Invalid
from nowthen.engine.folds.column import Column, concat, selected
from nowthen.engine.folds.filling import Filling
from nowthen.engine.folds.grouping import Order
from nowthen.engine.folds.lists import lists_of
from nowthen.engine.language.dtype import read, written

NUMBERS = [[1.5, None, 2.5], None, [], [float("inf")], None, [4.0, 5.0]]
TEXTS = [["a", "", None], None, [], ["é"], ["a"], None]
TIMES = [[datetime(2020, 1, 1, tzinfo=UTC), None], None, [], [datetime(2021, 1, 1, tzinfo=UTC)], [None], None]
TRUTHS = [[True, None], None, [], [False, False], [True], None]
EACH = {
    pl.List(pl.Float64()): NUMBERS,
    pl.List(pl.String()): TEXTS,
    pl.List(pl.Datetime("us", "UTC")): TIMES,
    pl.List(pl.Boolean()): TRUTHS,
}
every_type = pytest.mark.parametrize("dtype, values", EACH.items(), ids=str)


def made(dtype: pl.DataType, values: list[Any]) -> Column:
    """The column of Python lists."""
    return Column.from_series(pl.Series(values, dtype=dtype))


def listed(column: Column) -> list[Any]:
    """The Python lists of a column."""
    return column.to_series().to_list()


@every_type
def test_a_series_of_lists_comes_back_as_it_was(dtype: pl.DataType, values: list[Any]) -> None:
    series = made(dtype, values).to_series("name")
    assert (series.name, series.dtype, series.to_list()) == ("name", dtype, values)


@every_type
def test_lists_are_taken_cut_and_filtered_as_values_are(dtype: pl.DataType, values: list[Any]) -> None:
    column = made(dtype, values)
    assert listed(column.take(np.array([3, 0, 0, 5]))) == [values[3], values[0], values[0], values[5]]
    assert listed(column.slice(slice(2, 4))) == values[2:4]
    assert listed(column.slice(slice(None, None, -1))) == values[::-1]
    assert listed(column.where(np.arange(6) > 2)) == values[3:]
    assert listed(column.null_where(np.arange(6) == 0)) == [None, *values[1:]]


@every_type
def test_columns_of_lists_follow_each_other(dtype: pl.DataType, values: list[Any]) -> None:
    column = made(dtype, values)
    parts = [column.slice(slice(3, 6)), column.take(np.array([0])), column.slice(slice(0, 0))]
    assert listed(concat(parts)) == [*values[3:], values[0]]


@every_type
def test_a_filling_takes_stretches_and_rows_of_lists_in_any_order(dtype: pl.DataType, values: list[Any]) -> None:
    column, filling = made(dtype, values), Filling(dtype, 8)
    filling.scatter(np.array([7, 6]), column.take(np.array([0, 1])))
    filling.put(slice(2, 6), column.slice(slice(2, 6)))
    filling.put(slice(0, 2), column.slice(slice(0, 2)))
    assert listed(filling.column()) == [*values, values[1], values[0]]


@every_type
def test_lists_are_put_in_order_and_back(dtype: pl.DataType, values: list[Any]) -> None:
    column = made(dtype, values)
    order = Order.of(np.array([2, 0, 1, 2, 0, 1]), 3, np.arange(6))
    in_order = Column(dtype, order.sorted(column.values), order.sorted(column.is_valid()))
    assert listed(in_order) == [values[row] for row in (1, 4, 2, 5, 0, 3)]
    assert listed(Column(dtype, order.undone(in_order.values), order.undone(in_order.is_valid()))) == values


@every_type
def test_of_two_columns_of_lists_one_is_selected_row_by_row(dtype: pl.DataType, values: list[Any]) -> None:
    column, other = made(dtype, values), made(dtype, values[::-1])
    mask = np.array([True, False, True, False, True, False])
    both = Column(dtype, selected(mask, column.values, other.values))
    plain = [[] if one is None else one for one in values]
    assert listed(both) == [plain[0], plain[4], plain[2], plain[2], plain[4], plain[0]]


def test_what_travels_holds_no_entries_of_others() -> None:
    column = made(pl.List(pl.Int64()), [list(range(1000)), [1], [2, 3]]).slice(slice(1, 3))
    raw = pickle.dumps(column)
    assert len(raw) < 2000
    assert listed(pickle.loads(raw)) == [[1], [2, 3]]
    assert lists_of(column).nbytes == 2 * 16 + 3 * 8


def test_a_column_of_equal_lists_is_filled() -> None:
    dtype = pl.List(pl.Int64())
    assert listed(Column.filled(2, (1, None), dtype)) == [[1, None], [1, None]]
    assert listed(Column.filled(2, (), dtype)) == [[], []]
    assert listed(Column.filled(2, None, dtype)) == [None, None]


def test_equal_zeros_of_either_sign_stay_what_they_are_in_lists() -> None:
    dtype = pl.List(pl.Float64())
    signs = [np.signbit(listed(Column.filled(1, (zero,), dtype))[0][0]) for zero in (0.0, -0.0)]
    assert signs == [False, True]


def test_numpy_is_refused_lists() -> None:
    lists = made(pl.List(pl.Int64()), [[1], [2]]).values
    with pytest.raises(TypeError, match="not a numpy array"):
        np.where(np.array([True, False]), lists, lists)


@pytest.mark.parametrize("inner", [pl.Int8(), pl.String(), pl.Datetime("us", "UTC"), pl.Duration("us"), pl.Boolean()])
def test_the_type_of_lists_is_read_as_it_was_written(inner: pl.DataType) -> None:
    assert read(written(pl.List(inner))) == pl.List(inner)


@pytest.mark.parametrize("name", ["List(List(Int64))", "List(Struct({'a': Int64}))", "List()", "List(Int64"])
def test_a_list_of_what_is_not_plain_is_no_type_of_features(name: str) -> None:
    with pytest.raises(Invalid, match="cannot be used in a feature"):
        read(name)
