"""Backfill at the events of a source: rows that are known late, corrected or deleted are asked about all the same."""

from __future__ import annotations

from datetime import timedelta

import polars as pl
import pytest

import nowthen as nt
from nowthen.store.store import Store

from . import shop


def ingested(store: Store, rows: pl.DataFrame) -> nt.Source:
    tx = shop.source(rows, known_time="known", deleted="gone")
    store.ingest(tx)
    return tx


def told(rows: pl.DataFrame, hours: int, *, gone: bool = False) -> pl.DataFrame:
    known = pl.col("when") + timedelta(hours=hours)
    return rows.with_columns(known=known, gone=gone)


def filled(store: Store, tx: nt.Source) -> pl.DataFrame:
    view = nt.feature_view("spend", entity=shop.CUSTOMER, features={"n": tx.count().over("1d")})
    store.backfill(view, spine=tx)
    assert store.holes(view, spine=tx) == []
    return store.scan("spend").collect()


@pytest.mark.parametrize("later", ["new", "moved", "deleted"])
def test_events_that_are_known_only_after_a_chunk_was_filled_are_asked_about(store: Store, later: str) -> None:
    sales = shop.sales(10)
    first = told(sales.filter(pl.col("sale") != 3), 0)
    filled(store, ingested(store, first))
    more = {
        "new": told(sales.filter(pl.col("sale") == 3), 500),
        "moved": told(sales.filter(pl.col("sale") == 4), 500).with_columns(customer_id=pl.lit(99, pl.Int64)),
        "deleted": told(sales.filter(pl.col("sale") == 4), 500, gone=True),
    }
    tx = ingested(store, pl.concat([first, more[later]]))
    wanted = store.scan(tx).select("customer_id", "when").collect().sort("when")
    assert filled(store, tx).select("customer_id", when="at").equals(wanted)


def test_a_view_that_was_filled_only_where_no_rows_are_is_scanned_as_no_rows(store: Store) -> None:
    tx = ingested(store, told(shop.sales(10), 0))
    view = nt.feature_view("spend", entity=shop.CUSTOMER, features={"n": tx.count().over("1d")})
    store.backfill(view, "2025-01-01", "2025-01-03")
    assert store.scan("spend").collect().shape == (0, 3)
