"""Folds that nobody reads are not computed, and those that tell a status are."""

from __future__ import annotations

import nowthen as nt
from nowthen.engine.language.build import literal
from nowthen.engine.language.expr import Expr
from nowthen.engine.rules import optimize
from nowthen.engine.running.training_set import TrainingSet

from .plans import under, written
from .shop import SHOP, sales, spine


def asked(**features: Expr) -> TrainingSet:
    """A training set of one view."""
    made: TrainingSet = nt.training_set(
        nt.Frame(spine()), nt.feature_view("view", entity=SHOP, features=features), at="asked"
    )
    return made


def folds(training_set: TrainingSet, *, statuses: bool) -> list[str]:
    """The slots that are filled."""
    plan = optimize(written(training_set, statuses=statuses))
    return [folding.slot for side in plan.input.sides for folding in side.foldings]


def switched() -> TrainingSet:
    """A choice that a constant decides, between folds of different windows."""
    tx = sales()
    early, late = tx["items"].sum().over("1d", delay="5d"), tx["items"].sum().over("2h")
    return asked(chosen=nt.when(literal(True)).then(early).otherwise(late))


def test_a_fold_that_no_value_needs_is_left_out() -> None:
    assert folds(switched(), statuses=False) == ["f0"]
    assert switched().collect(engine="local").equals(under([], switched(), status=False))


def test_a_fold_that_tells_a_status_stays() -> None:
    assert folds(switched(), statuses=True) == ["f0", "f1"]
    assert switched().collect(engine="local", status=True)["chosen__status"].to_list() == ["present", "not_found"]


def test_a_source_that_nothing_is_read_from_is_not_read() -> None:
    never = asked(never=(sales().fraud.any() & False))
    assert folds(never, statuses=False) == []
    assert never.collect(engine="local")["never"].to_list() == [False, False]
    assert never.collect(engine="local").equals(under([], never, status=False))
