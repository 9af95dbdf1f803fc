"""Lists are kept: backfilled, scanned, used again, saved with a digest, repaired, forgotten."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import nowthen as nt
from nowthen.engine.errors import Corrupt
from nowthen.store.features import asked_rows
from nowthen.store.store import Store
from nowthen.store.tables.data_file import places

from . import shop

DAYS = ("2026-01-01", "2026-01-04")
HOURS: Any = {"every": "6h"}
NAMES = ["amounts", "places", "times", "most", "least", "flags", "few"]


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of two times of seven customers."""
    monkeypatch.setattr(asked_rows, "CHUNK_ROWS", 14)


@pytest.fixture
def tx(store: Store) -> nt.Source:
    source = shop.source(rows())
    store.apply(service(source))
    store.ingest(source)
    return source


def rows() -> pl.DataFrame:
    """Sales some of which have no amount, or one that is no number."""
    amount = pl.col("amount")
    odd = pl.when(pl.col("sale") % 5 == 1).then(None).when(pl.col("sale") % 7 == 3).then(float("nan")).otherwise(amount)
    return shop.sales().with_columns(amount=odd)


def lately(tx: nt.Source) -> type[nt.FeatureView]:
    """A view of lists of many types."""
    features = {
        "amounts": tx.amount.last_k(3).over("2d"),
        "places": nt.feature(tx.place.last_k(2).over("12h"), default=["none"]),
        "times": tx["when"].first_k(2, ignore_nulls=False).over("1d"),
        "most": nt.feature(tx.amount.top_k(2).over("1d"), default=[]),
        "least": tx.place.bottom_k(5),
        "flags": tx.filter(tx.amount > 50).sale.last_k(1),
        "few": nt.when(tx.count().over("2d") > 5).then(tx.amount.last_k(1)).otherwise(None),
    }
    return nt.feature_view("lately", entity=shop.CUSTOMER, features=features)


def service(tx: nt.Source) -> nt.FeatureService:
    """The view and one that reads it."""
    view = lately(tx)
    read = nt.feature_view("read", entity=shop.CUSTOMER, features={"none": view.amounts.is_null()})
    return nt.FeatureService("shop", [view, read])


def trained(tx: nt.Source, **how: Any) -> pl.DataFrame:
    """What the sources give."""
    made: pl.DataFrame = nt.training_set(shop.labels(), service(tx), at="t").collect(engine="local", **how)
    return made


def test_what_is_read_from_a_store_is_what_the_source_gives(store: Store, tx: nt.Source) -> None:
    assert store.training_set(shop.labels(), "shop", at="t").collect(status=True).equals(trained(tx, status=True))
    assert trained(tx)["amounts"].list.len().max() == 3


def test_backfilled_lists_are_those_of_a_training_set(store: Store, tx: nt.Source) -> None:
    store.backfill("lately", *DAYS, **HOURS)
    found = store.scan("lately").collect()
    wanted = store.training_set(found.select("customer_id", "at"), lately(tx), at="at").collect(engine="local")
    assert_frame_equal(found, wanted, check_exact=True)
    assert [found[name].dtype for name in NAMES] == [trained(tx)[name].dtype for name in NAMES]
    assert found["places"].to_list().count(["none"]) > 0 < found["most"].list.len().to_list().count(0)


def test_a_scan_reads_some_of_the_lists(store: Store, tx: nt.Source) -> None:
    store.backfill("lately", *DAYS, **HOURS)
    whole, lazy = store.scan("lately").collect(), store.scan("lately")
    assert_frame_equal(lazy.select("at", "most").collect(), whole.select("at", "most"))
    assert_frame_equal(store.scan("lately:times").collect(), whole.select("customer_id", "at", "times"))
    long = pl.col("amounts").list.len() == 3
    assert_frame_equal(lazy.filter(long).collect(), whole.filter(long))


def test_backfilled_lists_are_not_computed_again(store: Store, tx: nt.Source) -> None:
    first = store.backfill("lately", *DAYS, **HOURS)
    assert set(first.values) == {f"lately:{name}" for name in NAMES}
    assert store.backfill("lately", *DAYS, **HOURS).values == {}


def test_a_longer_list_is_another_feature(store: Store, tx: nt.Source) -> None:
    store.backfill("lately", *DAYS, **HOURS)
    longer = nt.feature_view("lately", entity=shop.CUSTOMER, features={"amounts": tx.amount.last_k(4).over("2d")})
    assert list(store.backfill(longer, *DAYS, **HOURS).values) == ["lately:amounts"]
    assert store.scan(longer).collect()["amounts"].list.len().max() == 4


def test_a_damaged_list_is_found_when_it_is_read(store: Store, tx: nt.Source) -> None:
    store.backfill("lately", *DAYS, **HOURS)
    whole = store.scan("lately").collect()
    for path in store.root.rglob("*.lance"):
        for name, ranges in places(path).items():
            if name.startswith("most@"):
                _flip(path, ranges[-1][0])
    damaged = Store.at(store.root)
    rest = [name for name in whole.columns if name != "most"]
    assert_frame_equal(damaged.scan("lately").select(rest).collect(), whole.select(rest))
    with pytest.raises(Corrupt, match=r"not as it was written: column 'most@"):
        damaged.scan("lately").collect()


def _flip(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def test_a_saved_set_holds_its_lists_whatever_happens(store: Store, tx: nt.Source) -> None:
    train = store.training_set(shop.labels(), "shop", at="t")
    before = train.collect()
    made = train.save("shop/1")
    assert made.collect().equals(before)
    assert made.schema == train.schema
    store.push(tx, [shop.row(900, 1.5, place="p0")])
    again = Store.at(store.root).open_training_set("shop/1")
    assert again.collect().equals(before)
    assert again.service.version == store.service("shop").version


def test_what_differs_between_two_saved_sets_is_told_of_lists_too(store: Store, tx: nt.Source) -> None:
    first = store.training_set(shop.labels(), "shop", at="t").save("shop/1")
    store.push(tx, [shop.row(900, 9.5, customer_id=4, place="p9", amount=99.5)])
    second = store.training_set(shop.labels(), "shop", at="t").save("shop/2")
    changed = {column.name: column for column in first.diff(second).columns if column.rows}
    assert set(changed) > {"amounts", "places"}
    assert ["p2", "p9"] in [after for _, _, after in changed["places"].examples]


def test_forgetting_a_key_leaves_the_lists_of_others(store: Store, tx: nt.Source) -> None:
    store.backfill("lately", *DAYS, **HOURS)
    before = store.scan("lately").collect()
    saved = store.training_set(shop.labels(), "shop", at="t").save("shop/1").collect()
    store.forget(shop.CUSTOMER, [3])
    others = pl.col("customer_id") != 3
    assert_frame_equal(store.open_training_set("shop/1").collect(), saved.filter(others))
    assert store.scrub().whole
    store.backfill("lately", *DAYS, **HOURS)
    assert_frame_equal(store.scan("lately").collect(), before.filter(others))


def test_compacted_lists_say_the_same(store: Store, tx: nt.Source, monkeypatch: pytest.MonkeyPatch) -> None:
    store.backfill("lately", *DAYS, **HOURS)
    before = store.scan("lately").collect()
    monkeypatch.undo()
    (done,) = store.compact("lately")
    assert done.after < done.before
    assert_frame_equal(store.scan("lately").collect(), before, check_exact=True)


def test_a_published_snapshot_answers_with_lists(store: Any, tx: nt.Source) -> None:
    store.snapshot("shop")
    times = shop.labels()["t"].to_list()
    asked = shop.labels().filter(pl.col("t") == times[-1])
    with store.online() as features:
        answer = features.get("shop", {"customer_id": asked["customer_id"].to_list()}, at=times[-1])
    wanted = nt.training_set(asked, service(tx), at="t").collect().select(list(service(tx).features))
    assert_frame_equal(answer.to_polars(), wanted, check_exact=True)


def test_a_definition_that_is_applied_comes_back_with_its_lists(store: Store, tx: nt.Source) -> None:
    found = store.service("shop").features
    assert {name: str(one.dtype) for name, one in found.items() if name in ("amounts", "times")} == {
        "amounts": "List(Float64)",
        "times": "List(Datetime(time_unit='us', time_zone='UTC'))",
    }
    assert found["places"].feature.default == ("none",)
    assert store.service("shop").version == service(tx).version
