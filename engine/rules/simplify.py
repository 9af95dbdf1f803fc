"""Simplify expressions."""

from __future__ import annotations

from dataclasses import replace

from ..language.expr import Expr, shared
from ..language.nodes import Apply, Feature, FoldOver, Literal
from ..plan.plan import At, Plan
from .rewritings import REWRITINGS


def simplify(plan: Plan) -> Plan:
    """Expressions over rows and over slots become plainer where their values stay the same bit for bit.

        f0 = tx.filter((tx.amount > 2 * 100) | False).amount.sum(); a = ~~(f0 > 1)
    becomes
        f0 = tx.filter(tx.amount > 200).amount.sum(); a = f0 > 1

    Versions of features are hashes of what was written, which stays as it is.
    """
    plainer = Plainer()
    sides = tuple(_plain(side, plainer) for side in plan.input.sides)
    outputs = tuple(replace(output, expr=plainer(output.expr)) for output in plan.outputs)
    return replace(plan, input=replace(plan.input, sides=sides), outputs=outputs)


def _plain(side: At, plainer: Plainer) -> At:
    foldings = tuple(replace(folding, node=plainer.fold(folding.node)) for folding in side.foldings)
    return replace(side, scan=replace(side.scan, kept=plainer.filter(side.scan.kept)), foldings=foldings)


class Plainer:
    """Makes expressions plain, each shared node once. What is plain already is given back itself."""

    def __init__(self) -> None:
        self._done: dict[int, tuple[Expr, Expr]] = {}  # with the node, so that its id stays its own

    def __call__(self, expr: Expr) -> Expr:
        """The plainest expression of the same values."""
        if id(expr) not in self._done:
            self._done[id(expr)] = expr, self._plain(expr)
        return self._done[id(expr)][1]

    def fold(self, node: FoldOver) -> FoldOver:
        """The same fold of what is plain."""
        arg, kept = None if node.arg is None else self(node.arg), self.filter(node.kept)
        if arg is node.arg and kept is node.kept:
            return node
        return shared(FoldOver(node.fold, arg, node.source, kept, node.window, node.dtype))

    def filter(self, kept: Expr | None) -> Expr | None:
        """The plain filter; None where it keeps every row."""
        plain = None if kept is None else self(kept)
        return None if isinstance(plain, Literal) and plain.value is True else plain

    def _plain(self, expr: Expr) -> Expr:
        if isinstance(expr, Feature):
            inner = self(expr.expr)
            return inner if expr.default is None else shared(Feature(inner, expr.default))
        if not isinstance(expr, Apply):
            return expr
        args = tuple(self(arg) for arg in expr.args)
        same = all(one is other for one, other in zip(args, expr.args, strict=True))
        node = expr if same else shared(Apply(expr.operator, args, expr.params, expr.dtype))
        better = (rewriting(node) for rewriting in REWRITINGS)
        return next((plainer for plainer in better if plainer is not None), node)
