"""Snapshots: exactly what a service can still reach, whole, and damage is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import nowthen as nt
from nowthen.engine.errors import Corrupt, Invalid, NotFound, WrongType
from nowthen.engine.folds.hashing import bucket
from nowthen.engine.folds.rows import SEQUENCE
from nowthen.store.snapshots.manifest import Group, Manifest, load, published, read_manifest
from nowthen.store.store import Store

from . import shop

DAY_US = 86_400_000_000


def put(
    store: Store, rows: pl.DataFrame, make: Callable[[nt.Source], Any], history: str = "0s", **options: Any
) -> Store:
    """The store with a published service of one view."""
    tx = shop.source(rows, max_ahead="0s", **options)
    view = nt.feature_view("v", entity=shop.CUSTOMER, features={"f": make(tx)}, history=history)
    store.apply(nt.FeatureService("one", [view]))
    store.ingest(tx)
    store.snapshot("one")
    return store


def rows_of(store: Store, service: str = "one", group: int = 0, shard: int = 0) -> pl.DataFrame:
    manifest = store.manifest(service)
    return load(store.here.folder, manifest.groups[group].files[shard])


def test_it_holds_a_group_for_each_source_and_keys(store: Store) -> None:
    tx = shop.source(shop.sales())
    store.apply(shop.service(tx))
    store.ingest(tx)
    done = store.snapshot("shop")
    manifest = store.manifest("shop")
    assert [(group.source, group.keys) for group in manifest.groups] == [
        ("sales", ("customer_id",)), ("sales", ("place",)), ("sales", ()),
    ]  # fmt: skip
    assert done.rows == sum(file.rows for group in manifest.groups for file in group.files)
    assert done.version == manifest.version == shop.service(tx).version


def test_rows_are_sorted_by_key_and_time(store: Store) -> None:
    put(store, shop.sales().sample(fraction=1, shuffle=True, seed=3), lambda tx: tx.count())
    rows = rows_of(store)
    assert rows.equals(rows.sort("customer_id", "when", SEQUENCE))


def test_it_keeps_what_a_window_can_reach_and_no_more(store: Store) -> None:
    put(store, shop.sales(100), lambda tx: tx.count().over("1d", delay="6h"))
    assert rows_of(store)["when"].min() == shop.START + timedelta(hours=99 - 30)


def test_history_is_kept_beyond(store: Store) -> None:
    put(store, shop.sales(100), lambda tx: tx.count().over("1d"), history="12h")
    assert rows_of(store)["when"].min() == shop.START + timedelta(hours=99 - 36)


def test_folds_over_forever_keep_everything(store: Store) -> None:
    put(store, shop.sales(100), lambda tx: tx.count())
    assert (rows_of(store).height, store.manifest("one").groups[0].cut) == (100, None)


def test_only_the_columns_needed_are_kept(store: Store) -> None:
    put(store, shop.sales(), lambda tx: tx.filter(tx["place"] == "p1").amount.sum())
    assert rows_of(store).columns == ["sale", "when", "customer_id", "place", "amount", "__arrival", "__sequence"]


def test_all_versions_of_a_corrected_row_are_kept(store: Store) -> None:
    rows = shop.sales(100)
    moved = rows[:1].with_columns(when=rows["when"][-1], amount=pl.lit(1.0))
    tx = shop.source(rows, max_ahead="0s")
    store.ingest(tx)
    put(store, pl.concat([rows[1:], moved]), lambda tx: tx.amount.sum().over("1h"))
    assert rows_of(store).filter(sale=0)["amount"].to_list() == [0.0, 1.0]


def test_pushed_rows_are_drained_and_the_log_goes_on_from_there(store: Store) -> None:
    put(store, shop.sales(), lambda tx: tx.count())
    position = store.push("sales", shop.row(100, 60))
    store.snapshot("one")
    assert rows_of(store).height == 61
    assert store.manifest("one").groups[0].log_position == position


def test_shards_split_rows_by_the_hash_of_their_key(store: Store) -> None:
    put(store, shop.sales(), lambda tx: tx.count())
    store.snapshot("one", shards=3)
    parts = [rows_of(store, shard=shard) for shard in range(3)]
    assert sum(part.height for part in parts) == 60
    for shard, part in enumerate(parts):
        assert set(bucket(part.select("customer_id"), 3).tolist()) <= {shard}


def test_the_manifest_carries_the_definition(store: Store) -> None:
    put(store, shop.sales(), lambda tx: tx.amount.mean().over("3d"))
    assert store.manifest("one").made().version == store.service("one").version


def test_a_service_nobody_registered_cannot_be_published(store: Store) -> None:
    tx = shop.source(shop.sales())
    store.ingest(tx)
    with pytest.raises(NotFound, match="no service is named 'shop'"):
        store.snapshot(shop.service(tx))


def test_what_is_not_a_service_cannot_be_published(store: Store) -> None:
    tx = shop.source(shop.sales())
    view = nt.feature_view("spend", entity=tx.spec.entities[0], features={"n": tx.count()})
    for given, named in ((view, "a view"), ([view], "list")):
        with pytest.raises(WrongType, match=f"takes a service or its name, not {named}"):
            store.snapshot(given)  # type: ignore[arg-type]


def test_another_version_than_the_registered_one_cannot_be_published(store: Store) -> None:
    put(store, shop.sales(), lambda tx: tx.count())
    tx = shop.source(shop.sales())
    view = nt.feature_view("v", entity=shop.CUSTOMER, features={"f": tx.count().over("1d")})
    with pytest.raises(NotFound, match=r"Call store.apply\(...\) first"):
        store.snapshot(nt.FeatureService("one", [view]))


def test_a_service_whose_source_was_never_ingested_cannot_be_published(store: Store) -> None:
    store.apply(shop.service(shop.source(shop.sales())))
    with pytest.raises(NotFound, match=r"Call store.ingest\(...\) with the source itself first"):
        store.snapshot("shop")
    assert published(store.here.folder) == []


def test_a_source_that_only_takes_pushes_can_start_from_nothing(store: Store) -> None:
    store.apply(shop.service(shop.source(None, schema=dict(shop.sales().schema))))
    assert (store.snapshot("shop").rows, store.snapshot("shop").watermark) == (0, None)


def test_the_watermark_is_the_least_of_all_sources_to_the_microsecond(store: Store) -> None:
    last = shop.START + timedelta(hours=2, microseconds=3)
    slow = shop.source(shop.sales(1).with_columns(when=pl.lit(last)), "slow")
    two_sources(store, slow)
    store.ingest(slow)
    assert store.snapshot("two").watermark == last


def test_there_is_no_watermark_while_a_source_has_no_rows(store: Store) -> None:
    two_sources(store, shop.source(None, "slow", schema=dict(shop.sales().schema)))
    assert store.snapshot("two").watermark is None


def two_sources(store: Store, slow: nt.Source) -> None:
    """A service over the sales, which are there, and another source."""
    fast = shop.source(shop.sales())
    features = {"fast": fast.count().over("1d"), "slow": slow.count().over("1d")}
    store.apply(nt.FeatureService("two", [nt.feature_view("v", entity=shop.CUSTOMER, features=features)]))
    store.ingest(fast)


def test_a_service_that_was_not_published_is_not_found(store: Store) -> None:
    put(store, shop.sales(), lambda tx: tx.count())
    with pytest.raises(NotFound, match=r"was not published.*Did you mean 'one'"):
        read_manifest(store.here.folder, "ones")


def test_no_shards_are_refused(store: Store) -> None:
    put(store, shop.sales(), lambda tx: tx.count())
    with pytest.raises(Invalid, match="at least one shard"):
        store.snapshot("one", shards=0)


def file_of(store: Store) -> Path:
    return store.root / "snapshots" / store.manifest("one").groups[0].files[0].path


@pytest.mark.parametrize("place", [0, 100, -1])
def test_a_damaged_file_is_told(store: Store, place: int) -> None:
    put(store, shop.sales(), lambda tx: tx.count())
    data = bytearray(file_of(store).read_bytes())
    data[place] ^= 1
    file_of(store).write_bytes(data)
    with pytest.raises(Corrupt, match="Publish the service again"):
        rows_of(store)


def test_a_missing_file_is_told(store: Store) -> None:
    put(store, shop.sales(), lambda tx: tx.count())
    file_of(store).unlink()
    with pytest.raises(Corrupt, match="is missing"):
        rows_of(store)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": 1}', "\0"])
def test_a_damaged_manifest_is_told(store: Store, content: str) -> None:
    put(store, shop.sales(), lambda tx: tx.count())
    (store.root / "snapshots" / "one.json").write_text(content)
    with pytest.raises(Corrupt):
        store.manifest("one")


def test_the_manifest_is_plain_json(store: Store) -> None:
    put(store, shop.sales(), lambda tx: tx.count())
    parts = json.loads((store.root / "snapshots" / "one.json").read_text())
    assert {"format", "service", "version", "definition", "groups", "shards", "hash_version", "sha256"} <= set(parts)
    assert set(parts["groups"][0]) == set(Group.__dataclass_fields__)


def test_the_copy_for_servers_is_what_the_ledger_names(store: Store) -> None:
    put(store, shop.sales(), lambda tx: tx.count())
    note = store.here.notes.get(store.history()[-1].names["snapshot/one"])
    assert Manifest.of(note) == store.manifest("one")


def test_a_flipped_bit_of_the_manifest_is_told(store: Store) -> None:
    put(store, shop.sales(), lambda tx: tx.count())
    place = store.root / "snapshots" / "one.json"
    data = bytearray(place.read_bytes())
    data[data.index(b'"cut":') + 8] ^= 1
    place.write_bytes(data)
    with pytest.raises(Corrupt, match="Publish the service again"):
        store.manifest("one")


def test_publishing_again_leaves_the_files_of_the_first_alone(store: Store) -> None:
    put(store, shop.sales(), lambda tx: tx.count())
    first = store.manifest("one")
    store.snapshot("one")
    assert load(store.here.folder, first.groups[0].files[0]).equals(rows_of(store))
    assert first.groups[0].files[0].path != store.manifest("one").groups[0].files[0].path


def test_keys_of_any_name_are_part_of_a_safe_path(store: Store) -> None:
    odd = nt.Entity("odd", keys={"k/ ü~%": pl.Int64})
    rows = shop.sales(5).rename({"customer_id": "k/ ü~%"})
    tx = nt.Source("odd", nt.Frame(rows), event_time="when", entities=[odd], row_id="sale")
    store.apply(nt.FeatureService("one", [nt.feature_view("v", entity=odd, features={"f": tx.count()})]))
    store.ingest(tx)
    assert store.snapshot("one").rows == 5
    assert rows_of(store).height == 5
