"""Other names: versions, hashes, columns and users come along."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

import nowthen as nt
from nowthen.engine.errors import Conflict, Invalid, NotFound
from nowthen.store.definitions.registry import Registry
from nowthen.store.store import Store

from . import shop
from .spends import count, model, published, spend, total


def test_another_name_keeps_versions_and_hashes(store: Store) -> None:
    store.apply(model(spend(count=count)))
    store.apply(model(spend(count=lambda tx: tx.count().over("2d"))))
    before = store.service("model").version
    store.rename("spend", "spending")
    assert store.service("model").version == before
    assert [ref.view.name for ref in store.service("model").features.values()] == ["spending"]
    assert len(store.versions("spending")) == 3
    with pytest.raises(NotFound, match=r"was renamed\. It is 'spending' now"):
        store.view("spend")


def test_a_renamed_view_is_what_the_code_says_after_its_class_was_renamed(store: Store) -> None:
    tx = shop.source(shop.sales())
    store.apply(nt.feature_view("old", entity=shop.CUSTOMER, features={"f": tx.count()}))
    store.rename("old", "new")
    assert store.plan(nt.feature_view("new", entity=shop.CUSTOMER, features={"f": tx.count()})).is_empty


def test_a_service_gets_another_name(store: Store) -> None:
    store.apply(model(spend(count=count)))
    store.rename("model", "better")
    assert list(store.service("better").features) == ["count"]


@pytest.mark.parametrize(
    "old, new, error",
    [
        ("sales", "sold", "part of the hash"),
        ("spend", "spend2", "there is one of that name"),
        ("spend", "SPEND2", "differs in case alone"),
        ("spend", "../etc", "cannot be named"),
        ("gone", "here", "no definition is named 'gone'"),
        ("spend@1", "here", "pass the name alone"),
    ],
)
def test_a_name_that_cannot_be_is_refused(store: Store, old: str, new: str, error: str) -> None:
    tx = shop.source(shop.sales())
    store.apply([spend(tx, count=count), nt.feature_view("spend2", entity=shop.CUSTOMER, features={"f": tx.count()})])
    with pytest.raises((Invalid, Conflict, NotFound), match=error):
        store.rename(old, new)


def test_who_begins_to_use_a_view_while_it_is_renamed_is_not_lost(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = spend(count=count)
    store.apply(view)
    plain = Registry.write

    def late(registry: Registry, *args: Any, **how: Any) -> Any:
        monkeypatch.setattr(Registry, "write", plain)
        nt.connect(store.root).apply(model(view))
        return plain(registry, *args, **how)

    monkeypatch.setattr(Registry, "write", late)
    with pytest.raises(Conflict, match="somebody began to use view 'spend' just now"):
        store.rename("spend", "spending")
    store.rename("spend", "spending")
    assert [ref.view.name for ref in store.service("model").features.values()] == ["spending"]


def test_what_is_backfilled_while_a_view_is_renamed_moves_along(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    tx, day = shop.source(shop.sales()), timedelta(days=1)
    store.apply(spend(tx, count=count))
    store.ingest(tx)
    plain = Registry.write

    def late(registry: Registry, *args: Any, **how: Any) -> Any:
        monkeypatch.setattr(Registry, "write", plain)
        nt.connect(store.root).backfill("spend", shop.START, shop.START + day)
        return plain(registry, *args, **how)

    monkeypatch.setattr(Registry, "write", late)
    store.rename("spend", "money")
    assert list(store.holes("money", shop.START, shop.START + day)) == []
    assert "view/spend" not in store.here.ledger.head().names


def test_columns_of_a_view_that_was_removed_are_not_written_over(store: Store) -> None:
    tx, day = shop.source(shop.sales()), timedelta(days=1)
    money = nt.feature_view("money", entity=shop.CUSTOMER, features={"total": total(tx)})
    store.apply([spend(tx, count=count), money])
    store.ingest(tx)
    for name in ("spend", "money"):
        store.backfill(name, shop.START, shop.START + day)
    store.remove("money")
    with pytest.raises(Conflict, match="columns of a view that had that name are kept"):
        store.rename("spend", "money")


def test_a_version_from_before_a_rename_comes_back_under_the_present_name(store: Store) -> None:
    store.apply(model(spend(count=count)))
    first, key = store.versions("spend")[0].version, store.view("spend").spec.version("count")
    store.apply(model(spend(count=lambda tx: tx.count().over("2d"))))
    store.rename("spend", "money")
    store.rollback("money", to=first[:12])
    assert [name for kind, name in store.registry.current() if kind == "view"] == ["money"]
    assert store.view("money").spec.version("count") == key


def test_a_service_from_before_a_rename_of_its_view_comes_back_with_its_present_name(store: Store) -> None:
    tx = shop.source(shop.sales())
    view = spend(tx, count=count, total=total)
    for chosen in (view.count, view.total):
        store.apply([view, nt.FeatureService("model", [chosen])])
    first = store.versions("model")[0].version
    store.rename("spend", "money")
    store.rename("model", "better")
    store.rollback("better", to=first)
    assert {name: one.view.name for name, one in store.service("better").features.items()} == {"count": "money"}


def test_a_training_set_holds_on_to_what_was_renamed(store: Store) -> None:
    tx = shop.source(shop.sales())
    store.apply(model(spend(tx, count=count)))
    store.ingest(tx)
    store.training_set(shop.labels(), "model", at="t").save("t")
    store.rename("spend", "money")
    store.rename("model", "better")
    store.apply(spend(tx, count=count))  # another one, which the training set did not use
    for name in ("better", "money"):
        with pytest.raises(Conflict, match=r"used by .*training set t"):
            store.remove(name)
    store.remove("spend")
    nodes = store.lineage("t").nodes
    assert {("service", "better"), ("feature", "money:count")} <= set(nodes)
    assert ("view", "spend") not in nodes


def test_a_view_in_full_names_of_a_service_keeps_its_name(store: Store) -> None:
    store.apply(nt.FeatureService("model", [spend(count=count)], full_names=True))
    with pytest.raises(Conflict, match="service 'model' holds its name in its columns"):
        store.rename("spend", "spending")


def test_a_published_service_keeps_its_name(store: Store) -> None:
    with pytest.raises(Conflict, match="is published under that name"):
        published(store).rename("model", "better")


def test_two_names_that_differ_in_case_alone_are_refused(store: Store) -> None:
    tx = shop.source(shop.sales())
    views = [nt.feature_view(name, entity=shop.CUSTOMER, features={"f": tx.count()}) for name in ("rides", "Rides")]
    with pytest.raises(Conflict, match="differs in case alone"):
        store.apply(views)
    store.apply(views[0])
    with pytest.raises(Conflict, match="differs in case alone"):
        store.apply(views[1])


def test_one_name_of_a_view_and_a_service_is_told_apart(store: Store) -> None:
    store.apply(model(spend(count=count), "spend"))
    with pytest.raises(Invalid, match="Use view/spend or service/spend"):
        store.versions("spend")
    assert store.versions("view/spend")[0].kind == "view"
    store.remove("service/spend")
    assert store.versions("spend")[0].kind == "view"
