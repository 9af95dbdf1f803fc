"""The check after every rule: it sees a broken one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import polars as pl
import pytest

import nowthen as nt
from nowthen.engine.language.expr import Expr
from nowthen.engine.language.nodes import Apply, Slot, SourceColumn
from nowthen.engine.plan.plan import At, Plan
from nowthen.engine.plan.reader import TimeBound
from nowthen.engine.rules import RULES, check

from .plans import asked, checked, filtered, without_scans, written
from .shop import sales


def _sides(plan: Plan, *sides: At) -> Plan:
    return replace(plan, input=replace(plan.input, sides=sides))


def _first_side(plan: Plan, **changes: Any) -> Plan:
    first, *others = plan.input.sides
    return _sides(plan, replace(first, **changes), *others)


def _first_scan(plan: Plan, **changes: Any) -> Plan:
    return _first_side(plan, scan=replace(plan.input.sides[0].scan, **changes))


def _first_fold(plan: Plan, **changes: Any) -> Plan:
    (folding,) = plan.input.sides[0].foldings
    return _first_side(plan, foldings=(replace(folding, node=replace(folding.node, **changes)),))


def _first_folding(plan: Plan, **changes: Any) -> Plan:
    return _first_side(plan, foldings=(replace(plan.input.sides[0].foldings[0], **changes),))


def _first_output(plan: Plan, **changes: Any) -> Plan:
    return replace(plan, outputs=(replace(plan.outputs[0], **changes), *plan.outputs[1:]))


def _first_expr(plan: Plan, made: Callable[[Expr], Expr]) -> Plan:
    return _first_output(plan, expr=made(plan.outputs[0].expr))


def _without_side(plan: Plan) -> Plan:
    return _sides(plan, *plan.input.sides[1:])


def _with_side_twice(plan: Plan) -> Plan:
    return _sides(plan, *plan.input.sides, plan.input.sides[0])


def _without_output(plan: Plan) -> Plan:
    return replace(plan, outputs=plan.outputs[1:])


def _with_other_default(plan: Plan) -> Plan:
    return _first_output(plan, default=7)


def _with_other_spine(plan: Plan) -> Plan:
    return replace(plan, input=replace(plan.input, spine=replace(plan.input.spine, known=5)))


def _with_other_source(plan: Plan) -> Plan:
    return _first_scan(plan, source=sales().spec)


def _without_statuses(plan: Plan) -> Plan:
    return replace(plan, statuses=False)


def _with_slot_unsaid(plan: Plan) -> Plan:
    return _first_output(plan, slots=())


def _with_column_of_another_source(plan: Plan) -> Plan:
    return _first_fold(plan, kept=sales().fraud)


def _with_fold_on_rows(plan: Plan) -> Plan:
    return _first_fold(plan, kept=Slot("f1", pl.Boolean()))


def _with_row_at_times(plan: Plan) -> Plan:
    (folding,) = plan.input.sides[0].foldings
    return _first_expr(plan, lambda _: SourceColumn(folding.node.source, "items", pl.Int64()))


def _with_fold_at_times(plan: Plan) -> Plan:
    return _first_expr(plan, lambda _: plan.input.sides[0].foldings[0].node)


def _with_slot_of_another_type(plan: Plan) -> Plan:
    cast = Slot("f0", pl.Int32()).cast(pl.Int64)
    return _first_expr(plan, lambda _: cast)


def _with_operator_of_another_type(plan: Plan) -> Plan:
    return _first_expr(plan, lambda slot: replace(_made(slot * 1.5), dtype=slot.dtype))


def _with_fold_of_another_type(plan: Plan) -> Plan:
    return _first_fold(plan, dtype=pl.Int32())


def _with_other_formula(plan: Plan) -> Plan:
    return _first_expr(plan, lambda slot: slot + 1)


def _with_other_slot(plan: Plan) -> Plan:
    return _first_output(plan, expr=Slot("f3", pl.Int64()), slots=("f3",))


def _with_other_window(plan: Plan) -> Plan:
    return _first_fold(plan, window=plan.input.sides[2].foldings[0].node.window)


def _with_other_keys(plan: Plan) -> Plan:
    return _first_side(plan, keys=plan.input.sides[3].keys)


def _with_other_clock(plan: Plan) -> Plan:
    return _first_folding(plan, clocks=(5,))


def _with_other_ttl(plan: Plan) -> Plan:
    return _first_folding(plan, ttl=5)


def _with_filter(plan: Plan) -> Plan:
    return _first_fold(plan, kept=_column(plan, "fraud"))


def _with_filter_in_scan(plan: Plan) -> Plan:
    return _first_scan(plan, kept=_column(plan, "fraud"))


def _with_fewer_windows_for_the_status(plan: Plan) -> Plan:
    return _first_output(plan, slots=("f0", "f2"))


def _bounded_by_another_column(plan: Plan) -> Plan:
    return _first_scan(plan, bound=TimeBound("amount", None, None))


def _made(expr: Expr) -> Apply:
    assert isinstance(expr, Apply)
    return expr


def _column(plan: Plan, name: str) -> Expr:
    source = plan.input.sides[0].scan.source
    return SourceColumn(source, name, source.schema[name])


@pytest.mark.parametrize(
    "broken, complaint",
    [
        (_without_side, "lost slots"),
        (_with_side_twice, "fills a slot twice"),
        (_without_output, "changed the outputs"),
        (_with_other_default, "changed the outputs"),
        (_with_other_spine, "changed the spine"),
        (_without_statuses, "changed whether statuses"),
        (_with_other_source, "over the wrong source"),
        (without_scans, "does not read"),
        (_with_slot_unsaid, "does not say"),
        (_with_column_of_another_source, "computes .* on rows of"),
        (_with_fold_on_rows, "cannot be computed"),
        (_with_row_at_times, "cannot be computed"),
        (_with_fold_at_times, "cannot be computed"),
        (_with_slot_of_another_type, "of type Int32, which is Int64"),
        (_with_operator_of_another_type, "of type Int64, which is Float64"),
        (_with_fold_of_another_type, "of type Int32, which is Int64"),
        (_with_other_formula, "changed what count_1d means"),
        (_with_other_slot, "changed what count_1d means"),
        (_with_other_window, "changed what count_1d means"),
        (_with_other_keys, "changed what count_1d means"),
        (_with_other_clock, "changed what count_1d means"),
        (_with_other_ttl, "changed what count_1d means"),
        (_with_filter, "changed what count_1d means"),
        (_with_filter_in_scan, "tell a status"),
        (_with_fewer_windows_for_the_status, "changed what count_1d means"),
        (_bounded_by_another_column, "bounds amount"),
    ],
    ids=lambda part: getattr(part, "__name__", part),
)
def test_the_check_sees_a_broken_rule(broken: Callable[[Plan], Plan], complaint: str) -> None:
    plan = written(asked())
    with pytest.raises(AssertionError, match=f"a_rule.*{complaint}"):
        check(plan, broken(plan), "a_rule")


def test_the_check_sees_a_filter_in_a_scan_that_no_fold_had() -> None:
    plan = written(asked(), statuses=False)
    with pytest.raises(AssertionError, match="changed what count_1d means"):
        check(plan, _with_filter_in_scan(plan), "a_rule")


def test_the_check_sees_rows_left_out_before_their_versions_are_settled() -> None:
    plan = written(asked(sales(row_id="sale_id")), statuses=False)
    for broken in (_with_filter_in_scan(plan), _first_scan(plan, bound=TimeBound("time", None, 5))):
        with pytest.raises(AssertionError, match="a_rule leaves out rows of sales before their versions are settled"):
            check(plan, broken, "a_rule")


def test_the_check_sees_a_bound_on_a_fold_that_looks_back_for_ever() -> None:
    view = nt.feature_view("view", entity=[], features={"count": sales().count()})
    plan = written(
        nt.training_set(pl.DataFrame({"time": [sales().spec.open().read(["time"])["time"][0]]}), view, at="time")
    )
    with pytest.raises(AssertionError, match="looks back for ever"):
        check(plan, _first_scan(plan, bound=TimeBound("time", 5, None)), "a_rule")


@pytest.mark.parametrize("statuses", [True, False])
def test_the_check_passes_every_rule(statuses: bool) -> None:
    for rule in RULES:
        checked(written(asked(), statuses=statuses), rule)
        checked(written(filtered(), statuses=statuses), rule)
