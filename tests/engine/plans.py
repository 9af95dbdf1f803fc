"""Plans of the shop's features, and their answers without any of the rules."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from typing import Any

import polars as pl
import pytest

import nowthen as nt
from nowthen.engine.language.build import literal
from nowthen.engine.plan.lower import lower
from nowthen.engine.plan.plan import Plan
from nowthen.engine.rules import Rule, check
from nowthen.engine.running.training_set import TrainingSet

from .shop import SELLER, SHOP, sales, spine


def asked(source: nt.Source | None = None, **columns: Any) -> TrainingSet:
    """A training set with folds to share and to merge, columns to prune and times to bound."""
    tx = source or sales()
    shop = nt.feature_view(
        "shop",
        entity=SHOP,
        features={
            "count_1d": tx.count().over("1d"),
            "same": tx.count().over("1d") * 2,
            "mean": tx.amount.mean().over("6h"),
        },
    )
    seller = nt.feature_view(
        "seller", entity=SELLER, features={"late": tx.items.sum().over("1d", delay="1h")}, every="1h"
    )
    made: TrainingSet = nt.training_set(nt.Frame(spine(**columns)), [shop, seller], at="asked")
    return made


def filtered(source: nt.Source | None = None, **columns: Any) -> TrainingSet:
    """A training set in which every rule has something to do: filters and choices that can be put more plainly, and a fold nobody needs."""
    tx = source or sales()
    frauds = tx.filter((tx.fraud | False) & True)
    shop = nt.feature_view(
        "shop",
        entity=SHOP,
        features={
            "frauds": tx.filter(tx.fraud).count().over("1d"),
            "again": frauds.count().over("1d") * 1 + 0,
            "many": frauds.filter(tx["items"] > 1).amount.mean().over("6h"),
            "either": nt.when(literal(False))
            .then(tx["items"].max())
            .otherwise(nt.feature(frauds["items"].sum().over("6h"), default=0)),
        },
    )
    seller = nt.feature_view("seller", entity=SELLER, features={"items": tx["items"].sum()})
    made: TrainingSet = nt.training_set(nt.Frame(spine(**columns)), [shop, seller], at="asked")
    return made


def written(training_set: TrainingSet, *, statuses: bool = True) -> Plan:
    """The plan as lowering wrote it."""
    return lower(training_set.features, training_set.spine, training_set.open_source, statuses=statuses)


def under(rules: Sequence[Rule], training_set: TrainingSet, *, status: bool = True) -> pl.DataFrame:
    """What the training set answers when these rules alone are applied, each checked."""
    module = importlib.import_module("nowthen.engine.running.training_set")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "optimize", lambda plan: reduce(checked, rules, plan))
        return training_set.collect(engine="local", status=status)


def checked(plan: Plan, rule: Rule) -> Plan:
    """The plan after a rule, which the check has seen."""
    better = rule(plan)
    check(plan, better, rule.__name__)
    return better


def without_scans(plan: Plan) -> Plan:
    """A plan that reads nothing, as a broken rule could make one."""
    sides = tuple(replace(side, scan=replace(side.scan, columns=())) for side in plan.input.sides)
    return replace(plan, input=replace(plan.input, sides=sides))
