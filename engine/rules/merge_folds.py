"""Merge folds on the same source and keys into one pass."""

from __future__ import annotations

from dataclasses import replace

from ..plan.plan import At, Plan


def merge_folds(plan: Plan) -> Plan:
    """All folds over one source by one set of keys stand in one At, so rows are read, grouped and sorted once.

        At by customer_id: f0; At by customer_id: f1; At by terminal_id: f2
    becomes
        At by customer_id: f0, f1; At by terminal_id: f2
    """
    merged: dict[tuple[object, ...], At] = {}
    for side in plan.input.sides:
        key = (id(side.scan.source), side.keys, side.scan.columns, side.scan.bound, id(side.scan.kept))
        before = merged.get(key)
        merged[key] = side if before is None else replace(before, foldings=before.foldings + side.foldings)
    return replace(plan, input=replace(plan.input, sides=tuple(merged.values())))
