"""Equal expressions are computed once: on rows and at the times asked, however often and wherever they were written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import nowthen as nt
from nowthen.engine.folds.column import Column
from nowthen.engine.language.expr import Expr
from nowthen.engine.language.map import Map
from nowthen.engine.language.registry import operator
from nowthen.engine.running.training_set import TrainingSet

from .plans import under
from .shop import SHOP, sales, spine


@pytest.fixture
def calls() -> Iterator[list[int]]:
    """The number of values of each call of the body of `sqrt`, which nothing else here uses."""
    found = operator("sqrt")
    assert isinstance(found, Map)
    body, seen = found.run, []

    def counted(columns: list[Column], *rest: Any) -> Column:
        seen.append(len(columns[0]))
        return body(columns, *rest)

    object.__setattr__(found, "run", counted)
    yield seen
    object.__setattr__(found, "run", body)


def asked(**features: Expr) -> TrainingSet:
    """A training set of one view."""
    made: TrainingSet = nt.training_set(
        nt.Frame(spine()), nt.feature_view("view", entity=SHOP, features=features), at="asked"
    )
    return made


def test_what_several_folds_fold_is_computed_once(calls: list[int]) -> None:
    tx = sales()
    root = tx.amount.sqrt()
    asked(a=root.mean(), b=tx.amount.sqrt().max().over("1d"), c=tx.filter(root > 1).count()).collect(engine="local")
    assert calls == [4]


def test_what_is_written_differently_and_means_the_same_is_computed_once(calls: list[int]) -> None:
    tx = sales()
    asked(a=tx.amount.sqrt().mean(), b=(tx.amount * 1).sqrt().max()).collect(engine="local")
    assert calls == [4]


def test_what_several_features_compute_at_the_times_asked_is_computed_once(calls: list[int]) -> None:
    tx = sales()
    asked(a=tx.amount.mean().sqrt() + 1, b=tx.amount.mean().sqrt() * 2, c=(tx.amount.mean() / 1).sqrt()).collect(
        engine="local"
    )
    assert calls == [2]


def test_what_reads_a_feature_with_a_default_twice_is_computed_once(calls: list[int]) -> None:
    tx = sales()
    usual = nt.feature_view("usual", entity=SHOP, features={"mean": nt.feature(tx.amount.mean(), default=0.0)})
    one, other = (
        nt.feature_view(name, entity=SHOP, features={name: usual.mean.sqrt() + n}) for n, name in enumerate("ab", 1)
    )
    training_set = nt.training_set(nt.Frame(spine()), [one, other], at="asked")
    values = training_set.collect(engine="local")
    assert calls == [2]
    assert values.equals(under([], training_set, status=False))


def test_the_same_expression_by_other_clocks_is_another(calls: list[int]) -> None:
    tx = sales()
    views = [
        nt.feature_view(name, entity=SHOP, features={name: tx.amount.mean().sqrt()}, every=every)
        for name, every in (("a", "1h"), ("b", "5h"))
    ]
    nt.training_set(nt.Frame(spine()), views, at="asked").collect(engine="local")
    assert calls == [2, 2]
