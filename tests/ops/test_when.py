"""`when(...).then(...).otherwise(...)` and `coalesce(...)` as users write them."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from nowthen.engine.errors import WrongType
from nowthen.engine.folds.column import Column
from nowthen.engine.folds.evaluate import Evaluation
from nowthen.engine.language.expr import Expr
from nowthen.engine.language.request import Request
from nowthen.ops.missing import coalesce
from nowthen.ops.when import when

request = Request({"amount": pl.Float64, "items": pl.Int64, "kind": pl.String})


def values(expr: Expr, amount: list[float | None]) -> list[object]:
    """The expression for rows of these amounts."""
    column = Column.from_series(pl.Series(amount, dtype=pl.Float64))
    return Evaluation({"amount": column}, len(amount))(expr).to_series().to_list()


def test_the_first_true_condition_decides() -> None:
    size = when(request.amount > 100).then("big").when(request.amount > 10).then("medium").otherwise("small")
    assert values(size, [500.0, 50.0, 5.0]) == ["big", "medium", "small"]


def test_a_null_condition_is_not_true() -> None:
    assert values(when(request.amount > 100).then(1).otherwise(0), [None]) == [0]


def test_a_choice_has_the_type_that_holds_all_values() -> None:
    assert when(request.amount > 1).then(request.items).otherwise(0.5).dtype == pl.Float64()


def test_a_choice_may_be_null() -> None:
    expr = when(request.amount > 1).then(None).otherwise(request.amount)
    assert (expr.dtype, values(expr, [0.5, 2.0])) == (pl.Float64(), [0.5, None])


def test_a_condition_that_is_not_boolean_is_refused() -> None:
    with pytest.raises(WrongType, match="when takes a Boolean or a null, got Int64"):
        when(request.items).then(1).otherwise(0)


def test_values_without_a_common_type_are_refused() -> None:
    with pytest.raises(WrongType, match="columns of one type, got String and Int64"):
        when(request.amount > 1).then(request.kind).otherwise(0)


def test_coalesce_takes_the_first_that_is_known() -> None:
    assert values(coalesce(request.amount, None, 7.0), [None, 1.0, np.nan])[:2] == [7.0, 1.0]


def test_coalesce_of_nothing_is_refused() -> None:
    with pytest.raises(WrongType, match="at least one"):
        coalesce()
