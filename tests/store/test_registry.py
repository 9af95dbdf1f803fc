"""The registry: what apply changes, what a name means, and who wins."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import nowthen as nt
from nowthen.engine.errors import Corrupt, Invalid, NotFound, WrongType
from nowthen.store.folders.canonical import sealed
from nowthen.store.rows.pinned import resolved
from nowthen.store.store import Store

from . import shop


def service(**spend: Any) -> nt.FeatureService:
    """The shop's service with one view; the keywords are more features of it."""
    tx = shop.source(shop.sales())
    features = {"count_1d": tx.count().over("1d"), **{name: make(tx) for name, make in spend.items()}}
    view = nt.feature_view("customer_spend", entity=shop.CUSTOMER, features=features)
    return nt.FeatureService("shop", [view])


def states(store: Store, given: Any) -> dict[str, str]:
    return {change.definition.name: change.state for change in store.plan(given).changes}


def test_a_service_brings_what_it_reads() -> None:
    applied = shop.service(shop.source(shop.sales()))
    assert applied.version


def test_everything_is_new_at_first(store: Store) -> None:
    given = shop.service(shop.source(shop.sales()))
    names = ("sales", "customer_spend", "place_trade", "trade", "shop")
    assert states(store, given) == dict.fromkeys(names, "new")


def test_a_plan_changes_nothing(store: Store) -> None:
    store.plan(service())
    assert not store.root.exists()


def test_applying_again_is_no_operation(store: Store) -> None:
    store.apply(service())
    assert store.apply(service()).is_empty
    assert [entry.kind for entry in store.history()] == ["apply"]


def test_a_changed_feature_changes_its_view_and_service_alone(store: Store) -> None:
    store.apply(service(x=lambda tx: tx["amount"].sum().over("1d")))
    changed = service(x=lambda tx: tx["amount"].sum().over("2d"))
    assert states(store, changed) == {"sales": "unchanged", "customer_spend": "changed", "shop": "changed"}


def test_a_plan_names_the_features_that_differ(store: Store) -> None:
    store.apply(service(x=lambda tx: tx["amount"].sum(), y=lambda tx: tx["amount"].max()))
    text = repr(store.plan(service(x=lambda tx: tx["amount"].mean(), z=lambda tx: tx["amount"].max())))
    assert ": +z, -y, ~x" in text
    assert text.startswith("plan: 2 changed, 1 unchanged")


def test_a_plan_shows_itself_in_a_notebook(store: Store) -> None:
    assert "<td>customer_spend</td>" in store.plan(service())._repr_html_()


def test_other_words_are_no_other_version(store: Store) -> None:
    tx = shop.source(shop.sales())
    for about in ("One.", "Two."):
        view = nt.feature_view("v", entity=shop.CUSTOMER, features={"f": nt.feature(tx.count(), about=about)})
        plan = store.apply(view)
    assert [change.state for change in plan.changes] == ["unchanged", "reworded"]
    assert store.view("v").spec.features["f"].about == "Two."


def test_more_data_is_no_change(store: Store) -> None:
    store.apply(shop.source(shop.sales(10)))
    assert store.plan(shop.source(shop.sales(20))).is_empty


def test_names_bring_back_what_was_applied(store: Store) -> None:
    given = shop.service(shop.source(shop.sales()))
    store.apply(given)
    assert store.service("shop").version == given.version
    assert store.source("sales").row_id == "sale"
    assert list(store.view("place_trade").spec.features) == ["sum_12h", "last_amount"]


def test_a_version_can_be_named_by_the_start_of_its_hash(store: Store) -> None:
    first, second = service(), service(x=lambda tx: tx["amount"].sum())
    for one in (first, second):
        store.apply(one)
    assert store.service("shop").version == second.version
    assert store.service(f"shop@{first.version[:8]}").version == first.version


def test_applying_an_old_version_makes_it_current_again(store: Store) -> None:
    first, second = service(), service(x=lambda tx: tx["amount"].sum())
    for one in (first, second, first):
        store.apply(one)
    assert store.service("shop").version == first.version


def test_an_unknown_name_names_the_nearest(store: Store) -> None:
    store.apply(service())
    with pytest.raises(NotFound, match=r"no service is named 'shpo'. Did you mean 'shop'"):
        store.service("shpo")


def test_features_of_an_unknown_name_name_the_nearest_service_or_view(store: Store) -> None:
    store.apply(service())
    for name, near in (("shpo", "shop"), ("customer_spent", "customer_spend")):
        with pytest.raises(NotFound, match=f"no service or view is named '{name}'. Did you mean '{near}'"):
            store.holes(name, "2026-01-01", "2026-01-02")


def test_a_view_and_a_service_of_one_name_are_told_apart_by_their_kind(store: Store) -> None:
    made = service()
    store.apply(made)
    store.rename("customer_spend", "shop")
    assert (
        list(resolved(store.registry, "service/shop")) == list(resolved(store.registry, "shop")) == list(made.features)
    )
    assert {reference.view.name for reference in resolved(store.registry, "view/shop").values()} == {"shop"}


def test_an_unknown_version_names_those_there_are(store: Store) -> None:
    store.apply(service())
    with pytest.raises(NotFound, match=r"has no version 'zzz'. There are: [0-9a-f]{12}\."):
        store.service("shop@zzz")


def test_what_cannot_be_applied_is_refused(store: Store) -> None:
    with pytest.raises(WrongType, match="cannot be applied"):
        store.apply(3)


def test_two_definitions_of_one_name_at_once_are_refused(store: Store) -> None:
    with pytest.raises(Invalid, match="two different definitions of view 'customer_spend'"):
        store.apply([service(), service(x=lambda tx: tx["amount"].sum())])


def test_all_who_apply_at_once_are_heard(store: Store) -> None:
    tx = shop.source(shop.sales())

    def run(n: int) -> None:
        view = nt.feature_view(f"v{n}", entity=shop.CUSTOMER, features={"f": tx.count().over(f"{n + 1}d")})
        nt.connect(store.root).apply(view)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(run, range(6)))
    assert sorted(name for kind, name in store.registry.current() if kind == "view") == [f"v{n}" for n in range(6)]


def test_a_store_needs_the_folder_it_stands_in(store: Store) -> None:
    with pytest.raises(NotFound, match="there is no folder"):
        nt.connect(store.root / "a" / "b")


def test_a_file_is_no_store(store: Store) -> None:
    store.root.touch()
    with pytest.raises(Invalid, match="is a file"):
        nt.connect(store.root)


def test_a_folder_of_other_things_is_no_store(store: Store) -> None:
    (store.root / "things").mkdir(parents=True)
    with pytest.raises(Invalid, match="is not a store"):
        nt.connect(store.root)


@pytest.mark.parametrize("number", [2, 3, 5])
def test_a_store_of_another_format_is_refused(store: Store, number: int) -> None:
    store.apply(service())
    (store.root / "store.json").write_bytes(sealed({"format": number, "hash": 1, "store": "x"}))
    with pytest.raises(Invalid, match=f"store of format {number} with hash 1; this is NowThen for format 4"):
        nt.connect(store.root)


def test_a_store_of_the_first_format_is_refused(store: Store) -> None:
    for folder in ("commits", "events", "registry"):
        (store.root / folder).mkdir(parents=True)
    (store.root / "store.json").write_text('{"format": 1, "hash": 1}')
    with pytest.raises(Invalid, match=r"store of format 1.*Export from the NowThen that wrote it, or ingest again"):
        nt.connect(store.root)


def test_a_damaged_mark_of_a_store_is_told(store: Store) -> None:
    store.apply(service())
    (store.root / "store.json").write_bytes((store.root / "store.json").read_bytes().replace(b"2", b"3", 1))
    with pytest.raises(Corrupt, match=r"store\.json is damaged"):
        nt.connect(store.root)


def test_a_store_is_opened_again_as_it_was(store: Store) -> None:
    store.apply(service())
    assert nt.connect(str(store.root)).service("shop").version == service().version
