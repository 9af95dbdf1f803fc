"""What tests of backfilled values say: a view of spending, chunks of few rows, and what a training set says of the rows of a scan."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

import nowthen as nt
from nowthen.store.features import asked_rows
from nowthen.store.features.chunks import Chunk
from nowthen.store.features.feature_table import Chunks, table_of
from nowthen.store.store import Store

from . import shop

DAYS = ("2026-01-01", "2026-01-03")
HOURS: Any = {"every": "6h"}
FEW = 14  # rows: two times of seven customers


def spend(tx: nt.Source, **more: Any) -> type[nt.FeatureView]:
    """A view of two features, or with others."""
    features = {"count_1d": tx.count().over("1d"), "mean_3d": tx["amount"].mean().over("3d"), **more}
    return nt.feature_view("spend", entity=shop.CUSTOMER, features=features)


def in_small_chunks(store: Store, features: Any, *span: str, **how: Any) -> None:
    """Backfill in chunks of few rows."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asked_rows, "CHUNK_ROWS", FEW)
        store.backfill(features, *(span or (() if "spine" in how else DAYS)), **(how or HOURS))


def chunks(store: Store, view: str = "spend") -> list[Chunk]:
    """The chunks of a view, by time."""
    found = Chunks(store.here).of(table_of(store.here.ledger.head(), store.here, view))
    return sorted(found, key=lambda chunk: (chunk.start, chunk.first))


def asked(store: Store, features: Any, scanned: pl.DataFrame) -> pl.DataFrame:
    """A training set over the rows of a scan."""
    keys = [name for name in scanned.columns if name in ("customer_id", "place", "at")]
    return store.training_set(scanned.select(keys), features, at="at").collect(engine="local")
