"""Push filters into scans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce

from ..language.expr import Expr, apply, shared
from ..language.nodes import Apply, FoldOver
from ..plan.plan import At, Plan


def push_filters(plan: Plan) -> Plan:
    """What all folds of an At filter by is filtered once, in its scan: other rows are never hashed, sorted or moved.

        f0 = tx.filter(tx.big).count(), f1 = tx.filter(tx.big & tx.late).count()    over    Scan tx
    becomes
        f0 = tx.count(), f1 = tx.filter(tx.late).count()    over    Scan tx where tx.big

    Not where statuses are asked, as a row that no filter lets through is found all the same; nor where rows have versions that the
    source has not settled, as a version that fails the filter may end one that passes.
    """
    if plan.statuses:
        return plan
    return replace(plan, input=replace(plan.input, sides=tuple(_pushed(side) for side in plan.input.sides)))


def _pushed(side: At) -> At:
    common = _common(side)
    if not common or not side.scan.may_leave_out:
        return side
    kept = filter_of([*conjuncts(side.scan.kept), *common])
    foldings = tuple(replace(folding, node=_without(folding.node, common)) for folding in side.foldings)
    return replace(side, scan=replace(side.scan, kept=kept), foldings=foldings)


def _common(side: At) -> list[Expr]:
    """The conditions that stand in the filter of every fold, in the order of the first."""
    first, *others = ({id(one): one for one in conjuncts(folding.node.kept)} for folding in side.foldings)
    return [one for number, one in first.items() if all(number in other for other in others)]


def _without(node: FoldOver, conditions: Sequence[Expr]) -> FoldOver:
    left_out = {id(one) for one in conditions}
    kept = filter_of([one for one in conjuncts(node.kept) if id(one) not in left_out])
    return shared(FoldOver(node.fold, node.arg, node.source, kept, node.window, node.dtype))


def conjuncts(kept: Expr | None) -> list[Expr]:
    """The conditions of a filter, which is true exactly where each of them is, also where some are null."""
    if kept is None:
        return []
    if isinstance(kept, Apply) and kept.operator.name == "and_" and all(arg.dtype == kept.dtype for arg in kept.args):
        return [condition for arg in kept.args for condition in conjuncts(arg)]
    return [kept]


def filter_of(conditions: Sequence[Expr]) -> Expr | None:
    """The filter that is true where all conditions are; None for no conditions."""
    return reduce(lambda one, other: apply("and_", one, other), conditions) if conditions else None
