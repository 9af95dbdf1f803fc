"""A view of spending in versions, a service of it, and a store that has published one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import nowthen as nt
from nowthen.store.store import Store

from . import shop

Make = Callable[[nt.Source], Any]


def spend(tx: nt.Source | None = None, **features: Make) -> type[nt.FeatureView]:
    tx = tx or shop.source(shop.sales())
    made = {name: make(tx) for name, make in features.items()}
    return nt.feature_view("spend", entity=shop.CUSTOMER, features=made, owner="fraud-team", tags={"pii": "no"})


def count(tx: nt.Source) -> Any:
    return tx.count().over("1d")


def total(tx: nt.Source) -> Any:
    return tx.amount.sum().over("1d")


def text(tx: nt.Source) -> Any:
    return tx.place.last()


def model(view: type[nt.FeatureView], name: str = "model", **options: Any) -> nt.FeatureService:
    return nt.FeatureService(name, [view], **options)


def published(store: Store) -> Store:
    """The store with a service of two features that is published."""
    tx = shop.source(shop.sales())
    store.apply(model(spend(tx, count=count, total=total)))
    store.ingest(tx)
    store.snapshot("model")
    return store
