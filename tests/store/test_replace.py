"""Replacing a stretch of time: its rows are the new ones, all others stay, and repeating it leaves the same."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import polars as pl
import pytest

from nowthen.engine.errors import Invalid
from nowthen.store.store import Store

from . import shop

A, B = shop.START + timedelta(hours=10), shop.START + timedelta(hours=20)


def other(first: int, n: int) -> pl.DataFrame:
    return shop.sales(n, first=first).with_columns(amount=pl.lit(1000.0))


def rows(store: Store, tx: Any) -> pl.DataFrame:
    return store.events(tx).read(list(shop.sales().schema)).sort("sale", "amount")


def test_the_rows_of_the_stretch_are_the_new_ones_and_the_others_stay(store: Store) -> None:
    tx = shop.source(shop.sales(60))
    store.ingest(tx)
    done = store.replace(tx, other(12, 3), A, B)
    kept = shop.sales(60).filter((pl.col("when") < A) | (pl.col("when") >= B))
    assert (done.removed, done.new, done.rows) == (10, 3, 53)
    assert rows(store, tx).equals(pl.concat([kept, other(12, 3)]).sort("sale", "amount"))
    assert store.events(tx).settled


def test_repeating_it_leaves_the_same_rows(store: Store) -> None:
    tx = shop.source(shop.sales(60))
    store.ingest(tx)
    store.replace(tx, other(12, 3), A, B)
    before = rows(store, tx)
    store.replace(tx, other(12, 3), A, B)
    assert rows(store, tx).equals(before)


@pytest.mark.parametrize("table", ["customer", "place"])
def test_every_table_of_the_source_has_the_new_rows(store: Store, table: str) -> None:
    tx = shop.source(shop.sales(60))
    store.ingest(tx)
    store.replace(tx, other(12, 3), A, B)
    events = store.events(tx)
    keyed = next(one for one in events.tables if one.place.endswith(table))
    assert events.stored(["sale"], keyed).height == 53


def test_no_older_version_of_a_removed_row_comes_to_light(store: Store) -> None:
    moved = shop.sales(60).with_columns(when=pl.when(pl.col("sale") == 3).then(pl.lit(A)).otherwise("when"))
    store.ingest(shop.source(shop.sales(60)))
    tx = shop.source(moved)
    assert store.ingest(tx).corrections == 1
    store.replace(tx, other(12, 3), A, B)
    assert 3 not in rows(store, tx)["sale"]


def test_a_row_that_was_corrected_to_another_time_stays(store: Store) -> None:
    moved = shop.sales(60).with_columns(when=pl.when(pl.col("sale") == 12).then(pl.lit(B)).otherwise("when"))
    store.ingest(shop.source(shop.sales(60)))
    tx = shop.source(moved)
    store.ingest(tx)
    done = store.replace(tx, shop.sales(0), A, B)
    assert rows(store, tx).filter(pl.col("sale") == 12)["when"].sort().to_list() == [
        shop.START + timedelta(hours=12),
        B,
    ]
    assert done.removed == 9


def test_a_new_row_with_the_id_of_one_that_stays_is_a_correction(store: Store) -> None:
    tx = shop.source(shop.sales(60))
    store.ingest(tx)
    new = other(12, 1).with_columns(sale=pl.lit(40))
    assert store.replace(tx, new, A, B).corrections == 1
    assert not store.events(tx).settled


def test_rows_that_were_pushed_are_replaced_too(store: Store) -> None:
    tx = shop.source(shop.sales(5))
    store.ingest(tx)
    store.push(tx, shop.row(99, 12))
    store.replace(tx, other(12, 1), A, B)
    assert rows(store, tx)["sale"].to_list() == [*range(5), 12]


def test_rows_without_ids_can_be_replaced(store: Store) -> None:
    tx = shop.source(shop.sales(60), row_id=None)
    store.ingest(tx)
    assert store.replace(tx, pl.concat([other(12, 3), other(12, 1)]), A, B).rows == 54


def test_nothing_in_the_place_of_a_stretch_removes_it(store: Store) -> None:
    tx = shop.source(shop.sales(60))
    store.ingest(tx)
    assert store.replace(tx, shop.sales(0), A, B).rows == 50
    assert store.replace(tx, shop.sales(0), shop.START, B + timedelta(days=9)).rows == 0


def test_an_older_version_still_has_the_rows_that_were_replaced(store: Store) -> None:
    tx = shop.source(shop.sales(60))
    store.ingest(tx)
    store.replace(tx, shop.sales(0), A, B)
    assert store.events(tx, as_of=1).read(["sale"]).height == 60


def test_a_source_can_begin_with_a_replacement(store: Store) -> None:
    tx = shop.source(shop.sales(60))
    store.replace(tx, other(12, 3), A, B)
    assert rows(store, tx).equals(other(12, 3))


@pytest.mark.parametrize(
    "given, start, end, message",
    [
        (other(12, 20), A, B, "row 8 happened at .* which is not in"),
        (other(5, 2), A, B, "row 0 happened at .* which is not in"),
        (other(12, 1), B, A, "nothing in between"),
    ],
)
def test_rows_of_another_time_are_refused(
    store: Store, given: pl.DataFrame, start: Any, end: Any, message: str
) -> None:
    tx = shop.source(shop.sales(60))
    store.ingest(tx)
    with pytest.raises(Invalid, match=message):
        store.replace(tx, given, start, end)
    assert len(store.history()) == 1
