"""Functions of equal source that find different globals were taken for each other where both stood in one expression, and when they were backfilled."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import polars as pl
import pytest

import nowthen as nt

MODULE = """
import nowthen as nt
import polars as pl

FACTOR = {factor}

@nt.function(returns=pl.Int64)
def times(value: pl.Series) -> pl.Series:
    return value * FACTOR
"""
NOON = datetime(2026, 1, 1, 12)
SHOP = nt.Entity("shop", keys={"shop": pl.Int64})
ROWS = pl.DataFrame({"shop": [1, 1], "time": [NOON, NOON], "x": [1, 5], "y": [100, 0]})
tx = nt.Source("tx", nt.Frame(ROWS), event_time="time", entities=SHOP)
Modules = tuple[ModuleType, ModuleType]


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, without_ray: None) -> Iterator[Modules]:
    """Two modules: the function of one doubles, that of the other takes tenfold."""
    monkeypatch.syspath_prepend(tmp_path)
    for name, factor in (("twofold", 2), ("tenfold", 10)):
        (tmp_path / f"{name}.py").write_text(MODULE.format(factor=factor))
    importlib.invalidate_caches()
    yield importlib.import_module("twofold"), importlib.import_module("tenfold")
    for name in ("twofold", "tenfold"):
        sys.modules.pop(name)


def view(**features: Any) -> Any:
    return nt.feature_view("view", entity=SHOP, features=features)


def values(**features: Any) -> tuple[Any, ...]:
    """The values of features at noon."""
    train = nt.training_set({"shop": [1], "at": [NOON]}, view(**features), at="at")
    return train.collect(engine="local").row(0)[2:]


def test_two_in_one_expression_keep_their_places(modules: Modules) -> None:
    two, ten = (module.times for module in modules)
    before = {"one": (two(tx.x) - ten(tx.y)).sum(), "other": (ten(tx.x) - two(tx.y)).sum()}
    assert values(**before) == (12 - 1000, 60 - 200)
    after = {"one": two(tx.x.sum()) - ten(tx.y.sum()), "other": ten(tx.x.sum()) - two(tx.y.sum())}
    assert values(**after) == (12 - 1000, 60 - 200)
    filters = {"one": tx.count(where=two(tx.x) > ten(tx.y)), "other": tx.count(where=two(tx.y) > ten(tx.x))}
    assert values(**filters) == (1, 1)


def test_one_within_the_other_is_not_the_other_within_the_one(modules: Modules) -> None:
    two, ten = (module.times for module in modules)
    inner = nt.feature_view("inner", entity=SHOP, features={"two": two(tx.x.sum()), "ten": ten(tx.x.sum())})
    assert values(one=two(ten(tx.x) + 1).sum(), other=ten(two(tx.x) + 1).sum()) == (2 * 62, 10 * 14)
    assert values(one=two(inner.ten + 1), other=ten(inner.two + 1)) == (2 * 61, 10 * 13)


@pytest.mark.parametrize("through", [False, True], ids=["itself", "through a feature"])
def test_a_backfill_refuses_to_keep_two_as_one(modules: Modules, tmp_path: Path, *, through: bool) -> None:
    two, ten = (module.times(tx.x).sum() for module in modules)
    inner = nt.feature_view("inner", entity=SHOP, features={"two": two, "ten": ten})
    made = view(one=inner.two + 1, other=inner.ten + 1) if through else view(one=two, other=ten)
    store = nt.connect(tmp_path / "store")
    store.apply([made, inner])
    store.ingest(tx)
    for names in (("one", "other"), ("other",)):
        with pytest.raises(nt.Invalid, match=r"'one' and 'other' .* have one version.*tenfold:times, twofold:times"):
            store.backfill(made.select(*names), NOON, NOON + timedelta(days=1))


def test_one_feature_under_two_names_is_backfilled(modules: Modules, tmp_path: Path) -> None:
    two, _ = (module.times(tx.x).sum() for module in modules)
    made, store = view(one=two, other=two), nt.connect(tmp_path / "store")
    store.apply(made)
    store.ingest(tx)
    store.backfill(made, NOON, NOON + timedelta(days=1))
    assert store.scan("view").select("one", "other").collect().rows() == [(12, 12)]
