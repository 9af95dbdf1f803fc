"""Training sets of a store: the law of time over its tables, at versions pinned on call."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import nowthen as nt
from nowthen.engine.errors import Conflict, Invalid, NotFound, UnknownColumn, WrongType
from nowthen.store.store import Store

from ..oracle import asking
from ..oracle.worlds import World, worlds
from . import shop


def test_it_is_what_the_sources_say(store: Store, tx: nt.Source) -> None:
    features = shop.service(tx)
    wanted = nt.training_set(shop.labels(), features, at="t").collect(status=True)
    assert store.training_set(shop.labels(), features, at="t").collect(status=True).equals(wanted)


WORLDS = settings(
    max_examples=25, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


@WORLDS
@given(world=worlds(), cut=st.floats(0, 1), pushed=st.booleans())
def test_it_obeys_the_law_of_time_in_however_many_parts_rows_come(world: World, cut: float, pushed: bool) -> None:
    assert unlawful(world, cut, pushed) == []


@pytest.mark.usefixtures("loops", "bucketed")
@WORLDS
@given(world=worlds(), cut=st.floats(0, 1), pushed=st.booleans())
def test_it_obeys_the_law_of_time_by_the_buckets_of_the_store(world: World, cut: float, pushed: bool) -> None:
    assert unlawful(world, cut, pushed) == []


def unlawful(world: World, cut: float, pushed: bool) -> list[str]:
    """What is not by the law in a training set of a store that got the world's rows in two parts."""
    assume(world.known_time or world.known_at in (None, "latest"))  # else arrival decides, which a bare frame has not
    part = round(cut * len(world.rows))
    views = asking.views(world)
    rows = asking.source(world).spec
    frame = asking.event_frame(world, world.rows)
    with tempfile.TemporaryDirectory() as folder:
        store = nt.connect(Path(folder) / "store")
        store.ingest(rows.reading(nt.Frame(frame[:part])))
        if pushed and world.row_id:
            store.push(rows, frame[part:])
        else:
            store.ingest(rows.reading(nt.Frame(frame)))
        made = store.training_set(asking.spine_frame(world), views, at="asked", known_at=known_at(world))
        got = made.collect(engine="local", status=True)
    return asking.differences(world, got, asking.expected(world))


def known_at(world: World) -> Any:
    """The world's `known_at` as the public door takes it."""
    named: dict[Any, Any] = {"column": "seen", "latest": "latest", None: None}
    return (
        named.get(world.known_at, datetime.fromtimestamp(0, UTC))
        if isinstance(world.known_at, str | None)
        else _moment(world.known_at)
    )


def _moment(instant: int) -> Any:
    return pl.Series([instant]).cast(pl.Datetime("us", "UTC"))[0]


@pytest.mark.parametrize("name", ["shop", "customer_spend", "place_trade:sum_12h", ["customer_spend", "trade:all_6h"]])
def test_features_can_be_named(store: Store, tx: nt.Source, name: Any) -> None:
    made = store.training_set(shop.labels(), name, at="t").collect()
    assert made.equals(nt.training_set(shop.labels(), _named(tx, name), at="t").collect())


def _named(tx: nt.Source, name: Any) -> Any:
    features = shop.service(tx).features
    views = {"shop": None, "customer_spend": ["count_1d", "mean_3d", "big_2d"], "place_trade:sum_12h": ["sum_12h"]}
    wanted = views[name] if isinstance(name, str) else ["count_1d", "mean_3d", "big_2d", "all_6h"]
    return [features[one] for one in wanted or features]


def test_a_service_pinned_by_its_hash_is_that_version(store: Store, tx: nt.Source) -> None:
    version = store.service("shop").version
    view = nt.feature_view("customer_spend", entity=shop.CUSTOMER, features={"count_9d": tx.count().over("9d")})
    store.apply(nt.FeatureService("shop", [view]))
    columns = store.training_set(shop.labels(), f"shop@{version[:10]}", at="t").collect().columns
    assert "count_1d" in columns
    assert "count_9d" not in columns


def test_pushed_rows_count(store: Store, tx: nt.Source) -> None:
    labels = pl.DataFrame({"customer_id": [1], "t": [datetime(2026, 1, 20, tzinfo=UTC)]})
    count = nt.feature_view("v", entity=shop.CUSTOMER, features={"n": tx.count()})
    before = store.training_set(labels, count, at="t").collect()["n"][0]
    store.push("sales", [shop.row(100, 30), shop.row(101, 31)])
    after = store.training_set(labels, count, at="t").collect()["n"][0]
    store.drain("sales")
    assert (after, store.training_set(labels, count, at="t").collect()["n"][0]) == (before + 2, before + 2)


def test_versions_are_pinned_when_it_is_asked_for(store: Store, tx: nt.Source) -> None:
    made = store.training_set(shop.labels(), "shop", at="t")
    before = made.collect()
    store.push("sales", [shop.row(n, n % 40, place="p1") for n in range(200, 260)])
    store.ingest(shop.source(shop.sales(80)))
    assert made.collect().equals(before)
    assert not store.training_set(shop.labels(), "shop", at="t").collect().equals(before)


def test_the_store_as_it_stood(store: Store, tx: nt.Source) -> None:
    before = store.training_set(shop.labels(), "shop", at="t").collect()
    ingested = store.history()[-1].number
    store.push("sales", [shop.row(n, n % 40, place="p1") for n in range(200, 260)])
    store.drain("sales")
    assert store.training_set(shop.labels(), "shop", as_of=ingested, at="t").collect().equals(before)
    assert not store.training_set(shop.labels(), "shop", as_of=ingested + 1, at="t").collect().equals(before)


def test_known_at_a_time_before_arrival_knows_nothing(store: Store, tx: nt.Source) -> None:
    made = store.training_set(shop.labels(), "shop", known_at=datetime(2026, 1, 3, tzinfo=UTC), at="t").collect()
    assert made["count_1d"].sum() == 0


def test_a_source_never_ingested_says_what_to_do(store: Store) -> None:
    with pytest.raises(NotFound, match=r"Call store.ingest\(...\) first"):
        store.training_set(shop.labels(), shop.service(shop.source(shop.sales())), at="t").collect()


def test_refreshing_ingests_first(store: Store) -> None:
    features = shop.service(shop.source(shop.sales()))
    made = store.training_set(shop.labels(), features, refresh=True, at="t").collect()
    assert made.equals(nt.training_set(shop.labels(), features, at="t").collect())


def test_a_source_from_the_registry_cannot_be_refreshed(store: Store, tx: nt.Source) -> None:
    with pytest.raises(Invalid, match="known by its definition alone"):
        store.training_set(shop.labels(), "shop", refresh=True, at="t")


def test_a_source_that_is_another_than_was_ingested_is_refused(store: Store, tx: nt.Source) -> None:
    other = shop.service(shop.source(shop.sales(), row_id=None))
    with pytest.raises(Conflict, match="was ingested with row_id="):
        store.training_set(shop.labels(), other, at="t").collect()


@pytest.mark.parametrize("name", ["shpo", "customer_spend:count", "nothing:count_1d"])
def test_unknown_names_are_refused(store: Store, tx: nt.Source, name: str) -> None:
    with pytest.raises(NotFound):
        store.training_set(shop.labels(), name, at="t")


# -- without a store --------------------------------------------------------------------------------------------------------


def test_labels_may_be_a_file(tmp_path: Path) -> None:
    shop.labels().write_parquet(tmp_path / "labels.parquet")
    features = shop.service(shop.source(shop.sales()))
    made = nt.training_set(tmp_path / "labels.parquet", features, at="t").collect()
    assert made.equals(nt.training_set(shop.labels(), features, at="t").collect())


def test_data_can_be_replaced(tmp_path: Path) -> None:
    features = shop.service(shop.source(nt.Parquet(tmp_path / "gone.parquet"), schema=dict(shop.sales().schema)))
    made = nt.training_set(shop.labels(), features, sources={"sales": shop.sales()}, at="t").collect()
    assert made.equals(nt.training_set(shop.labels(), shop.service(shop.source(shop.sales())), at="t").collect())


def test_replaced_data_is_brought_to_the_types_of_the_source() -> None:
    features = shop.service(shop.source(shop.sales()))
    other = shop.sales().with_columns(pl.col("customer_id").cast(pl.Int16), pl.col("amount").cast(pl.Int32))
    made = nt.training_set(shop.labels(), features, sources={"sales": other}, at="t").collect()
    assert made.equals(nt.training_set(shop.labels(), features, at="t").collect())


def test_replaced_data_of_another_type_is_refused() -> None:
    other = shop.sales().with_columns(pl.col("amount").cast(pl.String))
    with pytest.raises(WrongType, match=r"sales\.amount is String; the source says Float64"):
        nt.training_set(
            shop.labels(), shop.service(shop.source(shop.sales())), sources={"sales": other}, at="t"
        ).collect()


def test_replaced_data_without_a_column_is_refused() -> None:
    features = shop.service(shop.source(shop.sales()))
    with pytest.raises(UnknownColumn, match="no column 'amount'"):
        nt.training_set(shop.labels(), features, sources={"sales": shop.sales().drop("amount")}, at="t").collect()


def test_replacing_what_nobody_reads_is_refused() -> None:
    with pytest.raises(NotFound, match="Did you mean 'sales'"):
        nt.training_set(shop.labels(), shop.service(shop.source(shop.sales())), sources={"sale": shop.sales()}, at="t")


def test_a_service_keeps_its_own_names() -> None:
    tx = shop.source(shop.sales())
    a = nt.feature_view("a", entity=shop.CUSTOMER, features={"f": tx.count()})
    b = nt.feature_view("b", entity=shop.PLACE, features={"f": tx.count()})
    service = nt.FeatureService("s", [a, b], full_names=True)
    assert nt.training_set(shop.labels(), service, at="t").collect().columns[-2:] == ["a__f", "b__f"]


def test_labels_without_a_key_are_refused() -> None:
    with pytest.raises(UnknownColumn, match="no key column 'customer_id'"):
        nt.training_set(shop.labels().drop("customer_id"), shop.service(shop.source(shop.sales())), at="t")


def test_labels_in_another_zone_ask_at_the_same_instants() -> None:
    features = shop.service(shop.source(shop.sales()))
    moved = shop.labels().with_columns(pl.col("t").dt.convert_time_zone("Asia/Tokyo"))
    wanted = nt.training_set(shop.labels(), features, at="t").collect()
    assert nt.training_set(moved, features, at="t").collect().drop("t").equals(wanted.drop("t"))


def test_a_preview_shows_rows_at_once() -> None:
    features = shop.service(shop.source(shop.sales()))
    when = datetime(2026, 1, 2, tzinfo=UTC)
    made = nt.preview(features, {"customer_id": [1, 2], "place": "p1"}, at=when)
    labels = pl.DataFrame({"customer_id": [1, 2], "place": ["p1"] * 2, "at": [when] * 2})
    assert made.equals(nt.training_set(labels, features, at="at").collect())


@pytest.mark.parametrize(
    "keys, at, kind",
    [
        ({"customer_id": [1, 2], "place": ["p1"]}, datetime(2026, 1, 2), Invalid),
        ({"customer_id": [1, 2], "place": "p1"}, [datetime(2026, 1, 2)], Invalid),
        ({"customer_id": 1, "place": "p1"}, "2026-01-02", WrongType),
        ({"customer_id": 1}, datetime(2026, 1, 2), UnknownColumn),
    ],
)
def test_a_preview_that_means_nothing_is_refused(keys: Any, at: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        nt.preview(shop.service(shop.source(shop.sales())), keys, at=at)
