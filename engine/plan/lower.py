"""Lowering: features to a plan. Naive on purpose, one At over one whole Scan for every fold; the rules make it good."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ..language import dtype as types
from ..language.expr import Expr, shared
from ..language.nodes import Apply, AskedAt, Feature, FoldOver, Reference, Slot
from ..language.source import SourceSpec
from ..language.view import ViewSpec
from .plan import At, Folding, Join, Output, Plan, Scan, Spine
from .reader import Reader

Open = Callable[[SourceSpec], Reader]
Clocks = tuple[int, ...]


def lower(features: Mapping[str, Reference], spine: Spine, open_source: Open, *, statuses: bool = True) -> Plan:
    """The plan that computes the features at the spine's times, and their statuses unless nobody asks."""
    lowering = _Lowering(open_source)
    outputs = tuple(lowering.output(name, reference) for name, reference in features.items())
    return Plan(Join(spine, tuple(lowering.sides)), outputs, statuses)


def clock_slot(clocks: Clocks) -> str:
    """The name of the slot that holds the time asked, rounded down to the clocks in turn.

    >>> clock_slot((60_000_000,))
    'at/60000000'
    """
    return "/".join(["at", *map(str, clocks)])


@dataclass
class _Lowering:
    open_source: Open
    sides: list[At] = field(default_factory=list)

    def output(self, name: str, reference: Reference) -> Output:
        before = len(self.sides)
        expr = self.reference(reference, ())
        assert isinstance(expr, Feature), "a reference lowers to its feature"
        slots = tuple(folding.slot for side in self.sides[before:] for folding in side.foldings)
        return Output(name, expr.expr, expr.default, slots)

    def reference(self, reference: Reference, clocks: Clocks) -> Expr:
        view = reference.view
        return self.expr(reference.feature, view, clocks if view.every is None else (*clocks, view.every))

    def expr(self, node: Expr, view: ViewSpec, clocks: Clocks) -> Expr:
        if isinstance(node, FoldOver):
            return self.fold(node, view, clocks)
        if isinstance(node, AskedAt):
            return shared(Slot(clock_slot(clocks), types.UTC))
        if isinstance(node, Reference):
            return self.reference(node, clocks)
        if isinstance(node, Feature):
            return shared(Feature(self.expr(node.expr, view, clocks), node.default))
        if isinstance(node, Apply):
            return shared(
                Apply(node.operator, tuple(self.expr(arg, view, clocks) for arg in node.args), node.params, node.dtype)
            )
        return node

    def fold(self, node: FoldOver, view: ViewSpec, clocks: Clocks) -> Expr:
        slot = f"f{len(self.sides)}"
        scan = Scan(node.source, self.open_source(node.source), tuple(node.source.schema))
        self.sides.append(At(scan, tuple(view.keys.items()), (Folding(slot, node, clocks, view.ttl),)))
        return shared(Slot(slot, node.dtype))


def clocks_of(expr: Expr) -> set[Clocks]:
    """The clocks whose slots a lowered expression reads."""
    if isinstance(expr, Slot) and expr.name.partition("/")[0] == "at":
        return {tuple(int(step) for step in expr.name.split("/")[1:])}
    return {clocks for child in expr.children for clocks in clocks_of(child)}
