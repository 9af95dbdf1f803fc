"""Prune columns."""

from __future__ import annotations

from dataclasses import replace

from ..plan.plan import At, Plan
from .check import needed_columns


def prune_columns(plan: Plan) -> Plan:
    """A scan reads only what is folded or filtered by, the keys, the times and the row id.

        Scan tx: transaction_id, tx_datetime, customer_id, terminal_id, amount, fraud
    becomes, under At by customer_id: tx.count(),
        Scan tx: transaction_id, tx_datetime, customer_id
    """
    return replace(plan, input=replace(plan.input, sides=tuple(_pruned(side) for side in plan.input.sides)))


def _pruned(side: At) -> At:
    needed = needed_columns(side)
    columns = tuple(column for column in side.scan.columns if column in needed)
    return replace(side, scan=replace(side.scan, columns=columns))
