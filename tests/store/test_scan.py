"""Scans of backfilled values and of sources: what they show, and what they refuse to show."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import nowthen as nt
from nowthen.engine.errors import Conflict, Corrupt, Invalid, NotFound
from nowthen.store.features import asked_rows
from nowthen.store.features.feature_table import Chunks, table_of
from nowthen.store.store import Store

from . import shop

DAYS = ("2026-01-01", "2026-01-03")
HOURS: Any = {"every": "6h"}


@pytest.fixture
def tx(store: Store, monkeypatch: pytest.MonkeyPatch) -> nt.Source:
    monkeypatch.setattr(asked_rows, "CHUNK_ROWS", 14)
    source = shop.source(shop.sales())
    store.apply(shop.service(source))
    store.ingest(source)
    store.backfill("customer_spend", *DAYS, **HOURS)
    return source


def test_it_reads_the_columns_and_rows_that_are_asked_for(store: Store, tx: nt.Source) -> None:
    whole = store.scan("customer_spend").collect()
    lazy = store.scan("customer_spend")
    assert_frame_equal(lazy.select("at", "big_2d").collect(), whole.select("at", "big_2d"))
    busy = pl.col("count_1d") > 2
    assert_frame_equal(lazy.filter(busy).select("customer_id").collect(), whole.filter(busy).select("customer_id"))
    assert_frame_equal(lazy.head(20).collect(), whole.head(20))
    assert lazy.select(pl.len()).collect().item() == whole.height
    assert lazy.select(pl.lit(1).alias("one"), "customer_id").collect().height == whole.height


def test_start_and_end_are_half_open(store: Store, tx: nt.Source) -> None:
    whole = store.scan("customer_spend").collect()
    start, end = datetime(2026, 1, 1, 6, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
    inside = whole.filter(pl.col("at").is_between(start, end, closed="left"))
    assert_frame_equal(store.scan("customer_spend", start, "2026-01-02").collect(), inside)


def test_one_feature_can_be_named(store: Store, tx: nt.Source) -> None:
    assert store.scan("customer_spend:big_2d").collect().columns == ["customer_id", "at", "big_2d"]


def test_a_stretch_with_holes_is_refused_or_null(store: Store, tx: nt.Source) -> None:
    before = store.scan("customer_spend").collect()
    store.push(tx, [shop.row(900, 25.5)])
    store.drain("sales")
    with pytest.raises(Conflict, match=r"stale.*customer_spend on 6h from 2026-01-02.*rows changed since"):
        store.scan("customer_spend")
    good = store.scan("customer_spend", end="2026-01-02").collect()
    found = store.scan("customer_spend", holes="null").collect()
    assert found.height == before.height
    assert_frame_equal(found.head(good.height), before.head(good.height))
    assert found.tail(7)["count_1d"].null_count() == 7


def test_a_feature_that_was_never_filled_is_null_beside_the_others(store: Store, tx: nt.Source) -> None:
    view = nt.feature_view(
        "customer_spend",
        entity=shop.CUSTOMER,
        features={"most": tx["amount"].max().over("1d"), "count_1d": tx.count().over("1d")},
    )
    store.backfill(view.select("most"), "2026-01-01", "2026-01-02", **HOURS)
    found = store.scan(view, holes="null").collect()
    assert found["count_1d"].null_count() == 0
    assert found.filter(pl.col("at") >= datetime(2026, 1, 2, tzinfo=UTC))["most"].null_count() == 28


def test_another_definition_of_that_name_does_not_show_its_values(store: Store, tx: nt.Source) -> None:
    view = nt.feature_view("customer_spend", entity=shop.CUSTOMER, features={"count_1d": tx.count().over("2d")})
    store.apply(view, force=True)
    with pytest.raises(Conflict, match="the feature changed"):
        store.scan("customer_spend")


def test_of_several_grids_one_is_chosen(store: Store, tx: nt.Source) -> None:
    store.backfill("customer_spend", *DAYS)
    with pytest.raises(Invalid, match="every=, one of: '1d', '6h'"):
        store.scan("customer_spend")
    assert store.scan("customer_spend", every="24h").collect()["at"].n_unique() == 2
    with pytest.raises(NotFound, match="was not backfilled every '2h'"):
        store.scan("customer_spend", every="2h")


def test_the_store_as_it_stood(store: Store, tx: nt.Source) -> None:
    before, then = store.scan("customer_spend").collect(), store.here.ledger.head()
    store.push(tx, [shop.row(900, 1.5)])
    store.backfill("customer_spend", *DAYS, **HOURS)
    assert not store.scan("customer_spend").collect().equals(before)
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=then.at)
    for as_of in (then.number, moment):
        assert_frame_equal(store.scan("customer_spend", as_of=as_of).collect(), before)


def test_a_view_that_is_not_registered_shows_what_was_filled_last(store: Store, tx: nt.Source) -> None:
    view = nt.feature_view("other", entity=shop.CUSTOMER, features={"n": tx.count().over("1d")})
    store.backfill(view, *DAYS, **HOURS)
    assert_frame_equal(store.scan("other").collect(), store.scan(view).collect())


def test_a_source_shows_the_rows_that_exist(store: Store, tx: nt.Source) -> None:
    rows = store.scan("sales").collect()
    assert_frame_equal(rows.sort("sale"), shop.sales(), check_exact=True)
    day = store.scan("sales", "2026-01-01", "2026-01-02").select("sale").collect()
    assert sorted(day["sale"]) == list(range(24))


def test_of_a_corrected_row_the_version_known_then_is_shown(store: Store) -> None:
    rows = shop.sales().with_columns(known=pl.col("when"))
    later = shop.START + timedelta(days=9)
    better = rows[3:4].with_columns(amount=pl.lit(1e6), known=pl.lit(later).dt.cast_time_unit("us"))
    source = shop.source(pl.concat([rows, better]), known_time="known")
    store.ingest(source)
    assert store.scan(source).filter(pl.col("sale") == 3).collect()["amount"].to_list() == [1e6]
    then = store.scan(source, known_at=later - timedelta(days=1)).filter(pl.col("sale") == 3)
    assert then.collect()["amount"].to_list() == rows[3:4]["amount"].to_list()


@pytest.mark.parametrize(
    "name, how, kind",
    [
        ("nothing", {}, NotFound),
        ("place_trade", {}, NotFound),
        ("customer_spend:nothing", {}, NotFound),
        ("customer_spend", {"holes": "maybe"}, Invalid),
        ("customer_spend", {"known_at": datetime(2026, 1, 1)}, Invalid),
        ("customer_spend", {"start": "soon"}, Invalid),
    ],
)
def test_what_is_not_there_or_means_nothing_is_refused(
    store: Store, tx: nt.Source, name: str, how: dict[str, Any], kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        store.scan(name, **how)


def test_a_name_of_nothing_is_told_with_the_views_and_sources_there_are(store: Store, tx: nt.Source) -> None:
    with pytest.raises(NotFound, match=r"no view and no source 'sale' in the store[.] Did you mean 'sales'"):
        store.scan("sale")
    with pytest.raises(NotFound, match=r"There are: customer_spend, .*sales"):
        store.scan("nothing")


# -- care -------------------------------------------------------------------------------------------------------------------


def files(store: Store) -> list[Path]:
    table = table_of(store.here.ledger.head(), store.here, "customer_spend")
    assert table is not None
    found = Chunks(store.here).of(table)
    return [store.root / table.place / column.file for chunk in found for column in chunk.columns.values()]


def flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


@pytest.mark.fault
def test_a_damaged_column_is_named_and_becomes_a_hole_that_is_filled(store: Store, tx: nt.Source) -> None:
    before, damaged = store.scan("customer_spend").collect(), files(store)[0]
    flip(damaged, 10)
    store = Store.at(store.root)
    with pytest.raises(Corrupt, match=damaged.name):
        store.scan("customer_spend").collect()
    assert damaged.name in str(store.scrub())
    store.scrub(repair=True)
    (hole,) = store.holes("customer_spend", *DAYS, **HOURS)
    assert (len(hole.features), hole.because) == (1, "never filled")
    store.backfill("customer_spend", *DAYS, **HOURS)
    assert_frame_equal(store.scan("customer_spend").collect(), before)


@pytest.mark.fault
def test_a_chunk_whose_note_or_keys_are_damaged_is_a_hole_that_is_filled(store: Store, tx: nt.Source) -> None:
    before = store.scan("customer_spend").collect()
    table = table_of(store.here.ledger.head(), store.here, "customer_spend")
    assert table is not None
    first, second = list(table.chunks.values())[:2]
    flip(store.root / "notes" / f"{first}.json", 20)
    flip(store.root / table.place / Chunks(store.here).get(second).keys.file, 10)
    store = Store.at(store.root)
    store.scrub(repair=True)
    assert len(store.holes("customer_spend", *DAYS, **HOURS)) in (1, 2)
    store.backfill("customer_spend", *DAYS, **HOURS)
    assert_frame_equal(store.scan("customer_spend").collect(), before)


@pytest.mark.fault
def test_damaged_sums_are_made_anew(store: Store, tx: nt.Source) -> None:
    sums = files(store)[0].with_name(files(store)[0].name + ".sums")
    before = sums.read_bytes()
    flip(sums, 30)
    assert not store.scrub().whole
    assert store.scrub(repair=True).whole
    assert sums.read_bytes() == before


@pytest.mark.fault
def test_a_damaged_list_of_files_is_made_anew(store: Store, tx: nt.Source) -> None:
    before = store.scan("customer_spend").collect()
    table = table_of(store.here.ledger.head(), store.here, "customer_spend")
    assert table is not None
    assert table.version is not None
    flip(store.root / table.place / "_versions" / f"d{table.version.number}.manifest", 40)
    store = Store.at(store.root)
    with pytest.raises(Corrupt):
        store.scan("customer_spend").collect()
    store.scrub(repair=True)
    assert_frame_equal(store.scan("customer_spend").collect(), before)


def test_cleanup_removes_what_was_filled_anew(store: Store, tx: nt.Source) -> None:
    old = set(files(store))
    store.push(tx, [shop.row(900, 1.5)])
    store.backfill("customer_spend", *DAYS, **HOURS)
    store.cleanup(keep="0s", versions=1)
    assert not any(path.exists() for path in old - set(files(store)))
    found = store.scan("customer_spend").collect()
    assert found.height == 50  # at midnight one of seven customers had been seen


def test_what_is_forgotten_is_not_in_it(store: Store, tx: nt.Source) -> None:
    before = store.scan("customer_spend").collect()
    number = store.tag("then")
    store.forget(shop.CUSTOMER, {"customer_id": [3]})
    left = before.filter(pl.col("customer_id") != 3)
    assert_frame_equal(
        store.scan("customer_spend", as_of=number, holes="null").select("customer_id", "at").collect(),
        left.select("customer_id", "at"),
    )
    store.backfill("customer_spend", *DAYS, **HOURS)
    assert_frame_equal(store.scan("customer_spend").collect(), left)


def test_a_scan_of_nothing_is_refused(store: Store) -> None:
    with pytest.raises(Invalid, match="none was given"):
        store.scan([])
