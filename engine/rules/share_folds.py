"""Share equal folds."""

from __future__ import annotations

from dataclasses import replace

from ..language.expr import Expr, shared
from ..language.nodes import Apply, Feature, Slot
from ..plan.plan import At, Plan


def share_folds(plan: Plan) -> Plan:
    """Folds that are equal by content, keys, clocks and ttl are computed once.

        f0 = tx.count().over('1d'), f1 = tx.count().over('1d'); a = f0, b = f1
    becomes
        f0 = tx.count().over('1d'); a = f0, b = f0
    """
    first: dict[tuple[object, ...], str] = {}
    renamed: dict[str, str] = {}
    sides = tuple(kept for side in plan.input.sides if (kept := _kept(side, first, renamed)))
    if len(sides) == len(plan.input.sides):
        return plan
    outputs = tuple(
        replace(
            output,
            expr=rename(output.expr, renamed),
            slots=tuple(dict.fromkeys(renamed[slot] for slot in output.slots)),
        )
        for output in plan.outputs
    )
    return replace(plan, input=replace(plan.input, sides=sides), outputs=outputs)


def _kept(side: At, first: dict[tuple[object, ...], str], renamed: dict[str, str]) -> At | None:
    """The side without foldings seen before."""
    for folding in side.foldings:
        renamed[folding.slot] = first.setdefault((side.keys, *folding.same), folding.slot)
    foldings = tuple(folding for folding in side.foldings if renamed[folding.slot] == folding.slot)
    return replace(side, foldings=foldings) if foldings else None


def rename(expr: Expr, names: dict[str, str]) -> Expr:
    """The expression with slots renamed."""
    if isinstance(expr, Slot):
        return shared(Slot(names.get(expr.name, expr.name), expr.dtype))
    if isinstance(expr, Feature):
        return shared(Feature(rename(expr.expr, names), expr.default))
    if isinstance(expr, Apply):
        return shared(Apply(expr.operator, tuple(rename(arg, names) for arg in expr.args), expr.params, expr.dtype))
    return expr
