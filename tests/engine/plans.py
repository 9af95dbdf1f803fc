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
from nowthen.engine.lower import lower
from nowthen.engine.plan import Plan
from nowthen.engine.rules import Rule
from nowthen.engine.training_set import TrainingSet

from .shop import SELLER, SHOP, sales, spine


def asked(source: nt.Source | None = None, **columns: Any) -> TrainingSet:
    """A training set in which every rule has something to do."""
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


def written(training_set: TrainingSet) -> Plan:
    """The plan as lowering wrote it."""
    return lower(training_set.features, training_set.spine, training_set.open_source)


def under(rules: Sequence[Rule], training_set: TrainingSet) -> pl.DataFrame:
    """What the training set answers when these rules alone are applied, unchecked."""
    module = importlib.import_module("nowthen.engine.training_set")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "optimize", lambda plan: reduce(lambda done, rule: rule(done), rules, plan))
        return training_set.collect(engine="local", status=True)


def without_scans(plan: Plan) -> Plan:
    """A plan that reads nothing, as a broken rule could make one."""
    sides = tuple(replace(side, scan=replace(side.scan, columns=())) for side in plan.input.sides)
    return replace(plan, input=replace(plan.input, sides=sides))
