"""What the outputs of a plan mean, whatever its slots are called, wherever its filters stand and however plainly it is put."""

from __future__ import annotations

from functools import cached_property

from ..expr import digest, shared
from ..nodes import FoldOver, Slot, walk
from ..plan import At, Folding, Output, Plan
from .push_filters import conjuncts, filter_of
from .share_folds import rename
from .simplify import Plainer


class Meaning:
    """The meaning of each output of a plan: equal for outputs that always have equal values and statuses."""

    def __init__(self, plan: Plan) -> None:
        self._plan, self._plainer = plan, Plainer()
        self._digests: dict[str, str] = {}

    @cached_property
    def folds(self) -> dict[str, tuple[At, Folding]]:
        """What fills each slot."""
        return {folding.slot: (side, folding) for side in self._plan.input.sides for folding in side.foldings}

    def of(self, output: Output) -> tuple[str, object]:
        """The key of its expression over what is folded; and the windows that tell its status, if it has one."""
        names = {slot: self._digest(slot) for slot in slots_of(output)}
        windows = {self._window(slot) for slot in output.slots} if self._plan.statuses else None
        return self._plainer(rename(output.expr, names)).key, windows

    def parts(self, output: Output) -> tuple[object, ...]:
        """Equal, at little cost, for outputs that a rule left as they are: the very nodes they are made of."""
        folds = [self.folds[slot] for slot in output.slots]
        return id(output.expr), [(self._window(f.slot), id(side.scan.kept), id(f.node)) for side, f in folds]

    def _window(self, slot: str) -> tuple[object, ...]:
        side, folding = self.folds[slot]
        return side.keys, id(side.scan.source), str(folding.node.window), folding.clocks, folding.ttl

    def _digest(self, slot: str) -> str:
        if slot not in self._digests:
            self._digests[slot] = self._meant(*self.folds[slot])
        return self._digests[slot]

    def _meant(self, side: At, folding: Folding) -> str:
        node = folding.node
        kept = filter_of([*conjuncts(side.scan.kept), *conjuncts(node.kept)])
        plain = self._plainer.fold(FoldOver(node.fold, node.arg, node.source, kept, node.window, node.dtype))
        every = shared(FoldOver(plain.fold, plain.arg, plain.source, None, plain.window, plain.dtype))
        conditions = sorted({condition.key for condition in conjuncts(plain.kept)})
        return digest([every.key, conditions, [str(part) for part in self._window(folding.slot)]])


def slots_of(output: Output) -> set[str]:
    """The slots that its expression reads and folds fill; those of the time asked are always there."""
    slots = {node.name for node in walk(output.expr) if isinstance(node, Slot)}
    return {slot for slot in slots if slot.partition("/")[0] != "at"}
