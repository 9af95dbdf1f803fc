"""Filters in scans: where they may stand, and the same values as without."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import nowthen as nt
from nowthen.engine.folds.online import Online
from nowthen.engine.plan.plan import At
from nowthen.engine.plan.reader import Loaded
from nowthen.engine.rules import optimize
from nowthen.engine.rules.push_filters import conjuncts, filter_of
from nowthen.engine.running.training_set import TrainingSet

from .plans import under, written
from .shop import NOON, ROWS, SHOP, sales, spine

VERSIONS = pl.DataFrame({"sale_id": [1, 1, 2], "shop_id": [1, 1, 1], "time": [NOON] * 3, "items": [5, 1, 7]})


@dataclass(frozen=True, eq=False)
class Settled(Loaded):
    """A reader that says that no row has two versions."""

    settled: bool = True


def counts(*filters: Any, source: nt.Source, labels: Any = None) -> TrainingSet:
    """How many rows pass each filter."""
    features = {f"n{i}": source.filter(one).count() for i, one in enumerate(filters)}
    view = nt.feature_view("view", entity=SHOP, features=features)
    made: TrainingSet = nt.training_set(nt.Frame(spine()) if labels is None else labels, view, at="asked")
    return made


def side_of(training_set: TrainingSet, *, statuses: bool = False) -> At:
    """The one At of its plan."""
    (side,) = optimize(written(training_set, statuses=statuses)).input.sides
    return side


def agrees(training_set: TrainingSet) -> list[int]:
    """The first count, which has to be the same without any rule."""
    values = training_set.collect(engine="local")
    assert values.equals(under([], training_set, status=False))
    return values["n0"].to_list()


def test_the_conditions_that_all_folds_share_are_pushed_and_the_rest_stays() -> None:
    tx = sales()
    few, many = tx["items"] < 4, tx["items"] > 1
    asked = counts(few & tx.fraud, tx.fraud & many, source=tx)
    side = side_of(asked)
    assert repr(side.scan.kept) == "sales.fraud"
    assert [repr(folding.node.kept) for folding in side.foldings] == ["(sales.items < 4)", "(sales.items > 1)"]
    assert agrees(asked) == [1, 0]


def test_several_conditions_are_pushed_together() -> None:
    tx = sales()
    few, many = tx["items"] < 4, tx["items"] > 1
    asked = counts(few & many, many & few, source=tx)
    assert repr(side_of(asked).scan.kept) == "((sales.items < 4) & (sales.items > 1))"
    assert agrees(asked) == [1, 1]


def test_folds_that_share_no_condition_filter_for_themselves() -> None:
    tx = sales()
    asked = counts(tx["items"] < 4, tx.fraud, source=tx)
    assert side_of(asked).scan.kept is None
    assert agrees(asked) == [2, 1]


def test_a_filter_stays_where_statuses_are_asked() -> None:
    tx = sales()
    asked = counts(tx["items"] > 99, source=tx)
    assert side_of(asked, statuses=True).scan.kept is None
    assert asked.collect(engine="local", status=True)["n0__status"].to_list() == ["present", "present"]


def test_what_is_served_has_statuses_so_every_row_is_held() -> None:
    tx = sales()
    online = Online(counts(tx.fraud, source=tx).features)
    assert [side.scan.kept for side in online.sides] == [None]


def test_the_plan_of_a_training_set_says_what_it_filters_by() -> None:
    tx = sales()
    asked = counts(tx.fraud, source=tx)
    assert "shop_id, time, fraud; time in [-, 2020-01-02 12:00:00] where sales.fraud" in asked.explain()
    assert "where" not in asked.explain(status=True)


def test_a_version_that_fails_a_filter_still_ends_the_one_that_passes() -> None:
    tx = nt.Source("sales", nt.Frame(VERSIONS), event_time="time", entities=SHOP, row_id="sale_id")
    asked = counts(tx["items"] > 3, source=tx)
    assert side_of(asked).scan.kept is None
    assert agrees(asked) == [1, 0]


def test_a_filter_is_pushed_where_the_reader_has_settled_the_versions() -> None:
    tx = nt.Source("sales", Settled(VERSIONS.tail(2)), event_time="time", entities=SHOP, row_id="sale_id")
    asked = counts(tx["items"] > 3, source=tx)
    assert repr(side_of(asked).scan.kept) == "(sales.items > 3)"
    assert agrees(asked) == [1, 0]


def test_a_filter_is_pushed_where_rows_are_only_known_later() -> None:
    rows = VERSIONS.with_columns(known=pl.Series([NOON, NOON.replace(hour=13), NOON]))
    tx = nt.Source("sales", nt.Frame(rows), event_time="time", entities=SHOP, known_time="known")
    asked = counts(tx["items"] < 6, source=tx)
    assert side_of(asked).scan.kept is not None
    assert agrees(asked) == [1, 0]


@pytest.mark.parametrize("kept", [[True, False, None, True], [None] * 4, [False] * 4, [True] * 4], ids=str)
def test_rows_for_which_a_filter_is_null_do_not_pass(kept: list[bool | None]) -> None:
    rows = ROWS.with_columns(fraud=pl.Series(kept, dtype=pl.Boolean))
    tx = nt.Source("sales", nt.Frame(rows), event_time="time", entities=SHOP)
    asked = counts(tx.fraud, source=tx)
    assert side_of(asked).scan.kept is not None
    assert agrees(asked) == [sum(one is True for one in (kept[0], kept[1], kept[3])), int(kept[2] is True)]


@pytest.mark.parametrize("switch", [False, None])
def test_a_filter_that_lets_nothing_through_leaves_nothing(switch: bool | None) -> None:
    tx = sales()
    asked = counts(tx.fraud & switch, source=tx)
    assert agrees(asked) == [0, 0]


def test_a_table_that_asks_about_itself_keeps_its_questions(tmp_path: Path) -> None:
    ROWS.write_parquet(tmp_path / "sales.parquet")
    table = nt.Parquet(tmp_path / "sales.parquet")
    tx = nt.Source("sales", table, event_time="time", entities=SHOP)
    view = nt.feature_view("view", entity=SHOP, features={"n0": tx.filter(tx.fraud).count()})
    asked = nt.training_set(table, view, at="time")
    assert side_of(asked).scan.kept is not None
    assert agrees(asked) == [1, 1, 0, 2]


def test_a_filter_is_split_into_conditions_and_put_together_again() -> None:
    tx = sales()
    few, many, fraud = tx["items"] < 3, tx["items"] > 1, tx.fraud
    assert [id(one) for one in conjuncts(few & (many & fraud))] == [id(few), id(many), id(fraud)]
    assert filter_of([few, many, fraud]) is (few & many) & fraud
    assert (conjuncts(None), filter_of([])) == ([], None)


def test_a_condition_of_nothing_but_null_is_not_split_off() -> None:
    tx = sales()
    (whole,) = conjuncts(tx.fraud & None)
    assert whole is tx.fraud & None
