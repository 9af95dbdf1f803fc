"""Which keys a grid of all keys asks about: each from when it was seen on, however the range is cut into calls and chunks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import nowthen as nt
from nowthen.store.features import asked_rows
from nowthen.store.store import Store

from . import shop

SPAN = ("2026-01-01", "2026-01-04")
DAYS = ("2026-01-01", "2026-01-02", "2026-01-03", "2026-01-04")
FIRST_SEEN = {1: 0, 2: 30, 3: 48, 4: 96}  # hours after the grid's start, of each key


def sold(hours: Mapping[int, float], late: int = 0) -> pl.DataFrame:
    """A sale of each customer so many hours after the start, known `late` hours after."""
    when = [shop.START + timedelta(hours=one) for one in hours.values()]
    rows = shop.sales(len(hours)).with_columns(
        customer_id=pl.Series(list(hours), dtype=pl.Int64), when=pl.Series(when, dtype=pl.Datetime("us", "UTC"))
    )
    return rows.with_columns(known=pl.col("when") + timedelta(hours=late))


def viewed(rows: pl.DataFrame, **options: Any) -> tuple[nt.Source, type[nt.FeatureView]]:
    tx = shop.source(rows, **options)
    return tx, nt.feature_view("spend", entity=shop.CUSTOMER, features={"n": tx.count().over("9d")})


def filled(place: Path, rows: pl.DataFrame, *calls: tuple[str, str], every: str = "1d", **options: Any) -> pl.DataFrame:
    """What is scanned of a new store after some calls."""
    store: Store = nt.connect(place)
    tx, view = viewed(rows, **options)
    store.ingest(tx)
    for call in calls:
        store.backfill(view, *call, every=every)
    return store.scan(view).collect()


def seen_at(found: pl.DataFrame) -> list[tuple[int, datetime]]:
    return found.select("customer_id", "at").rows()


@pytest.mark.parametrize("options", [{}, {"known_time": "known"}], ids=["at once", "known late"])
def test_one_call_and_a_call_a_day_leave_the_same_rows(tmp_path: Path, options: dict[str, Any]) -> None:
    rows = sold(FIRST_SEEN, late=7)
    once = filled(tmp_path / "once", rows, SPAN, **options)
    daily = filled(tmp_path / "daily", rows, *pairwise(DAYS), **options)
    assert_frame_equal(once, daily, check_exact=True)


def test_a_key_begins_at_the_first_time_at_which_it_was_seen(tmp_path: Path) -> None:
    first, second, third = (shop.START + timedelta(days=day) for day in range(3))
    found = filled(tmp_path / "store", sold(FIRST_SEEN), SPAN)
    assert seen_at(found) == [(1, first), (1, second), (1, third), (2, third), (3, third)]


@pytest.mark.parametrize("rows", [1, 2, 5, 1_000])
def test_the_size_of_chunks_changes_no_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    whole = filled(tmp_path / "whole", sold(FIRST_SEEN), SPAN, every="5h")
    monkeypatch.setattr(asked_rows, "CHUNK_ROWS", rows)
    assert_frame_equal(filled(tmp_path / "cut", sold(FIRST_SEEN), SPAN, every="5h"), whole, check_exact=True)


@pytest.mark.parametrize("every", ["1d", "5h", "7h"])
def test_a_dry_run_counts_the_rows_of_keys_from_when_they_were_seen(store: Store, every: str) -> None:
    tx, view = viewed(sold(FIRST_SEEN))
    store.ingest(tx)
    said = store.backfill(view, *SPAN, every=every, dry_run=True)
    done = store.backfill(view, *SPAN, every=every)
    assert said.rows == done.rows == store.scan(view).collect().height


def test_a_late_row_by_which_a_key_was_seen_earlier_adds_rows_to_an_old_chunk(store: Store, tmp_path: Path) -> None:
    tx, view = viewed(sold(FIRST_SEEN))
    store.ingest(tx)
    store.backfill(view, *SPAN, every="1d")
    late = sold({4: 3.0}).with_columns(sale=pl.lit(99, pl.Int64))
    store.push(tx, late.select(list(tx.spec.schema)))
    store.ingest(tx)
    assert [hole.because for hole in store.holes(view, *SPAN, every="1d")] == ["rows changed since"]
    store.backfill(view, *SPAN, every="1d")
    afresh = filled(tmp_path / "afresh", pl.concat([sold(FIRST_SEEN), late]), SPAN)
    assert_frame_equal(store.scan(view).collect(), afresh, check_exact=True)


def test_given_keys_stand_at_every_time_seen_or_not(store: Store) -> None:
    tx, view = viewed(sold(FIRST_SEEN))
    store.ingest(tx)
    assert store.backfill(view, *SPAN, every="1d", keys={"customer_id": [4, 9]}).rows == 6
