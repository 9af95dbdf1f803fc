"""The check after every rule: same outputs, every slot filled once, every column read that is needed."""

from __future__ import annotations

from ..expr import Expr
from ..nodes import Slot, SourceColumn, walk
from ..plan import At, Plan


def check(before: Plan, after: Plan, rule: str) -> None:
    """Raise AssertionError if the plan after a rule could answer differently; a bug of the rule, never of the user."""
    assert _schema(before) == _schema(after), f"{rule} changed the outputs: {_schema(before)} became {_schema(after)}"
    assert after.input.spine is before.input.spine, f"{rule} changed the spine"
    slots = [folding.slot for side in after.input.sides for folding in side.foldings]
    assert len(slots) == len(set(slots)), f"{rule} fills a slot twice: {slots}"
    missing = {slot for output in after.outputs for slot in (*_slots(output.expr), *output.slots)} - set(slots)
    assert not missing, f"{rule} lost slots {missing}"
    for side in after.input.sides:
        _check_side(side, rule)


def _check_side(side: At, rule: str) -> None:
    needed = needed_columns(side)
    assert needed <= set(side.scan.columns), (
        f"{rule} does not read {needed - set(side.scan.columns)} of {side.scan.source.name}"
    )
    strangers = [folding.slot for folding in side.foldings if folding.node.source is not side.scan.source]
    assert not strangers, f"{rule} folds {strangers} over the wrong source"


def needed_columns(side: At) -> set[str]:
    """The source columns an At reads: what is folded, filters, keys, times and row versions."""
    source = side.scan.source
    fixed = {source.event_time, source.known_time, source.row_id, source.deleted} - {None}
    folded = {
        node.name
        for folding in side.foldings
        for child in folding.node.children
        for node in walk(child)
        if isinstance(node, SourceColumn)
    }
    return {str(name) for name in fixed} | folded | {name for name, _ in side.keys}


def _schema(plan: Plan) -> list[tuple[str, str, object]]:
    return [(output.name, str(output.expr.dtype), output.default) for output in plan.outputs]


def _slots(expr: Expr) -> set[str]:
    return {node.name for node in walk(expr) if isinstance(node, Slot) and not node.name.startswith("at")}
