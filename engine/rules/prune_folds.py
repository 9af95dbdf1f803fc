"""Prune folds."""

from __future__ import annotations

from dataclasses import replace

from ..plan.plan import At, Plan
from .meaning import slots_of


def prune_folds(plan: Plan) -> Plan:
    """A fold that no output reads is not computed.

        f0 = tx.count(), f1 = tx.amount.sum(); a = f1
    becomes
        f1 = tx.amount.sum(); a = f1

    Where statuses are asked, an output reads all folds it was written with: they tell what was found.
    """
    if plan.statuses:
        return plan
    outputs = tuple(replace(output, slots=_read(output.slots, slots_of(output))) for output in plan.outputs)
    read = {slot for output in outputs for slot in output.slots}
    sides = tuple(pruned for side in plan.input.sides if (pruned := _pruned(side, read)).foldings)
    return replace(plan, input=replace(plan.input, sides=sides), outputs=outputs)


def _read(slots: tuple[str, ...], read: set[str]) -> tuple[str, ...]:
    return tuple(slot for slot in slots if slot in read)


def _pruned(side: At, read: set[str]) -> At:
    return replace(side, foldings=tuple(folding for folding in side.foldings if folding.slot in read))
