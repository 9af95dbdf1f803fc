"""A store with something of everything in it, and all that can be asked of it, as plain values to be compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl

import nowthen as nt
from nowthen.store.store import Store

from . import orders

SPAN = (orders.START, orders.START + timedelta(days=6))
_ROUNDS = 6


def furnished(folder: Path) -> Store:
    """A store with corrections, a tag, definitions, backfilled values, a saved training set, a snapshot, late rows and an older layout."""
    store: Store = nt.connect(folder)
    tx = orders.source(orders.upto(_ROUNDS))
    store.apply(orders.service(tx))
    store.ingest(orders.source(orders.upto(_ROUNDS - 2)))
    store.tag("early")
    store.ingest(tx)
    store.push(tx, orders.fresh(0, 5, orders.PUSHED), key="pushed")
    store.drain(tx)
    store.compact("orders")
    store.backfill(orders.views(tx)[0], *SPAN, every="1d", engine="local")
    _training(store).save("orders/early")
    store.snapshot("orders_model", shards=2)
    store.cleanup(keep="0s", versions=1)
    return store


def questions(tx: nt.Source) -> Mapping[str, Callable[[Store], Any]]:
    """What is asked, each giving a plain value."""
    columns = list(orders.SCHEMA)
    return {
        "rows": lambda store: orders.ordered(store.events(tx).read(columns)),
        "one column": lambda store: sorted(store.events(tx).read(["amount"])["amount"]),
        "rows of a tag": lambda store: orders.ordered(store.events(tx, as_of=store.tags()["early"]).read(columns)),
        "training": lambda store: _training(store).collect().rows(),
        "saved training": lambda store: store.open_training_set("orders/early").collect().rows(),
        "backfilled": lambda store: orders.ordered(store.scan("spend", *SPAN, every="1d").collect()),
        "definitions": lambda store: [store.service("orders_model").version, *(repr(store.view(name).spec.features) for name in ("spend", "pace"))],
        "history": lambda store: [(entry.number, entry.kind, entry.sha256) for entry in store.history()],
        "served": _served,
    }  # fmt: skip


def _training(store: Store) -> Any:
    spine = nt.grid({"buyer": [f"buyer-{n}" for n in range(9)]}, *SPAN, every="1d")
    return store.training_set(spine, "orders_model", at="at")


def _served(store: Store) -> Any:
    at = orders.START + timedelta(days=3)
    asked = {"buyer": [f"buyer-{n}" for n in range(9)]}
    with store.online() as online:  # type: ignore[attr-defined]
        answer = online.get("orders_model", asked, at=at)
        found: pl.DataFrame = answer.to_polars()
        return found.rows()
