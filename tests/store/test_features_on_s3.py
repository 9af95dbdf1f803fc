"""Backfilled values and saved training sets on an object store: the same as in a folder."""

from __future__ import annotations

import tempfile
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from nowthen.store.features import asked_rows
from nowthen.store.folders.names import new_token
from nowthen.store.store import Store

from . import shop
from .s3_server import BUCKET, options

pytestmark = pytest.mark.usefixtures("without_ray")


@pytest.fixture
def remote(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A store in a bucket, with the shop's sales."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(asked_rows, "CHUNK_ROWS", 14)
    store = Store.at(
        f"s3://{BUCKET}/{new_token()}/store", storage=options(server, patience_s="5"), log=tmp_path / "log"
    )
    source = shop.source(shop.sales())
    store.apply(shop.service(source))
    store.ingest(source)
    return store


def test_values_are_filled_and_scanned(remote: Store) -> None:
    done = remote.backfill("customer_spend", "2026-01-01", "2026-01-02", "6h")
    found = remote.scan("customer_spend").collect()
    wanted = remote.training_set(found.select("customer_id", "at"), "customer_spend", at="at").collect()
    assert_frame_equal(found, wanted, check_exact=True)
    assert done.tasks > 1
    assert remote.holes("customer_spend", "2026-01-01", "2026-01-02", "6h") == []


def test_a_training_set_comes_back_and_can_be_forgotten_from(remote: Store) -> None:
    train = remote.training_set(shop.labels(), "shop", at="t")
    made, before = train.save("shop/1"), train.collect()
    assert_frame_equal(made.collect(), before, check_exact=True)
    remote.forget(shop.CUSTOMER, {"customer_id": [3]})
    left = before.filter(pl.col("customer_id") != 3)
    assert_frame_equal(remote.open_training_set("shop/1").collect(), left, check_exact=True)


def test_what_is_forgotten_is_in_no_chunk(remote: Store) -> None:
    remote.backfill("customer_spend", "2026-01-01", "2026-01-02", "6h")
    remote.forget(shop.CUSTOMER, {"customer_id": [3]})
    assert 3 not in remote.scan("customer_spend", holes="null").collect()["customer_id"].to_list()


def test_small_chunks_become_one(remote: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    remote.backfill("customer_spend", "2026-01-01", "2026-01-03", "6h")
    before = remote.scan("customer_spend").collect()
    monkeypatch.setattr(asked_rows, "CHUNK_ROWS", 1_000)
    (done,) = remote.compact("customer_spend")
    assert (done.before, done.after) == (16, 4)
    assert_frame_equal(remote.scan("customer_spend").collect(), before, check_exact=True)
    assert remote.backfill("customer_spend", "2026-01-01", "2026-01-03", "6h").values == {}
    assert remote.scrub().whole
