"""The check after every rule: same outputs of the same meaning, slots filled once, types right, all columns read that are needed.

It compares two plans; it does not prove a rule right. It trusts the rewritings (see `meaning.py`), and `needed_columns`, which `prune_columns` uses too.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from ..language import dtype as types
from ..language.expr import Expr
from ..language.nodes import Apply, Feature, FoldOver, Literal, RequestField, Slot, SourceColumn, walk
from ..plan.plan import At, Plan
from .meaning import Meaning, slots_of

_ON_ROWS = (FoldOver, Apply, Literal, SourceColumn)
_AT_TIMES = (Apply, Literal, Feature, Slot, RequestField)


def check(before: Plan, after: Plan, rule: str) -> None:
    """Raise AssertionError if the plan after a rule could answer differently; a bug of the rule, never of the user."""
    assert _schema(before) == _schema(after), f"{rule} changed the outputs: {_schema(before)} became {_schema(after)}"
    assert after.input.spine is before.input.spine, f"{rule} changed the spine"
    assert after.statuses is before.statuses, f"{rule} changed whether statuses are asked"
    _check_slots(after, rule)
    for side in after.input.sides:
        _check_columns(side, rule)
        _check_left_out(side, after.statuses, rule)
    _check_nodes(before, after, rule)
    _check_meaning(before, after, rule)


def _check_slots(plan: Plan, rule: str) -> None:
    slots = [folding.slot for side in plan.input.sides for folding in side.foldings]
    assert len(slots) == len(set(slots)), f"{rule} fills a slot twice: {slots}"
    for output in plan.outputs:
        missing = {*slots_of(output), *output.slots} - set(slots)
        assert not missing, f"{rule} lost slots {missing}"
        unsaid = slots_of(output) - set(output.slots)
        assert not unsaid, f"{rule} does not say that {output.name} reads {unsaid}"


def _check_columns(side: At, rule: str) -> None:
    source = side.scan.source
    strangers = [folding.slot for folding in side.foldings if folding.node.source is not source]
    assert not strangers, f"{rule} folds {strangers} over the wrong source"
    strangers = [f"{column.source.name}.{column.name}" for column in _columns(side) if column.source is not source]
    assert not strangers, f"{rule} computes {strangers} on rows of {source.name}"
    needed = needed_columns(side)
    assert needed <= set(side.scan.columns), f"{rule} does not read {needed - set(side.scan.columns)} of {source.name}"


def _check_left_out(side: At, statuses: bool, rule: str) -> None:
    scan = side.scan
    assert scan.kept is None or not statuses, f"{rule} leaves out rows of {scan.source.name} that tell a status"
    assert (scan.kept is None and scan.bound is None) or scan.may_leave_out, (
        f"{rule} leaves out rows of {scan.source.name} before their versions are settled"
    )
    if scan.bound is not None:
        assert scan.bound.column == scan.source.event_time, f"{rule} bounds {scan.bound.column}, not the event time"
        assert scan.bound.first is None or side.reach is not None, f"{rule} bounds a fold that looks back for ever"


def _check_nodes(before: Plan, after: Plan, rule: str) -> None:
    """Every node stands where its kind may stand; those that the rule made have the types that their operators say."""
    known = {id(node) for exprs in _expressions(before) for node in exprs}
    on_rows, at_times = _expressions(after)
    strangers = [node for node in on_rows if not isinstance(node, _ON_ROWS)]
    strangers += [node for node in at_times if not isinstance(node, _AT_TIMES)]
    assert not strangers, f"{rule} puts {strangers} where they cannot be computed"
    filled = {folding.slot: folding.node.dtype for side in after.input.sides for folding in side.foldings}
    for node in (*on_rows, *at_times):
        if id(node) not in known:
            said = _said(node, filled)
            assert said == node.dtype, f"{rule} makes {node!r} of type {node.dtype}, which is {said}"


def _expressions(plan: Plan) -> tuple[list[Expr], list[Expr]]:
    """The nodes that are computed on rows, folds with them, and those that are computed at the times asked."""
    folds = [folding.node for side in plan.input.sides for folding in side.foldings]
    filters = [side.scan.kept for side in plan.input.sides if side.scan.kept is not None]
    on_rows = [node for expr in (*folds, *filters) for node in walk(expr)]
    return on_rows, [node for output in plan.outputs for node in walk(output.expr)]


def _said(node: Expr, filled: Mapping[str, pl.DataType]) -> pl.DataType:
    """The type of a node by what it is made of."""
    if isinstance(node, Apply):
        return node.operator.returns(*(arg.dtype for arg in node.args), **dict(node.params))
    if isinstance(node, FoldOver):
        source = node.source
        arg = types.settled(source.schema[source.event_time]) if node.arg is None else node.arg.dtype
        return types.settled(node.fold.result(arg))
    if isinstance(node, SourceColumn):
        return types.settled(node.source.column(node.name))
    return filled.get(node.name, types.UTC) if isinstance(node, Slot) else node.dtype


def _check_meaning(before: Plan, after: Plan, rule: str) -> None:
    was, now = Meaning(before), Meaning(after)
    for old, new in zip(before.outputs, after.outputs, strict=True):
        if was.parts(old) != now.parts(new):
            assert was.of(old) == now.of(new), f"{rule} changed what {new.name} means: {old.expr!r} became {new.expr!r}"


def needed_columns(side: At) -> set[str]:
    """The source columns an At reads: what is folded, filters, keys, times and row versions."""
    source = side.scan.source
    fixed = {source.event_time, source.known_time, source.row_id, source.deleted} - {None}
    return {str(name) for name in fixed} | {column.name for column in _columns(side)} | {name for name, _ in side.keys}


def _columns(side: At) -> list[SourceColumn]:
    """The columns that folds and filters are computed from."""
    exprs: list[Expr] = [folding.node for folding in side.foldings]
    exprs += [] if side.scan.kept is None else [side.scan.kept]
    return [node for expr in exprs for node in walk(expr) if isinstance(node, SourceColumn)]


def _schema(plan: Plan) -> list[tuple[str, str, object]]:
    return [(output.name, str(output.expr.dtype), output.default) for output in plan.outputs]
