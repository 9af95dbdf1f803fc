"""What the outputs of a plan mean, whatever its slots are called, wherever its filters stand and however plainly it is put.

Both sides of a comparison are made plain by the rewritings that `simplify` uses, which are trusted here: a wrong one would make both wrong alike.
tests/engine/test_rewritings.py holds those to the operators they rewrite.
"""

from __future__ import annotations

from functools import cached_property

from ..language.expr import Expr, shared
from ..language.nodes import FoldOver, Literal, Slot, walk
from ..plan.plan import At, Folding, Output, Plan
from .push_filters import conjuncts
from .share_folds import rename
from .simplify import Plainer


class Meaning:
    """The meaning of each output of a plan, equal only where values and statuses are always equal, if the rewritings are right.

    Equal nodes are one object as long as one of them is held, so two meanings can be compared while both plans' are at hand.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan, self._plainer = plan, Plainer()
        self._names: dict[str, str] = {}
        self._held: list[Expr] = []

    @cached_property
    def folds(self) -> dict[str, tuple[At, Folding]]:
        """What fills each slot."""
        return {folding.slot: (side, folding) for side in self._plan.input.sides for folding in side.foldings}

    def of(self, output: Output) -> tuple[object, ...]:
        """Its expression over what is folded; and the windows that tell its status, if it has one."""
        names = {slot: self._name(slot) for slot in slots_of(output)}
        windows = {self._window(*self.folds[slot]) for slot in output.slots} if self._plan.statuses else None
        return id(self._plainer(self._hold(rename(output.expr, names)))), windows

    def parts(self, output: Output) -> tuple[object, ...]:
        """Equal, at less cost, for outputs that a rule left as they are: the very nodes they are made of."""
        folds = [self.folds[slot] for slot in output.slots]
        return id(output.expr), [(*self._window(*fold), id(fold[0].scan.kept), id(fold[1].node)) for fold in folds]

    def _name(self, slot: str) -> str:
        """A name for what fills a slot."""
        if slot not in self._names:
            self._names[slot] = str(self._meant(*self.folds[slot]))
        return self._names[slot]

    def _meant(self, side: At, folding: Folding) -> tuple[object, ...]:
        node = folding.node
        arg = None if node.arg is None else self._plainer(node.arg)
        every = self._hold(shared(FoldOver(node.fold, arg, node.source, None, node.window, node.dtype)))
        conditions = [self._plainer(kept) for kept in (side.scan.kept, node.kept) if kept is not None]
        return id(every), sorted(map(id, _distinct(conditions))), self._window(side, folding)

    def _window(self, side: At, folding: Folding) -> tuple[object, ...]:
        return side.keys, id(side.scan.source), folding.node.window, folding.clocks, folding.ttl

    def _hold(self, expr: Expr) -> Expr:
        self._held.append(expr)
        return expr


def _distinct(filters: list[Expr]) -> list[Expr]:
    """What must all be true for plain filters to be: each condition once, and False alone where it is one."""
    conditions = {id(one): one for kept in filters for one in conjuncts(kept)}.values()
    never: list[Expr] = [one for one in conditions if isinstance(one, Literal) and one.value is False]
    return never or [one for one in conditions if not isinstance(one, Literal) or one.value is not True]


def slots_of(output: Output) -> set[str]:
    """The slots that its expression reads and folds fill; those of the time asked are always there."""
    slots = {node.name for node in walk(output.expr) if isinstance(node, Slot)}
    return {slot for slot in slots if slot.partition("/")[0] != "at"}
