"""What a user's function may give: one value a row, of the declared type or one that loses nothing, by its row alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl
import pytest

import nowthen as nt
from nowthen.engine.language.function_values import as_declared, called, refuse_if_not_rowwise

Rows = Callable[[pl.Series], pl.Series]


@pytest.mark.parametrize(
    "given, dtype",
    [
        (pl.Series([1, None], dtype=pl.Int8), pl.Int64()),
        (pl.Series([200, 0], dtype=pl.Int64), pl.UInt8()),
        (pl.Series([1, -(2**53)], dtype=pl.Int64), pl.Float64()),
        (pl.Series([0.5, float("nan")], dtype=pl.Float32), pl.Float64()),
        (pl.Series([None, None], dtype=pl.Null), pl.String()),
        (pl.Series(["a", None], dtype=pl.Categorical), pl.String()),
        (pl.Series(["a", "b"], dtype=pl.Enum(["b", "a"])), pl.String()),
        (pl.Series([datetime(2026, 1, 1), None], dtype=pl.Datetime("ms")), pl.Datetime("us")),
        (pl.Series([datetime(2026, 1, 1), None], dtype=pl.Datetime("ns")), pl.Datetime("us")),
        (pl.Series([timedelta(days=1), None], dtype=pl.Duration("ms")), pl.Duration("us")),
    ],
)
def test_what_loses_nothing_is_taken(given: pl.Series, dtype: pl.DataType) -> None:
    made = as_declared("f", given, 2, dtype)
    assert (made.dtype, [str(value) for value in made]) == (dtype, [str(value) for value in given.cast(dtype)])


@pytest.mark.parametrize(
    "given, dtype, value",
    [
        (pl.Series([1, 300]), pl.Int8(), "300"),
        (pl.Series([1, -1]), pl.UInt64(), "-1"),
        (pl.Series([2**53, 2**53 + 1]), pl.Float64(), "9007199254740993"),
        (pl.Series([0, 1], dtype=pl.Datetime("ns")), pl.Datetime("us"), "gave 1 as Datetime"),
        (pl.Series([0, 2**62], dtype=pl.Datetime("ms")), pl.Datetime("us"), "4611686018427387904"),
    ],
)
def test_a_value_that_would_change_is_named(given: pl.Series, dtype: pl.DataType, value: str) -> None:
    with pytest.raises(nt.FunctionFailed, match=value):
        as_declared("f", given, 2, dtype)


@pytest.mark.parametrize(
    "given, dtype",
    [
        (pl.Series([1.0, 2.0]), pl.Int64()),
        (pl.Series([1.0, 2.0]), pl.Float32()),
        (pl.Series(["1", "2"]), pl.Int64()),
        (pl.Series([True, False]), pl.Int64()),
        (pl.Series([1, 0]), pl.Boolean()),
        (pl.Series([1, 2]), pl.String()),
        (pl.Series([date(2026, 1, 1)] * 2), pl.Datetime("us")),
        (pl.Series([datetime(2026, 1, 1)] * 2), pl.Datetime("us", "UTC")),
        (pl.Series([[1], [2]]), pl.Int64()),
        (pl.Series([object(), object()]), pl.String()),
    ],
)
def test_another_kind_of_type_is_refused_whatever_the_values(given: pl.Series, dtype: pl.DataType) -> None:
    with pytest.raises(nt.FunctionFailed, match=r"function f gave .* but declares returns="):
        as_declared("f", given, 2, dtype)


@pytest.mark.parametrize("given", [None, [1.0, 2.0], 1.0, pl.DataFrame({"a": [1.0, 2.0]})])
def test_what_is_no_series_is_refused(given: object) -> None:
    with pytest.raises(nt.FunctionFailed, match=r"function f gave .* for 2 rows, not a pl\.Series"):
        as_declared("f", given, 2, pl.Float64())


def test_an_expression_is_refused_with_what_to_do() -> None:
    with pytest.raises(nt.FunctionFailed, match=r"Evaluate the expression: pl\.select"):
        as_declared("f", pl.lit(1.0), 2, pl.Float64())


@pytest.mark.parametrize("n", [0, 1, 3])
def test_another_length_is_refused(n: int) -> None:
    with pytest.raises(nt.FunctionFailed, match=f"gave {n} values for 2 rows"):
        as_declared("f", pl.Series([1.0] * n), 2, pl.Float64())


def tried(function: Rows, values: Sequence[Any]) -> None:
    given = pl.Series(values)
    refuse_if_not_rowwise("f", lambda columns: function(columns[0]), [given], function(given))


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x - x.mean(),
        lambda x: x.shift(1),
        lambda x: x.cum_sum(),
        lambda x: x.rank(),
        lambda x: x.fill_null(strategy="forward"),
        lambda x: x.sort(descending=True),
        lambda x: x / x.max(),
    ],
)
def test_what_looks_at_other_rows_is_refused(function: Rows) -> None:
    with pytest.raises(nt.FunctionFailed, match="may look at only one row at a time"):
        tried(function, [1.0, 2.0, None, 4.0, None])


@pytest.mark.parametrize(
    "values", [[1e-300, 1e300, -0.0], [math.nan, None, 2.0], [math.inf, -math.inf, 1.0], [1, 2, 3]]
)
def test_what_looks_at_its_row_passes(values: list[Any]) -> None:
    tried(lambda x: x * 2 + x, values)


def test_roundings_of_a_library_pass_and_no_more() -> None:
    values = [1.0, 2.0, 1e-20]
    noisy = pl.Series([1.0, 2.0, 1e-20 + 1e-16])
    refuse_if_not_rowwise("f", lambda columns: columns[0], [pl.Series(values)], noisy)
    with pytest.raises(nt.FunctionFailed, match="for that row alone"):
        refuse_if_not_rowwise("f", lambda columns: columns[0], [pl.Series(values)], pl.Series([1.0, 2.01, 0.0]))


def test_a_panic_of_polars_is_an_error_of_the_function() -> None:
    def panics(x: pl.Series) -> pl.Series:
        raise pl.exceptions.PanicException("index out of bounds")

    with pytest.raises(nt.FunctionFailed, match="PanicException: index out of bounds in line"):
        called("f", panics, [pl.Series([1.0])], {})


def test_an_interrupt_is_no_error_of_the_function() -> None:
    def interrupted(x: pl.Series) -> pl.Series:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        called("f", interrupted, [pl.Series([1.0])], {})


def test_numbers_that_have_no_result_warn_of_nothing() -> None:
    def logarithm(x: pl.Series) -> pl.Series:
        import numpy as np

        return pl.Series(np.log(x.to_numpy()))

    assert called("f", logarithm, [pl.Series([0.0])], {}).to_list() == [-math.inf]  # type: ignore[attr-defined]
