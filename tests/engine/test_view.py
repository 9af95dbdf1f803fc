"""Views: what may stand in them, and what makes a version."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

import nowthen as nt
from nowthen.engine.language.expr import Expr
from nowthen.engine.language.nodes import Reference

from .shop import SELLER, SHOP, sales

tx = sales(known_after={"fraud": "7d"})


def made(expr: Any, **about: Any) -> Reference:
    """The feature of a view of its own."""
    return nt.feature_view("view", entity=SHOP, features={"it": expr}, **about).spec.reference("it")


@pytest.mark.parametrize(
    "expr",
    [
        tx.fraud.mean().over("30d"),
        tx.fraud.mean().over("30d", delay="6d"),
        tx.filter(tx.fraud).count().over("30d"),
        tx.fraud.last(),
        tx.count(where=tx.fraud).over(nt.tumbling("30d")),
        (tx.amount * tx.fraud.cast(tx.amount.dtype)).sum().over("30d"),
    ],
    ids=repr,
)
def test_a_column_not_known_yet_is_refused_naming_the_delay_it_needs(expr: Expr) -> None:
    with pytest.raises(nt.Invalid, match=r"known, 7d after its row. Use over\(\.\.\., delay='7d'\)"):
        made(expr)


@pytest.mark.parametrize("expr", [tx.fraud.mean().over("30d", delay="7d"), tx.count().over("1d")], ids=repr)
def test_a_column_known_in_time_is_taken(expr: Expr) -> None:
    assert made(expr).name == "it"


def test_a_source_that_is_not_about_the_entity_is_refused() -> None:
    with pytest.raises(nt.Invalid, match=r"folds source 'sales' by \['seller'\]"):
        nt.feature_view("view", entity=SELLER, features={"it": sales(entities=[SHOP]).count()})


def test_a_view_says_what_it_is_about_in_either_form() -> None:
    class Said(nt.FeatureView, entity=SHOP, about="Said."):
        """Written."""

        it = tx.count()

    class Written(nt.FeatureView, entity=SHOP):
        """Written."""

        it = tx.count()

    called = nt.feature_view("called", entity=SHOP, features={"it": tx.count()}, about="Called.")
    assert [view.spec.about for view in (Said, Written, called)] == ["Said.", "Written.", "Called."]


def test_a_view_refuses_a_word_it_does_not_know() -> None:
    with pytest.raises(TypeError, match="ownr"):
        nt.feature_view("view", entity=SHOP, features={"it": tx.count()}, ownr="us")  # type: ignore[call-arg]


def test_a_bare_column_is_its_last_value() -> None:
    assert repr(made(tx.amount).feature) == "sales.amount.last(ignore_nulls=False)"


def test_a_reference_in_the_class_includes_its_default() -> None:
    class Spend(nt.FeatureView, entity=SHOP):
        usual = nt.feature(tx.amount.mean(), default=2.0)
        twice = usual * 2
        _helper = tx.amount.max()
        most = _helper + 1

    assert repr(Spend.twice.feature) == "(feature(sales.amount.mean(), default=2.0) * 2)"
    assert list(Spend.spec.features) == ["usual", "twice", "most"]


def test_names_owners_and_prose_are_no_part_of_the_version() -> None:
    one = made(nt.feature(tx.amount.mean(), about="One."), owner="us", tags={"a": "b"}, history="9d")
    other = nt.feature_view("other", entity=SHOP, features={"name": tx.amount.mean()}).spec.reference("name")
    assert one.key == other.key


def test_paths_are_no_part_of_the_version() -> None:
    moved = nt.Source(
        "sales", nt.Parquet("elsewhere.parquet"), event_time="time", entities=[SHOP], schema=tx.spec.schema
    )
    assert made(moved.amount.mean()).key == made(tx.amount.mean()).key


@pytest.mark.parametrize(
    "changed",
    [
        lambda: made(nt.feature(tx.amount.mean(), default=0.0)),
        lambda: made(tx.amount.mean(), ttl="1d"),
        lambda: made(tx.amount.mean(), every="1d"),
        lambda: made(tx.amount.sum()),
        lambda: made(tx.items.mean()),
        lambda: made(tx.amount.mean().over("1d")),
        lambda: made(tx.filter(tx.fraud).amount.mean().over("forever", delay="7d")),
        lambda: made(sales(row_id="sale_id").amount.mean()),
        lambda: made(sales(known_time="time").amount.mean()),
        lambda: made(sales(row_id="sale_id", deleted="fraud").amount.mean()),
        lambda: nt.feature_view("view", entity=[SHOP, SELLER], features={"it": tx.amount.mean()}).spec.reference("it"),
    ],
)
def test_whatever_changes_a_value_changes_the_version(changed: Any) -> None:
    assert changed().key != made(tx.amount.mean()).key


def test_versions_are_equal_in_every_process() -> None:
    code = """
import polars as pl, nowthen as nt
shop = nt.Entity("shop", keys={"shop_id": pl.Int64})
schema = {"shop_id": pl.Int64, "time": pl.Datetime("us"), "amount": pl.Float64, "kind": pl.String}
tx = nt.Source("tx", event_time="time", entities=shop, schema=schema)
kept = tx.filter(tx.kind.is_in({"x", "y", "z"}) & (tx.amount > 0.1))
view = nt.feature_view("v", entity=shop, features={"f": nt.feature(kept.amount.mean().over("7d"), default=0.5)})
print(nt.FeatureService("s", [view]).version)
"""
    runs = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(runs) == 1
