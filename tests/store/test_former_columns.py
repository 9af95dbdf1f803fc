"""Columns of former definitions in compacted values: which are carried on, and which nothing needs any more."""

from __future__ import annotations

from typing import Any

import pytest
from polars.testing import assert_frame_equal

import nowthen as nt
from nowthen.engine.errors import NotFound
from nowthen.store.features.feature_table import table_of
from nowthen.store.store import Store

from . import shop
from .backfilled import DAYS, HOURS, asked, chunks, in_small_chunks, spend


def columns(store: Store) -> set[str]:
    """The features whose columns are there, with the digits of their hashes."""
    return {f"{column.feature}@{version[:4]}" for chunk in chunks(store) for version, column in chunk.columns.items()}


def named(view: type[nt.FeatureView]) -> set[str]:
    return {f"{name}@{view.spec.version(name)[:4]}" for name in view.spec.features}


def test_a_former_column_goes_when_no_kept_version_names_it(store: Store, tx: nt.Source) -> None:
    was, now = spend(tx), spend(tx, mean_3d=tx["amount"].max().over("2d"))
    in_small_chunks(store, was)
    in_small_chunks(store, now)
    store.compact("spend")
    assert columns(store) == named(was) | named(now)  # versions that had it filled last are kept
    store.cleanup(keep="0s", versions=1)
    before = store.scan(now).collect()
    (done,) = store.compact("spend")
    assert (done.before, done.after, columns(store)) == (4, 3, named(now))
    assert_frame_equal(store.scan(now).collect(), before, check_exact=True)
    table = table_of(store.here.ledger.head(), store.here, "spend")
    assert table is not None
    assert table.version is not None
    assert len(store.here.tables.opened(table.place, table.version)[0].names) == 4


def test_a_former_column_of_a_tagged_version_stays(store: Store, tx: nt.Source) -> None:
    was, now = spend(tx), spend(tx, mean_3d=tx["amount"].max().over("2d"))
    in_small_chunks(store, was)
    store.tag("was")
    in_small_chunks(store, now)
    store.cleanup(keep="0s", versions=1)
    store.compact("spend")
    assert columns(store) == named(was) | named(now)
    store.untag("was")
    store.cleanup(keep="0s", versions=1)
    store.compact("spend")
    assert columns(store) == named(now)


def test_a_former_column_of_a_registered_version_stays_so_that_going_back_computes_nothing(
    store: Store, tx: nt.Source
) -> None:
    was, now = spend(tx), spend(tx, mean_3d=tx["amount"].max().over("2d"))
    for view in (was, now):
        store.apply(view)
        in_small_chunks(store, view)
    store.cleanup(keep="0s", versions=1)
    before = store.scan(was).collect()
    store.compact("spend")
    assert len(chunks(store)) == 1
    store.rollback("spend", to=store.versions("spend")[0].version)
    assert store.backfill("spend", *DAYS, **HOURS).values == {}
    assert_frame_equal(store.scan("spend").collect(), before, check_exact=True)


def test_a_former_column_of_a_saved_training_set_stays(store: Store, tx: nt.Source) -> None:
    was, now = spend(tx), spend(tx, mean_3d=tx["amount"].max().over("2d"))
    in_small_chunks(store, was)
    saved = store.training_set(shop.labels(), was, at="t").save("was")
    content = saved.path().read_bytes()
    in_small_chunks(store, now)
    store.cleanup(keep="0s", versions=1)
    store.compact("spend")
    assert columns(store) == named(was) | named(now)
    store.cleanup(keep="0s", versions=1)
    assert nt.connect(store.root).open_training_set("was").path().read_bytes() == content


def test_a_former_column_that_is_stale_is_left_out(store: Store, tx: nt.Source) -> None:
    was, now = spend(tx), spend(tx, mean_3d=tx["amount"].max().over("2d"))
    in_small_chunks(store, was)
    store.push(tx, [shop.row(900, 1.5)])
    store.drain(tx)
    in_small_chunks(store, now)
    store.compact("spend")
    assert (columns(store), len(chunks(store))) == (named(now), 1)


def test_a_feature_that_was_taken_away_and_is_stale_keeps_no_chunks_apart(store: Store, tx: nt.Source) -> None:
    was, now = spend(tx, most=tx["amount"].max().over("1d")), spend(tx)
    store.apply(was)
    in_small_chunks(store, was)
    store.apply(now)
    store.push(tx, [shop.row(900, 25.5)])
    in_small_chunks(store, now)
    store.compact("spend")
    assert [sorted(column.feature for column in chunk.columns.values()) for chunk in chunks(store)] == [
        ["count_1d", "mean_3d", "most"],
        ["count_1d", "mean_3d"],
    ]
    assert store.backfill(was, *DAYS, **HOURS).values == {"spend:most": chunks(store)[1].rows}


def test_what_cannot_be_told_is_kept(store: Store, tx: nt.Source, monkeypatch: pytest.MonkeyPatch) -> None:
    was, now = spend(tx), spend(tx, mean_3d=tx["amount"].max().over("2d"))
    in_small_chunks(store, was)
    in_small_chunks(store, now)
    store.cleanup(keep="0s", versions=1)

    def missing(self: Any) -> Any:
        raise NotFound("there is no operator 'soon'")

    monkeypatch.setattr("nowthen.store.definitions.definition_note.Definition.made", missing)
    store.compact("spend")
    assert columns(store) == named(was) | named(now)


def test_chunks_of_different_columns_stay_apart_until_they_have_the_same(store: Store, tx: nt.Source) -> None:
    more = spend(tx, most=tx["amount"].max().over("1d"))
    in_small_chunks(store, spend(tx))
    in_small_chunks(store, more, "2026-01-01", "2026-01-02", **HOURS)
    store.compact("spend")
    assert [len(chunk.columns) for chunk in chunks(store)] == [3, 2]
    (hole,) = store.holes(more, *DAYS, **HOURS)
    assert str(hole) == "spend on 6h from 2026-01-02 to 2026-01-03: most (never filled)"
    store.backfill(more, *DAYS, **HOURS)
    store.compact("spend")
    assert [len(chunk.columns) for chunk in chunks(store)] == [3]
    found = store.scan(more).collect()
    assert_frame_equal(found, asked(store, more, found), check_exact=True)


def test_a_feature_that_got_another_name_lies_in_one_file(store: Store, tx: nt.Source) -> None:
    in_small_chunks(store, spend(tx), "2026-01-01", "2026-01-02", **HOURS)
    other = nt.feature_view("spend", entity=shop.CUSTOMER, features={"sales_1d": tx.count().over("1d")})
    mean = nt.feature_view("spend", entity=shop.CUSTOMER, features={"mean_3d": tx["amount"].mean().over("3d")})
    in_small_chunks(store, other, "2026-01-01", "2026-01-03", **HOURS)
    in_small_chunks(store, mean, "2026-01-01", "2026-01-03", **HOURS)
    store.compact("spend")
    assert {column.feature for (chunk,) in [chunks(store)] for column in chunk.columns.values()} == {
        "sales_1d",
        "mean_3d",
    }
    found = store.scan(spend(tx)).collect()
    assert_frame_equal(found, asked(store, spend(tx), found), check_exact=True)
