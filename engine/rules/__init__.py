"""The rules that make a plan good, in order. Each is Plan -> Plan; after each `check` compares what the outputs mean before and after."""

from __future__ import annotations

from collections.abc import Callable

from ..plan.plan import Plan
from .check import check
from .choose_way import choose_way
from .merge_folds import merge_folds
from .prune_columns import prune_columns
from .prune_folds import prune_folds
from .push_filters import push_filters
from .push_time_bound import push_time_bound
from .share_folds import share_folds
from .simplify import simplify

Rule = Callable[[Plan], Plan]

RULES: tuple[Rule, ...] = (
    simplify,  # first: what is written differently and means the same becomes equal, for all rules below
    prune_folds,  # then nothing more is done for folds that nobody reads, now that expressions are plain
    share_folds,  # equal folds become one, so that nothing below is done twice
    merge_folds,  # one pass over a source for each set of keys; needs the folds that are left
    push_filters,  # needs all folds over a scan together, to see what they all filter by
    prune_columns,  # reads what the merged folds and the filter of their scan need and no more
    push_time_bound,  # the bound of a scan is the widest need of all folds merged into it
    choose_way,  # last: how an At is answered depends on all that it reads
)


def optimize(plan: Plan) -> Plan:
    """The plan after all rules, each checked."""
    for rule in RULES:
        better = rule(plan)
        check(plan, better, rule.__name__)
        plan = better
    return plan


__all__ = ["RULES", "Rule", "check", "optimize"]
