"""Compaction of backfilled values: few chunks, the same rows, and nothing that is computed again or missing."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import nowthen as nt
from nowthen.engine.errors import Corrupt, NotFound
from nowthen.store.features import asked_rows, joining
from nowthen.store.features.feature_table import AT, stretches_of, table_of
from nowthen.store.store import Store

from . import shop
from .backfilled import DAYS, HOURS, asked, chunks, in_small_chunks, spend


def test_small_chunks_become_one_and_say_the_same(store: Store, tx: nt.Source) -> None:
    in_small_chunks(store, spend(tx))
    before, many = store.scan("spend").collect(), len(chunks(store))
    (done,) = store.compact("spend")
    assert (done.kind, done.name, done.rows) == ("view", "spend", before.height)
    assert (done.before, done.after, len(chunks(store))) == (3 * many, 3, 1)
    assert_frame_equal(store.scan("spend").collect(), before, check_exact=True)
    assert_frame_equal(before, asked(store, spend(tx), before), check_exact=True)
    assert "12 files are 3 now" in str(done)


def test_a_backfill_afterwards_computes_nothing_it_has_and_fills_holes_alone(store: Store, tx: nt.Source) -> None:
    in_small_chunks(store, spend(tx))
    store.compact("spend")
    assert store.backfill(spend(tx), *DAYS, **HOURS, dry_run=True).values == {}
    assert store.backfill(spend(tx), *DAYS, **HOURS).values == {}
    assert store.holes(spend(tx), *DAYS, **HOURS) == []
    longer = ("2025-12-31", "2026-01-04")
    said = store.backfill(spend(tx), *longer, **HOURS, dry_run=True)
    assert [(hole.as_json()["start"], hole.as_json()["end"]) for hole in said.holes] == [
        ("2025-12-31", "2026-01-01"),
        ("2026-01-03", "2026-01-04"),
    ]
    assert store.backfill(spend(tx), *longer, **HOURS).rows == said.rows == 28
    found = store.scan("spend").collect()
    assert_frame_equal(found, asked(store, spend(tx), found), check_exact=True)


def test_a_hole_between_chunks_stays_one(store: Store, tx: nt.Source) -> None:
    in_small_chunks(store, spend(tx), "2026-01-01", "2026-01-02", **HOURS)
    in_small_chunks(store, spend(tx), "2026-01-02T12:00", "2026-01-04", **HOURS)
    before = store.holes(spend(tx), "2026-01-01", "2026-01-05", **HOURS)
    store.compact("spend")
    assert len(chunks(store)) == 2
    assert store.holes(spend(tx), "2026-01-01", "2026-01-05", **HOURS) == before


def test_repeating_it_changes_nothing(store: Store, tx: nt.Source) -> None:
    in_small_chunks(store, spend(tx))
    (first,), (again,) = store.compact("spend"), store.compact("spend")
    assert (again.before, again.after, again.version) == (first.after, first.after, first.version)


def test_it_is_one_entry_that_says_so(store: Store, tx: nt.Source) -> None:
    in_small_chunks(store, spend(tx))
    before = store.here.ledger.head().number
    (done,) = store.compact("spend")
    head = store.here.ledger.head()
    assert (head.number, head.kind, head.what, done.version) == (before + 1, "compact", "compact spend", head.number)
    assert set(head.moved) == {"view/spend"}


def test_without_a_name_sources_and_views_are_compacted(store: Store, tx: nt.Source) -> None:
    store.ingest(shop.source(shop.sales(80)))
    in_small_chunks(store, "shop")
    assert [(done.kind, done.name) for done in store.compact()] == [
        ("source", "sales"),
        ("view", "customer_spend"),
        ("view", "place_trade"),
        ("view", "trade"),
    ]
    for view in ("customer_spend", "place_trade", "trade"):
        found = store.scan(view).collect()
        assert_frame_equal(found, asked(store, view, found), check_exact=True)
        assert len(chunks(store, view)) == 1


def test_a_name_without_values_is_named(store: Store, tx: nt.Source) -> None:
    with pytest.raises(NotFound, match="'place_trade' has no rows"):
        store.compact("place_trade")


def test_older_versions_say_what_they_said(store: Store, tx: nt.Source) -> None:
    said = {}
    for end in ("2026-01-02", "2026-01-03", "2026-01-04"):
        in_small_chunks(store, spend(tx), "2026-01-01", end, **HOURS)
        said[store.here.ledger.head().number] = store.scan("spend").collect()
    store.compact("spend")
    in_small_chunks(store, spend(tx), "2026-01-01", "2026-01-05", **HOURS)
    store.compact("spend")
    for number, rows in said.items():
        assert_frame_equal(store.scan("spend", as_of=number).collect(), rows, check_exact=True)


def test_what_only_older_versions_need_goes_with_them(store: Store, tx: nt.Source) -> None:
    in_small_chunks(store, spend(tx))
    before = store.scan("spend").collect()
    store.tag("before")
    store.compact("spend")
    store.cleanup(keep="0s", versions=1)
    fresh: Store = nt.connect(store.root)
    assert_frame_equal(fresh.scan("spend", as_of=fresh.tags()["before"]).collect(), before, check_exact=True)
    store.untag("before")
    store.cleanup(keep="0s", versions=1)
    files = [one for one in (store.root / "features" / "spend" / "data").iterdir() if one.suffix == ".lance"]
    assert len(files) == 3
    assert_frame_equal(nt.connect(store.root).scan("spend").collect(), before, check_exact=True)
    assert store.scrub().whole


def test_a_joined_file_lies_by_time_then_key(store: Store, tx: nt.Source) -> None:
    in_small_chunks(store, spend(tx), "2026-01-02", "2026-01-03", **HOURS)
    in_small_chunks(store, spend(tx), "2026-01-01", "2026-01-02", **HOURS)
    store.compact("spend")
    table = table_of(store.here.ledger.head(), store.here, "spend")
    assert table is not None
    assert table.version is not None
    (stretch,) = stretches_of(store.here, table).values()
    (rows,) = map(pl.from_arrow, store.here.tables.batches(table.place, table.version, [AT], [stretch]))
    assert rows[AT].is_sorted()  # type: ignore[index]


def test_values_of_any_type_come_through(store: Store, tx: nt.Source) -> None:
    kinds = {
        "text": tx["place"].last(),
        "truth": tx["returned"].any().over("1d", delay="7d"),
        "list": tx["amount"].last_k(3),
        "texts": tx["place"].last_k(2),
        "time": tx["when"].max(),
    }
    view = nt.feature_view("spend", entity=shop.CUSTOMER, features=kinds)
    in_small_chunks(store, view, "2026-01-01", "2026-01-12", every="12h")
    before = store.scan(view).collect()
    assert store.compact("spend")[0].after == 6
    assert_frame_equal(store.scan(view).collect(), before, check_exact=True)
    assert before["texts"].null_count() < before.height
    assert before["truth"].null_count() < before.height


# -- what is stale --------------------------------------------------------------------------------------------------------
def test_what_was_stale_before_is_stale_afterwards_and_no_more(store: Store, tx: nt.Source) -> None:
    in_small_chunks(store, spend(tx))
    store.push(tx, [shop.row(900, 25.5)])
    store.drain(tx)
    before = store.holes(spend(tx), *DAYS, **HOURS)
    assert before
    store.compact("spend")
    assert len(chunks(store)) < 4
    assert list(map(str, store.holes(spend(tx), *DAYS, **HOURS))) == list(map(str, before))
    store.backfill(spend(tx), *DAYS, **HOURS)
    found = store.scan("spend").collect()
    assert_frame_equal(found, asked(store, spend(tx), found), check_exact=True)


def test_chunks_computed_at_different_turns_become_one_and_stay_good(store: Store, tx: nt.Source) -> None:
    in_small_chunks(store, spend(tx))
    store.push(tx, [shop.row(900, 25.5)])
    in_small_chunks(store, spend(tx))
    assert len({chunk.keys.turns["sales"] for chunk in chunks(store)}) == 2
    store.compact("spend")
    assert len(chunks(store)) == 1
    assert store.backfill(spend(tx), *DAYS, **HOURS).values == {}


def test_a_row_that_comes_late_afterwards_makes_it_stale(store: Store, tx: nt.Source) -> None:
    in_small_chunks(store, spend(tx))
    store.compact("spend")
    store.push(tx, [shop.row(900, 25.5)])
    done = store.backfill(spend(tx), *DAYS, **HOURS)
    assert {hole.because for hole in done.holes} == {"rows changed since"}
    found = store.scan("spend").collect()
    assert_frame_equal(found, asked(store, spend(tx), found), check_exact=True)
    assert store.backfill(spend(tx), *DAYS, **HOURS).values == {}


def test_late_rows_make_no_more_than_twice_as_much_stale(
    store: Store, tx: nt.Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joining, "_FEW", 0)
    in_small_chunks(store, spend(tx), "2026-01-01", "2026-01-15", **HOURS)
    many = chunks(store)
    store.compact("spend")
    few = chunks(store)
    assert len(few) < len(many) / 3
    for place, chunk in enumerate(few):
        assert len(few) - place < 3 or chunk.rows <= sum(later.rows for later in few[place + 1 :])
    assert store.compact("spend")[0].version == store.here.ledger.head().number
    assert chunks(store) == few


def test_a_chunk_does_not_grow_beyond_what_a_backfill_makes(
    store: Store, tx: nt.Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_small_chunks(store, spend(tx))
    monkeypatch.setattr(asked_rows, "CHUNK_ROWS", 30)
    store.compact("spend")
    assert max(chunk.rows for chunk in chunks(store)) == 28


# -- other grids ----------------------------------------------------------------------------------------------------------
def test_events_of_a_source_become_one_chunk(store: Store, tx: nt.Source) -> None:
    in_small_chunks(store, "customer_spend", spine="sales")
    before, many = store.scan("customer_spend").collect(), len(chunks(store, "customer_spend"))
    store.compact("customer_spend")
    assert many > len(chunks(store, "customer_spend")) == 1
    assert_frame_equal(store.scan("customer_spend").collect(), before, check_exact=True)
    store.push(tx, [shop.row(901, 300)])
    assert store.backfill("customer_spend", spine=tx).rows == 1


def test_stretches_of_a_spine_stay_as_they_are(store: Store, tx: nt.Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asked_rows, "CHUNK_ROWS", 14)
    spine = pl.concat([shop.labels(), shop.labels()]).sample(fraction=1, shuffle=True, seed=3)
    done = store.backfill("customer_spend", spine=spine, at="t")
    before = store.scan("customer_spend").collect()
    assert store.compact("customer_spend")[0].version == done.version
    assert store.backfill("customer_spend", spine=spine, at="t").values == {}
    assert_frame_equal(store.scan("customer_spend").collect(), before, check_exact=True)


def test_given_keys_of_whom_some_were_forgotten_stay_apart_from_whole_ones(store: Store, tx: nt.Source) -> None:
    keys = {"keys": {"customer_id": [1, 2, 99]}, **HOURS}
    in_small_chunks(store, spend(tx), "2026-01-01", "2026-01-02", **keys)
    store.forget(shop.CUSTOMER, [99])
    in_small_chunks(store, spend(tx), "2026-01-01", "2026-01-03", **keys)
    store.compact("spend")
    assert [chunk.rows for chunk in chunks(store)] == [8, 12]
    assert store.backfill(spend(tx), *DAYS, **keys).values == {}


def test_stretches_without_rows_are_joined_too(store: Store, tx: nt.Source) -> None:
    in_small_chunks(store, spend(tx), "2025-12-28", "2025-12-31", **HOURS)
    in_small_chunks(store, spend(tx), "2025-12-28", "2026-01-02", **HOURS)
    before = store.scan("spend").collect()
    store.compact("spend")
    assert len(chunks(store)) == 1
    assert store.holes(spend(tx), "2025-12-28", "2026-01-02", **HOURS) == []
    assert_frame_equal(store.scan("spend").collect(), before, check_exact=True)


def test_a_view_that_was_renamed_is_compacted_in_its_place(store: Store, tx: nt.Source) -> None:
    in_small_chunks(store, "customer_spend")
    store.rename("customer_spend", "spending")
    before = store.scan("spending").collect()
    store.compact("spending")
    assert len(chunks(store, "spending")) == 1
    assert store.holes("spending", *DAYS, **HOURS) == []
    assert_frame_equal(store.scan("spending").collect(), before, check_exact=True)


# -- care -----------------------------------------------------------------------------------------------------------------
def test_forget_backup_and_verify_go_on(store: Store, tx: nt.Source, tmp_path: Any) -> None:
    in_small_chunks(store, spend(tx))
    store.tag("small")
    store.compact("spend")
    store.backup(tmp_path / "backup")
    assert nt.connect(tmp_path / "backup").scan("spend").collect().equals(store.scan("spend").collect())
    left = store.scan("spend").collect().filter(pl.col("customer_id") != 3).select("customer_id", "at")
    assert store.forget(shop.CUSTOMER, [3]).rows["view/spend"] > 0
    for as_of in (None, store.tags()["small"]):
        found = store.scan("spend", as_of=as_of, holes="null").select("customer_id", "at").collect()
        assert_frame_equal(found, left, check_exact=True)
    assert store.scrub().whole
    in_small_chunks(store, spend(tx), "2026-01-01", "2026-01-05", **HOURS)
    store.compact("spend")
    rows = store.scan("spend").collect()
    assert_frame_equal(rows, asked(store, spend(tx), rows), check_exact=True)


def test_damage_is_said_and_not_copied(store: Store, tx: nt.Source) -> None:
    in_small_chunks(store, spend(tx))
    file = chunks(store)[1].keys.file
    path = store.root / "features" / "spend" / file
    path.write_bytes(path.read_bytes()[:-40] + b"x" * 40)
    fresh: Store = nt.connect(store.root)
    with pytest.raises(Corrupt, match=path.name):
        fresh.compact("spend")
    assert fresh.here.ledger.head().number == store.here.ledger.head().number
