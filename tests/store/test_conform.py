"""Rows brought to the types that are declared: what would become another value is refused with its row."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from nowthen.engine.errors import WrongType
from nowthen.store.sources.conform import conformed

NS, US = pl.Datetime("ns"), pl.Datetime("us")


def series(values: list[Any], dtype: Any) -> pl.Series:
    return pl.Series(values).cast(dtype)


@pytest.mark.parametrize(
    "column, dtype",
    [
        (series([1, 2**53 + 1], pl.Int64), pl.Float64()),
        (series([1, 2**63 - 1], pl.Int64), pl.Float64()),
        (series([1, 2**24 + 1], pl.Int32), pl.Float32()),
        (series([1.0, 1e300], pl.Float64), pl.Float32()),
        (series([1_000, 1_001], NS), US),
        (series([1_000, 1_001], pl.Datetime("ns", "Asia/Tokyo")), US),
        (series([1_000, 1_001], NS), pl.Datetime("us", "Asia/Tokyo")),
        (series([1, 300], pl.Int64), pl.Int8()),
    ],
)
def test_a_value_that_would_become_another_is_refused(column: pl.Series, dtype: pl.DataType) -> None:
    with pytest.raises(WrongType, match=r"sales\.x row 1"):
        conformed(column, dtype, "sales.x")


@pytest.mark.parametrize(
    "column, dtype",
    [
        (series([None, 2**53, -7], pl.Int64), pl.Float64()),
        (series([None, 2**24, -7], pl.Int32), pl.Float32()),
        (series([None, float("nan"), float("inf"), 0.5], pl.Float64), pl.Float32()),
        (series([None, 2_000], NS), US),
        (series([None, 7], pl.Int64), pl.Int8()),
    ],
)
def test_a_value_that_fits_comes_as_it_is(column: pl.Series, dtype: pl.DataType) -> None:
    made = conformed(column, dtype, "sales.x")
    assert (made.dtype, made.cast(column.dtype).equals(column)) == (dtype, True)
