"""Backfill after backfill while rows come late, are corrected, deleted and pushed: what it leaves is always what a training set says."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import nowthen as nt
from nowthen.store.features import asked_rows
from nowthen.store.store import Store

from . import shop

SPAN = (shop.START, shop.START + timedelta(hours=48))
STEP: Any = "4h"
UTC = pl.Datetime("us", "UTC")


@st.composite
def rows(draw: st.DrawFn) -> dict[str, Any]:
    """A row of one of few ids, so that some are corrections or deletions of others."""
    hours = draw(st.integers(0, 60))
    return {
        "sale": draw(st.integers(0, 9)),
        "when": shop.START + timedelta(hours=hours),
        "known": shop.START + timedelta(hours=hours + draw(st.integers(0, 30))),
        "gone": draw(st.sampled_from([False, False, False, True])),
        "customer_id": draw(st.integers(0, 2)),
        "place": draw(st.sampled_from(["p0", "p1"])),
        "amount": float(draw(st.integers(-5, 50))),
    }


def frame(given: list[dict[str, Any]]) -> pl.DataFrame:
    kinds: Any = {"sale": pl.Int64, "when": UTC, "known": UTC, "gone": pl.Boolean, "customer_id": pl.Int64}
    return pl.DataFrame(given, schema={**kinds, "place": pl.String, "amount": pl.Float64})


def source(known: bool) -> nt.Source:
    timed: dict[str, Any] = {"known_time": "known"} if known else {}
    made = frame([])
    return shop.source(nt.Frame(made), row_id="sale", deleted="gone", known_after={}, max_ahead=None, **timed)


def views(tx: nt.Source) -> list[type[nt.FeatureView]]:
    spend = {
        "n_6h": tx.count().over("6h"),
        "late": tx["amount"].sum().over("10h", delay="5h"),
        "ever": tx["amount"].max(),
        "big": tx.filter(tx["amount"] > 20).count().over("1d"),
    }
    trade = {"last": tx["amount"].last(), "n": tx.count().over("8h", closed="left")}
    return [
        nt.feature_view("spend", entity=shop.CUSTOMER, features=spend),
        nt.feature_view("trade", entity=shop.PLACE, features=trade, every="6h"),
    ]


@pytest.mark.slow
@pytest.mark.parametrize("known", [True, False])
@settings(
    max_examples=12,
    phases=[Phase.generate],
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(rounds=st.lists(st.tuples(st.booleans(), st.lists(rows(), min_size=1, max_size=6)), min_size=2, max_size=4))
def test_what_a_backfill_leaves_is_what_a_training_set_says(known: bool, rounds: list[Any]) -> None:
    tx = source(known)
    asked_rows.CHUNK_ROWS, before = 6, asked_rows.CHUNK_ROWS
    try:
        with tempfile.TemporaryDirectory() as folder:
            store: Store = nt.connect(Path(folder) / "store")
            have: list[dict[str, Any]] = []
            for pushes, more in rounds:
                if pushes:
                    store.push(tx, frame(more))
                else:
                    have += more
                store.ingest(tx.spec.reading(nt.Frame(frame(have))))
                for view in views(tx):
                    agrees(store, view)
    finally:
        asked_rows.CHUNK_ROWS = before


def agrees(store: Store, view: type[nt.FeatureView]) -> None:
    store.backfill(view, *SPAN, STEP, engine="local")
    assert store.holes(view, *SPAN, STEP) == []
    found = store.scan(view).collect()
    keys = [*view.spec.keys, "at"]
    wanted = store.training_set(found.select(keys), view, at="at").collect(engine="local")
    assert_frame_equal(found, wanted, check_exact=True)
