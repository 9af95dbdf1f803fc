"""What becomes of definitions: who is hurt by a change, earlier versions, and what people say of them."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import nowthen as nt
from nowthen.engine.errors import Conflict, Invalid, NotFound
from nowthen.store.store import Store

from . import shop
from .spends import Make, count, model, published, spend, text, total


# -- what a plan says ---------------------------------------------------------------------------------------------------
def test_a_plan_shows_expressions_before_and_after(store: Store) -> None:
    store.apply(spend(total=total))
    shown = repr(store.plan(spend(total=lambda tx: tx.amount.sum().over("7d"))))
    assert "~ total: sales.amount.sum().over('1d')" in shown
    assert "-> sales.amount.sum().over('7d')" in shown


def test_a_feature_that_reads_a_changed_one_shows_both_hashes(store: Store) -> None:
    def views(width: str) -> Any:
        inner = spend(total=lambda tx: tx.amount.sum().over(width))
        return nt.feature_view("outer", entity=shop.CUSTOMER, features={"twice": inner.total * 2})

    store.apply(views("1d"))
    shown = repr(store.plan(views("2d")))
    assert "~ twice: (spend:total * 2) @" in shown


def test_a_plan_says_which_clock_changed(store: Store) -> None:
    tx = shop.source(shop.sales())
    for every in ("1h", "1d"):
        plan = store.plan(nt.feature_view("v", entity=shop.CUSTOMER, features={"f": tx.count()}, every=every))
        plan.apply()
    assert "~ [every]: 1h" in repr(plan)


def test_owner_tags_and_words_are_kept(store: Store) -> None:
    store.apply(model(spend(count=count), owner="me", about="Scores."))
    view, service = store.registry.find("view", "spend"), store.registry.find("service", "model")
    assert (view.owner, view.tags, service.owner, service.about) == ("fraud-team", {"pii": "no"}, "me", "Scores.")


# -- who is hurt --------------------------------------------------------------------------------------------------------
def test_a_feature_that_another_service_uses_is_not_removed(store: Store) -> None:
    store.apply(model(spend(count=count, total=total)))
    with pytest.raises(Conflict, match=r"spend:total is removed, but it is used by service model.*force=True"):
        store.apply(spend(count=count))
    assert list(store.view("spend").spec.features) == ["count", "total"]


def test_a_plan_names_who_is_hurt(store: Store) -> None:
    store.apply(model(spend(count=count, total=total)))
    plan = store.plan(spend(count=count))
    assert [change.definition.name for change in plan.breaking] == ["spend"]
    assert "! breaking  view    spend" in repr(plan)
    assert "used by service model (spend:total)" in repr(plan)


@pytest.mark.parametrize("change", [text, lambda tx: tx.count().over("1d").cast(pl.Float32)], ids=["other", "narrower"])
def test_a_feature_in_use_keeps_its_type(store: Store, change: Make) -> None:
    store.apply(model(spend(count=count)))
    with pytest.raises(Conflict, match=r"spend:count changes from Int64 to"):
        store.apply(spend(count=change))


def test_a_feature_in_use_keeps_its_keys(store: Store) -> None:
    tx = shop.source(shop.sales())
    store.apply(model(spend(tx, count=count)))
    other = nt.feature_view("spend", entity=shop.PLACE, features={"count": count(tx)})
    with pytest.raises(Conflict, match="changes its keys from customer_id to place"):
        store.apply(other)


def test_a_feature_computed_in_another_way_is_changed_not_broken(store: Store) -> None:
    store.apply(model(spend(count=count)))
    assert [change.state for change in store.apply(spend(count=lambda tx: tx.count().over("2d"))).changes] == [
        "unchanged",
        "changed",
    ]


def test_a_column_of_a_service_is_no_feature_of_a_view_that_has_its_name(store: Store) -> None:
    tx = shop.source(shop.sales())
    view = spend(tx, count=count, total=total)
    store.apply([model(view, "spend"), nt.FeatureService("other", [view.total])])
    assert store.plan(nt.FeatureService("spend", [view.count])).breaking == ()


def test_what_nobody_uses_may_go(store: Store) -> None:
    store.apply(spend(count=count, total=total))
    assert not store.apply(spend(count=count)).breaking


def test_force_breaks_what_is_in_use(store: Store) -> None:
    store.apply(model(spend(count=count, total=total)))
    store.apply(spend(count=count), force=True)
    assert list(store.view("spend").spec.features) == ["count"]
    assert list(store.service("model").features) == ["count", "total"]


def test_a_service_that_changes_along_is_not_hurt_until_it_is_published(store: Store) -> None:
    store.apply(model(spend(count=count, total=total)))
    assert store.plan(model(spend(count=count))).breaking == ()
    published(store)
    with pytest.raises(Conflict, match="used by snapshot model"):
        store.apply(model(spend(count=count)))


def test_a_column_of_a_source_that_a_view_reads_is_not_removed(store: Store) -> None:
    store.apply(spend(total=total))
    with pytest.raises(Conflict, match=r"sales.amount is removed, but it is used by view spend"):
        store.apply(shop.source(shop.sales().drop("amount")))


@pytest.mark.parametrize("column", ["customer_id", "when", "sale"])
def test_a_column_that_says_whose_or_when_or_which_a_row_is_is_not_removed(store: Store, column: str) -> None:
    published(store)
    given: dict[str, Any] = {"row_id": "sale", "event_time": "when", "entities": [shop.CUSTOMER]}
    other = {column: "another"}
    given |= {part: "another" for part, name in list(given.items()) if name == column}
    if column == "customer_id":
        given["entities"] = [nt.Entity("client", keys={"another": pl.Int64})]
    changed = nt.Source("sales", nt.Frame(shop.sales().rename(other)), **given)
    with pytest.raises(Conflict, match=rf"sales\.{column} is removed.*service model, snapshot model, view spend"):
        store.apply(changed)


def test_a_version_that_reads_what_is_gone_does_not_come_back(store: Store) -> None:
    tx = shop.source(shop.sales())

    def outer(inner: Any) -> Any:
        return nt.feature_view("outer", entity=shop.CUSTOMER, features={"twice": inner * 2})

    store.apply(outer(spend(tx, count=count).count))
    store.apply([outer(spend(tx, total=total).total), spend(tx, total=total)])
    with pytest.raises(Conflict, match="view 'outer' reads spend:count, which is not registered"):
        store.rollback("outer", to=store.versions("outer")[0].version)


def test_a_view_is_not_imported_without_its_source(store: Store, tmp_path: Path) -> None:
    store.apply(spend(count=count))
    store.export(tmp_path / "files")
    (tmp_path / "files" / "sources" / "sales.json").unlink()
    with pytest.raises(Conflict, match=r"view 'spend' reads sales\..*, which is not registered"):
        nt.connect(tmp_path / "other").import_(tmp_path / "files")


def test_a_saved_training_set_holds_on_to_its_features(store: Store) -> None:
    tx = shop.source(shop.sales())
    store.apply(spend(tx, count=count, total=total))
    store.ingest(tx)
    store.training_set(shop.labels(), "spend", at="t").save("first")
    with pytest.raises(Conflict, match="used by training set first"):
        store.apply(spend(count=count))


def test_who_begins_to_use_a_feature_while_it_is_removed_wins(store: Store) -> None:
    store.apply(spend(count=count, total=total))
    plan = store.plan(spend(count=count))
    other = nt.feature_view("other", entity=shop.CUSTOMER, features={"f": spend(count=count, total=total).total + 1})
    nt.connect(store.root).apply(other)
    with pytest.raises(Conflict, match="used by view other"):
        plan.apply()


def test_a_plan_is_applied_once_however_often(store: Store) -> None:
    plan = store.plan(spend(count=count))
    assert plan.apply().apply() is plan
    assert [entry.kind for entry in store.history()] == ["apply"]


def test_a_plan_that_is_out_of_date_is_not_applied(store: Store) -> None:
    plan = store.plan(spend(count=count))
    nt.connect(store.root).apply(spend(count=total))
    with pytest.raises(Conflict, match="was changed by somebody else since this was planned"):
        plan.apply()


# -- earlier versions ---------------------------------------------------------------------------------------------------
def test_rollback_makes_an_earlier_version_current(store: Store) -> None:
    store.apply(spend(count=count))
    store.apply(spend(count=lambda tx: tx.count().over("2d")))
    first, second = store.versions("spend")
    assert store.rollback("spend", to=first.version[:8]).changes[0].state == "changed"
    assert [one.version for one in store.versions("spend")] == [first.version, second.version, first.version]
    assert store.history()[-1].kind == "rollback"


def test_rollback_breaks_nobody(store: Store) -> None:
    store.apply(spend(count=count))
    first = store.versions("spend")[0].version
    store.apply(model(spend(count=count, total=total)))
    with pytest.raises(Conflict, match="used by service model"):
        store.rollback("spend", to=first)
    store.rollback("spend", to=first, force=True)


@pytest.mark.parametrize("to", ["", "zzz"])
def test_rollback_to_no_version_is_refused(store: Store, to: str) -> None:
    store.apply(spend(count=count))
    with pytest.raises((Invalid, NotFound)):
        store.rollback("spend", to=to)


def test_definitions_can_be_read_as_of_a_version_of_the_store(store: Store) -> None:
    tx = shop.source(shop.sales())
    store.apply(spend(tx, count=count))
    store.ingest(tx)
    then = store.history()[-1].number
    store.apply(spend(tx, total=total))
    made = store.training_set(shop.labels(), "spend", at="t", as_of=then)
    assert list(made.features) == ["count"]


# -- words about them, and their end ------------------------------------------------------------------------------------
def test_what_is_deprecated_says_so_until_it_is_not(store: Store) -> None:
    store.apply(spend(count=count))
    told = store.deprecate("spend", because="It is slow.", instead="spend2")
    assert told.deprecated == {"because": "It is slow.", "instead": "spend2"}
    with pytest.warns(FutureWarning, match=r"view 'spend' is deprecated: It is slow. Use 'spend2'."):
        store.view("spend")
    assert "(deprecated)" in repr(store.apply(spend(count=lambda tx: tx.count().over("2d"))))
    store.deprecate("spend", because=None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        store.view("spend")


def test_what_is_in_use_is_not_removed(store: Store) -> None:
    published(store)
    for name, users in (
        ("sales", "view spend"),
        ("spend", "service model, snapshot model"),
        ("model", "snapshot model"),
    ):
        with pytest.raises(Conflict, match=users):
            store.remove(name)


def test_removing_a_published_service_ends_its_serving(store: Store) -> None:
    published(store).remove("model", force=True)
    with pytest.raises(NotFound):
        store.manifest("model")
    with pytest.raises(NotFound):
        store.service("model")
    store.remove("spend")
    store.remove("sales")
    assert store.registry.current() == {}
