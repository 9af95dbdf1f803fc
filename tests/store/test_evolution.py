"""Columns that come and widen: what was stored before reads as it was, and any other change is refused with what to do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import nowthen as nt
from nowthen.engine.errors import Conflict
from nowthen.store.store import Store

from . import shop


def with_extra(rows: pl.DataFrame, dtype: Any = pl.Int64) -> pl.DataFrame:
    return rows.with_columns(pl.lit(None, dtype=dtype).alias("extra"))


def amounts(dtype: Any) -> Callable[[int], pl.DataFrame]:
    return lambda n: shop.sales(n).with_columns(pl.col("amount").cast(dtype))


def test_a_new_column_is_null_in_the_rows_there_were(store: Store) -> None:
    store.ingest(shop.source(shop.sales(5)))
    more = with_extra(shop.sales(7)).with_columns(pl.when(pl.col("sale") >= 5).then(1).alias("extra").cast(pl.Int64))
    store.ingest(shop.source(more))
    assert store.events(shop.source(more)).read(["extra"])["extra"].to_list() == [None] * 5 + [1, 1]


def test_a_new_column_of_nulls_makes_no_row_a_correction_and_writes_no_file(store: Store) -> None:
    store.ingest(shop.source(shop.sales(5)))
    before = sorted(path.name for path in Path(store.here.folder.url).rglob("*.lance"))
    done = store.ingest(shop.source(with_extra(shop.sales(5))))
    assert (done.new, done.duplicates, done.version) == (0, 5, 2)
    assert sorted(path.name for path in Path(store.here.folder.url).rglob("*.lance")) == before


def test_rows_pushed_before_a_column_came_have_null_there(store: Store) -> None:
    store.ingest(shop.source(shop.sales(5)))
    store.push(shop.source(shop.sales(5)), shop.sales(1, first=5))
    wide = shop.source(with_extra(shop.sales(5)))
    assert store.ingest(wide).pushed == 1
    assert store.events(wide).read(["extra"])["extra"].to_list() == [None] * 6


@pytest.mark.parametrize(
    "narrow, wide", [(pl.Int8, pl.Int64), (pl.UInt8, pl.UInt32), (pl.Float32, pl.Float64)], ids=str
)
def test_a_type_may_be_widened(store: Store, narrow: Any, wide: Any) -> None:
    store.ingest(shop.source(amounts(narrow)(5)))
    done = store.ingest(shop.source(amounts(wide)(7)))
    found = store.events(shop.source(amounts(wide)(7))).read(["amount"])
    assert (done.new, done.duplicates, done.corrections) == (2, 5, 0)
    assert found.equals(amounts(wide)(7).select("amount"))


def test_a_key_may_be_widened(store: Store) -> None:
    narrow = shop.sales(20).with_columns(pl.col("customer_id").cast(pl.Int32))
    store.ingest(shop.source(narrow))
    tx = shop.source(shop.sales(30))
    assert store.ingest(tx).new == 10
    assert store.events(tx).read(["customer_id"]).equals(shop.sales(30).select("customer_id"))


def test_an_older_version_reads_as_before_also_with_the_new_columns(store: Store) -> None:
    store.ingest(shop.source(amounts(pl.Float32)(5)))
    wide = shop.source(with_extra(amounts(pl.Float64)(7)))
    store.ingest(wide)
    old = store.events(wide, as_of=1).read(["amount", "extra"])
    assert old.equals(with_extra(amounts(pl.Float64)(5)).select("amount", "extra"))


def test_an_older_definition_reads_what_it_knows(store: Store) -> None:
    store.ingest(shop.source(shop.sales(5)))
    store.ingest(shop.source(with_extra(shop.sales(6))))
    assert store.events(shop.source(shop.sales(6))).read(["sale"])["sale"].to_list() == list(range(6))


def test_a_column_that_was_never_ingested_is_not_taken_for_null(store: Store) -> None:
    store.ingest(shop.source(shop.sales(5)))
    with pytest.raises(Conflict, match=r"'extra' \(Int64\) that its stored rows do not have. Call store.ingest"):
        store.events(shop.source(with_extra(shop.sales(5))))


@pytest.mark.parametrize(
    "change, said",
    [
        (pl.col("amount").cast(pl.Float32), "'amount' of type Float64, now it says Float32"),
        (pl.col("amount").cast(pl.String), "'amount' of type Float64, now it says String"),
        (pl.col("sale").cast(pl.UInt64), "'sale' of type Int64, now it says UInt64"),
        (pl.col("returned").cast(pl.Int8), "'returned' of type Boolean, now it says Int8"),
    ],
)
def test_any_other_type_is_refused_with_both_types_and_what_to_do(store: Store, change: pl.Expr, said: str) -> None:
    store.ingest(shop.source(shop.sales(5)))
    with pytest.raises(Conflict, match=f"{said}.*Declare .* in schema="):
        store.ingest(shop.source(shop.sales(5).with_columns(change)))
    assert len(store.history()) == 1


def test_a_column_that_is_gone_is_refused(store: Store) -> None:
    store.ingest(shop.source(shop.sales(5)))
    with pytest.raises(Conflict, match=r"'amount' \(Float64\), which it no longer has. Leave it in"):
        store.ingest(shop.source(shop.sales(5).drop("amount")))


def test_rows_pushed_by_an_older_definition_are_drained_by_it_too(store: Store) -> None:
    old, wide = shop.source(amounts(pl.Float32)(5)), shop.source(with_extra(amounts(pl.Float64)(5)))
    store.ingest(old)
    store.ingest(wide)
    store.push(old, [shop.row(5, 5)])
    assert store.drain(old).new == 1
    view = nt.feature_view("spend", entity=shop.CUSTOMER, features={"n": old.count().over("1d")})
    store.push(old, [shop.row(6, 6)])
    assert store.backfill(view, shop.START, shop.START + timedelta(days=1)).rows > 0
    assert store.scan(wide).filter(sale=6).select("amount", "extra").collect().rows() == [(5.0, None)]


def test_keys_are_forgotten_where_the_registered_definition_is_older(store: Store) -> None:
    old = shop.source(shop.sales(5))
    store.apply(old)
    store.ingest(old)
    store.ingest(shop.source(with_extra(shop.sales(5))))
    store.push(old, [shop.row(5, 5, customer_id=2)])
    assert store.forget(shop.CUSTOMER, [2]).rows == {"source/sales": 2}


def test_rows_pushed_by_an_older_definition_are_read_before_they_are_drained(store: Store) -> None:
    old, wide = shop.source(amounts(pl.Float32)(5)), shop.source(with_extra(amounts(pl.Float64)(5)))
    view = nt.feature_view("spend", entity=shop.CUSTOMER, features={"sum": wide["amount"].sum()})
    asked = pl.DataFrame({"customer_id": [1], "at": [shop.START + timedelta(hours=9)]})
    for source in (old, wide):
        store.ingest(source)
    store.push(wide, [shop.row(5, 5, extra=7)])
    store.push(old, [shop.row(6, 6)])
    found = [store.events(source).read(["sale", "amount"]).rows() for source in (old, wide)]
    assert found[0] == found[1]
    assert found[1][5:] == [(5, 5.0), (6, 5.0)]
    assert store.events(wide).read(["extra"])["extra"].to_list() == [None] * 5 + [7, None]
    before = store.training_set(asked, [view], at="at").collect()
    store.drain(wide)
    assert store.training_set(asked, [view], at="at").collect().equals(before)
    assert before["sum"].to_list() == [47.0]
