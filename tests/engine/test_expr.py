"""Expressions: one object per meaning, checked where they are written, readable."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import polars as pl
import pytest

import nowthen as nt
from nowthen.engine.language.expr import Expr

from .shop import ROWS, SHOP, sales

tx = sales(known_after={"fraud": "7d"})
request = nt.Request({"amount": pl.Float64})

SAME: dict[str, Callable[[], Expr]] = {
    "column": lambda: tx["amount"],
    "arithmetic": lambda: tx.amount * 2 + 1,
    "comparison with a datetime": lambda: tx.time > datetime(2020, 1, 1),
    "arithmetic with a duration": lambda: tx.time - timedelta(days=1),
    "filter and fold": lambda: tx.filter(tx.amount > 2.5).amount.mean().over("7d"),
    "fold with where": lambda: tx.count(where=tx.fraud).over(nt.tumbling("1d")),
    "request": lambda: request.amount,
    "time asked": lambda: nt.at().dt.hour(),
}


@pytest.mark.parametrize("make", SAME.values(), ids=SAME.keys())
def test_equal_expressions_are_one_object(make: Callable[[], Expr]) -> None:
    assert make() is make()


def test_filters_written_in_two_ways_are_one_fold() -> None:
    assert tx.count(where=tx.fraud) is tx.filter(tx.fraud).count()


DIFFERENT: dict[str, tuple[Callable[[], Expr], Callable[[], Expr]]] = {
    "1 and 1.0": (lambda: tx.amount + 1, lambda: tx.amount + 1.0),
    "1 and True": (lambda: nt.coalesce(tx.items, 1), lambda: nt.coalesce(tx.items, 1).cast(pl.Boolean)),
    "0.0 and -0.0": (lambda: tx.amount + 0.0, lambda: tx.amount + -0.0),
    "order": (lambda: tx.amount - tx.items, lambda: tx.items - tx.amount),
    "a date and its midnight": (lambda: tx.time > datetime(2020, 1, 1), lambda: tx.time.dt.date() > date(2020, 1, 1)),
    "windows": (lambda: tx.count().over("1d"), lambda: tx.count().over("1d", closed="left")),
}


@pytest.mark.parametrize("pair", DIFFERENT.values(), ids=DIFFERENT.keys())
def test_expressions_of_different_meaning_have_different_hashes(
    pair: tuple[Callable[[], Expr], Callable[[], Expr]],
) -> None:
    one, other = (make() for make in pair)
    assert one is not other
    assert one.key != other.key


def test_one_instant_in_two_zones_is_one_literal() -> None:
    noon = datetime(2020, 1, 1, 12, tzinfo=UTC)
    assert (tx.time > noon) is (tx.time > noon.astimezone(timezone(timedelta(hours=2))))


REFUSED: dict[str, tuple[Callable[[], object], type[nt.NowThenError], str]] = {
    "wrong column": (
        lambda: tx.amuont,
        nt.UnknownColumn,
        "source 'sales' has no column 'amuont'. Did you mean 'amount'?",
    ),
    "wrong column by item": (lambda: tx["amuont"], nt.UnknownColumn, "Did you mean 'amount'?"),
    "wrong operator": (lambda: tx.amount.maen(), nt.UnknownColumn, "no operator 'maen'. Did you mean 'mean'?"),
    "wrong operator of a namespace": (lambda: tx.time.dt.huor(), nt.UnknownColumn, "Did you mean 'dt.hour'?"),
    "wrong request field": (
        lambda: request.amuont,
        nt.UnknownColumn,
        "the request has no field 'amuont'. Did you mean",
    ),
    "wrong feature": (
        lambda: view().amuont,
        nt.UnknownColumn,
        "view 'view' has no feature 'amuont'. Did you mean 'amount'?",
    ),
    "wrong type": (lambda: tx.amount + "a", nt.WrongType, "Float64 and String"),
    "mean of a text": (lambda: tx.seller.mean(), nt.WrongType, "mean"),
    "truth of an expression": (lambda: bool(tx.amount > 1), nt.WrongType, "no truth value"),
    "chained comparison": (lambda: 1 < tx.amount < 2, nt.WrongType, "no truth value"),
    "rows and the time asked": (lambda: tx.amount / request.amount, nt.Invalid, "Fold the rows first"),
    "rows of two sources": (lambda: tx.amount / sales().amount, nt.Invalid, "rows of different sources"),
    "rows filtered differently": (
        lambda: tx.filter(tx.fraud).amount / tx.filter(~tx.fraud).amount,
        nt.Invalid,
        "filtered differently",
    ),
    "a filter of no truth": (lambda: tx.filter(tx.amount), nt.WrongType, "a filter is a Boolean expression"),
    "a filter of other rows": (lambda: tx.filter(sales().fraud), nt.Invalid, "does not live on the rows"),
    "a window of a column": (lambda: tx.amount.over("1d"), nt.Invalid, "Fold it first"),
    "a window named by a column": (lambda: tx.amount.mean().over("shop_id"), nt.Invalid, "pass the fold a filter"),
    "a window before now": (lambda: tx.amount.mean().over("-7d"), nt.Invalid, "over() takes a duration like '7d'"),
    "an array": (lambda: tx.amount + np.array([1, 2]), nt.WrongType, "array([1, 2]) (ndarray) cannot be part"),
    "an array before": (lambda: np.array([1, 2]) + tx.amount, nt.WrongType, "array([1, 2]) (ndarray) cannot be part"),
    "a frame": (lambda: tx.amount > ROWS, nt.WrongType, "a DataFrame of length 4 (DataFrame) cannot be part"),
    "a frame of values": (lambda: tx.amount.is_in(ROWS), nt.WrongType, "is_in: values=a DataFrame of length 4; give"),
    "a series as filter": (lambda: tx.filter(ROWS["fraud"]), nt.WrongType, "got a Series of length 4. Compare"),  # type: ignore[arg-type]
    "a series as feature": (lambda: nt.feature(ROWS["items"]), nt.WrongType, "got a Series of length 4."),  # type: ignore[arg-type]
    "nanoseconds": (lambda: tx.time > np.datetime64(1, "ns"), nt.Invalid, "not exact in microseconds"),
    "a column that is a list": (
        lambda: sales(row_id=["sale_id", "items"]),
        nt.WrongType,
        "['sale_id', 'items'] is not the name of a column",
    ),
    "waits without columns": (lambda: sales(known_after=["fraud"]), nt.WrongType, "known_after is ['fraud']; give"),
    "an entity by name": (lambda: sales(entities="seller"), nt.WrongType, "entity is 'seller', not an nt.Entity"),
    "an entity that is None": (lambda: sales(entities=None), nt.WrongType, "entity is None, not an nt.Entity"),
    "keys without types": (
        lambda: nt.Entity("c", keys=list("a")),  # type: ignore[arg-type]
        nt.WrongType,
        "entity 'c': keys is ['a']; give columns and",
    ),
    "a schema without types": (lambda: sales(schema=["a"]), nt.WrongType, "source 'sales': schema is ['a']; give"),
    "a fold of one value": (lambda: request.amount.mean(), nt.Invalid, "folds the rows of a source"),
    "too many parameters": (lambda: tx.amount.mean(3), nt.WrongType, "Parameters: where"),
    "a strange value": (lambda: tx.amount + object(), nt.WrongType, "cannot be part of an expression"),
    "a number above Int64": (lambda: tx.shop_id >= 2**63, nt.Invalid, "does not fit Int64"),
    "a number below Int64": (lambda: tx.shop_id.last() < -(2**63) - 1, nt.Invalid, "does not fit Int64"),
    "a number above all": (lambda: tx.amount < 10**40, nt.Invalid, "does not fit Int64"),
    "a duration above all": (lambda: tx.time - timedelta.max, nt.Invalid, "does not fit Duration"),
    "half a character": (lambda: tx.seller.last() == "\ud800", nt.Invalid, "'\\ud800' does not fit String"),
    "half a character among values": (lambda: tx.seller.is_in(["\ud800"]), nt.WrongType, "is_in: a column of String"),
    "half a character as default": (
        lambda: nt.feature(tx.seller.last(), default="\ud800"),
        nt.WrongType,
        "default='\\ud800' does not fit",
    ),
    "half a character in a default": (
        lambda: nt.feature(tx.seller.last_k(2), default=["\ud800"]),
        nt.WrongType,
        "does not fit",
    ),
    "a default of another type": (lambda: nt.feature(tx.count(), default=1.5), nt.WrongType, "does not fit"),
    "a default for nothing": (lambda: nt.feature(3, default=1), nt.WrongType, "takes an expression"),  # type: ignore[arg-type]
}


def test_the_ends_of_int64_are_literals() -> None:
    assert repr((tx.shop_id > -(2**63)) & (tx.shop_id < 2**63 - 1)).count(str(2**63)[:-1]) == 2


def view() -> type[nt.FeatureView]:
    return nt.feature_view("view", entity=SHOP, features={"amount": tx.amount.sum()})


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED.keys())
def test_a_mistake_is_refused_where_it_is_written(
    case: tuple[Callable[[], object], type[nt.NowThenError], str],
) -> None:
    write, error, message = case
    with pytest.raises(error) as refused:
        write()
    assert message in str(refused.value)


def test_an_unknown_column_is_also_the_error_a_caller_would_guess() -> None:
    assert not hasattr(tx, "amuont")
    assert issubclass(nt.UnknownColumn, KeyError)


def test_private_names_are_plain_attribute_errors() -> None:
    for thing in (tx, tx.amount, view(), request):
        with pytest.raises(AttributeError) as refused:
            _ = thing._repr_png_
        assert not isinstance(refused.value, nt.NowThenError)


@pytest.mark.parametrize(
    "expr, text",
    [
        (tx.amount, "sales.amount"),
        ((tx.amount + 1) * tx.items, "((sales.amount + 1) * sales.items)"),
        (
            tx.filter(tx.amount > 2).count().over("7d", delay="1d"),
            "sales.filter((sales.amount > 2)).count().over('7d', delay='1d')",
        ),
        (tx.amount.last(ignore_nulls=True), "sales.amount.last(ignore_nulls=True)"),
        (
            tx.count().over(nt.hopping("7d", "1d", partial=True)),
            "sales.count().over(hopping('7d', '1d', partial=True))",
        ),
        (nt.feature(tx.amount.mean(), default=0.0), "feature(sales.amount.mean(), default=0.0)"),
        (nt.at().dt.hour(), "at().dt.hour()"),
    ],
    ids=repr,
)
def test_an_expression_reads_as_it_is_written(expr: Expr, text: str) -> None:
    assert repr(expr) == text


def test_a_notebook_shows_type_columns_and_version_escaped() -> None:
    shown = (tx.seller < "<b>").cast(pl.Int64)._repr_html_()
    assert "&lt;b&gt;" in shown
    assert "<b>" not in shown
    assert "sales.seller" in shown
    assert "Int64" in shown


def test_a_default_may_be_a_whole_number_where_floats_are() -> None:
    made: Expr = nt.feature(tx.amount.mean(), default=0)
    assert made.dtype == pl.Float64()
