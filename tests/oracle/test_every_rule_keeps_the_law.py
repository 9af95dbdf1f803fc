"""Small adversarial worlds under each rule alone and under all of them: the same values and statuses as without any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings

from nowthen.engine.language.build import literal
from nowthen.engine.language.expr import Expr, apply, shared
from nowthen.engine.language.nodes import FoldOver
from nowthen.engine.plan.plan import Plan
from nowthen.engine.rules import RULES, Rule

from ..engine.plans import under
from .asking import differences, expected, training_set
from .test_law_of_time import LONG, SHORT
from .worlds import World, worlds


def complicated(plan: Plan) -> Plan:
    """The plan with what it filters by and folds written in a roundabout way, as people come to write it."""

    def fold(node: FoldOver) -> FoldOver:
        arg = None if node.arg is None else apply("when", literal(True), node.arg, node.arg)
        kept = None if node.kept is None else _roundabout(node.kept)
        return shared(FoldOver(node.fold, arg, node.source, kept, node.window, node.dtype))

    sides = tuple(
        replace(side, foldings=tuple(replace(one, node=fold(one.node)) for one in side.foldings))
        for side in plan.input.sides
    )
    return replace(plan, input=replace(plan.input, sides=sides))


def _roundabout(kept: Expr) -> Expr:
    return ~~(kept & True) & (kept | apply("lt", 2, 1))


def holds(world: World) -> None:
    """Assert that rules change no value and no status of a world, and that the law of time holds under all of them."""
    asked = training_set(world)
    ways: list[Sequence[Rule]] = [*([rule] for rule in RULES), [complicated, *RULES]]
    wanted = under([], asked)
    assert differences(world, wanted, expected(world)) == []
    for rules in ways:
        assert under(rules, asked).equals(wanted)
        values = under(rules, asked, status=False)
        assert values.equals(wanted.select(values.columns))


@pytest.mark.usefixtures("loops")
@settings(SHORT, max_examples=25)
@given(worlds())
def test_values_and_statuses_are_the_same_under_any_rule(world: World) -> None:
    holds(world)


@pytest.mark.slow
@pytest.mark.usefixtures("loops")
@settings(LONG, max_examples=1000)
@given(worlds(most=30))
def test_values_and_statuses_are_the_same_under_any_rule_in_many_worlds(world: World) -> None:
    holds(world)
