"""Snapshots in the care of a store: what they need, what is damaged of them, and rows taken out of them."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

import nowthen as nt
from nowthen.store.ports import Damage
from nowthen.store.snapshots.held_snapshot import HeldSnapshot
from nowthen.store.snapshots.manifest import Manifest, load
from nowthen.store.store import Store

from . import shop

GUEST = nt.Entity("guest", keys={"guest": pl.String})


@pytest.fixture
def shown(store: Store) -> Store:
    """The shop, published: groups by customer, by place and by nothing."""
    tx = shop.source(shop.sales())
    store.apply(shop.service(tx))
    store.ingest(tx)
    store.snapshot("shop")
    return store


def noted(store: Store) -> tuple[str, Manifest]:
    name = store.history()[-1].names["snapshot/shop"]
    return name, Manifest.of(store.here.notes.get(name))


def damages(store: Store) -> list[str]:
    name, manifest = noted(store)
    return [one.path for one in HeldSnapshot().check(store.here, name, manifest.note())]


def test_it_needs_its_shards(shown: Store) -> None:
    _, manifest = noted(shown)
    paths = list(HeldSnapshot().reaches(shown.here, manifest.note()))
    assert len(paths) == 3
    assert all((shown.root / path).is_file() for path in paths)


def test_a_whole_one_has_no_damage(shown: Store) -> None:
    assert damages(shown) == []


@pytest.mark.parametrize("content", [b"", b"{}", None])
def test_a_copy_that_is_not_what_the_ledger_says_is_told_and_put_again(shown: Store, content: bytes | None) -> None:
    place = shown.root / "snapshots" / "shop.json"
    place.unlink() if content is None else place.write_bytes(content)
    assert damages(shown) == ["snapshots/shop.json"]
    assert HeldSnapshot().mend(shown.here, Damage("snapshots/shop.json", "", ()))
    assert damages(shown) == []


@pytest.mark.parametrize("change", ["gone", "flipped"])
def test_a_damaged_shard_is_told(shown: Store, change: str) -> None:
    place = shown.root / next(iter(HeldSnapshot().reaches(shown.here, noted(shown)[1].note())))
    data = bytearray(place.read_bytes())
    data[len(data) // 2] ^= 1
    place.unlink() if change == "gone" else place.write_bytes(data)
    assert damages(shown) == [place.relative_to(shown.root).as_posix()]


@pytest.mark.parametrize("path", ["snapshots/a/b.json", "snapshots/x.arrow", "notes/x.json", "snapshots/../x.json"])
def test_nothing_else_can_be_mended_from_the_ledger(shown: Store, path: str) -> None:
    assert not HeldSnapshot().mend(shown.here, Damage(path, "", ()))


def test_rows_of_keys_leave_every_group_also_those_that_do_not_have_the_key(shown: Store, tmp_path: Path) -> None:
    _, manifest = noted(shown)
    keys = pl.DataFrame({"customer_id": [3, 4]})
    done = HeldSnapshot().without(shown.here, manifest.note(), shop.CUSTOMER, keys, tmp_path, "0123456789ab")
    assert done is not None
    after = Manifest.of(done[0])
    of_keys = shop.sales().filter(pl.col("customer_id").is_in([3, 4]))["sale"].to_list()
    left = [load(shown.here.folder, file) for group in after.groups for file in group.files]
    before = [load(shown.here.folder, file) for group in manifest.groups for file in group.files]
    assert done[1] == sum(old.height - new.height for old, new in zip(before, left, strict=True)) > 0
    assert not any(set(rows["sale"]) & set(of_keys) for rows in left)
    assert [rows.filter(~pl.col("sale").is_in(of_keys)).height for rows in before] == [rows.height for rows in left]


def test_a_snapshot_without_such_rows_stays(shown: Store, tmp_path: Path) -> None:
    _, manifest = noted(shown)
    keys = pl.DataFrame({"customer_id": [999]})
    assert HeldSnapshot().without(shown.here, manifest.note(), shop.CUSTOMER, keys, tmp_path, "0123456789ab") is None
    other = nt.Entity("other", keys={"other_id": pl.Int64})
    assert HeldSnapshot().without(
        shown.here, manifest.note(), other, pl.DataFrame({"other_id": [1]}), tmp_path, "0123456789ab"
    ) is None  # fmt: skip


def test_what_was_published_answers_without_the_forgotten(shown: Store) -> None:
    with shown.online() as features:  # type: ignore[attr-defined]
        ask = {"customer_id": [3, 5], "place": "p1"}
        asked = {"at": shop.START.replace(month=1, day=3, hour=11)}
        before = features.get("shop", ask, **asked).to_polars()
    shown.forget(shop.CUSTOMER, {"customer_id": [3]})
    with shown.online() as features:  # type: ignore[attr-defined]
        after = features.get("shop", ask, **asked).to_polars()
    name = next(column for column in before.columns if column.startswith("count"))
    assert (before[name][0] > 0, after[name][0]) == (True, 0)
    assert after[name][1] == before[name][1]


def test_a_row_that_goes_with_its_newest_version_goes_with_all_of_them(store: Store) -> None:
    def visits(guest: str) -> nt.Source:
        """Two visits to a place, of which the first is said to be of that guest."""
        rows = pl.DataFrame(
            {"visit": [1, 2], "guest": [guest, "anna"], "place": ["p1", "p1"], "when": [shop.START] * 2}
        )
        return nt.Source("visits", nt.Frame(rows), event_time="when", row_id="visit", entities=[GUEST, shop.PLACE])

    first = visits("anna")
    views = [
        nt.feature_view(one.name, entity=one, features={f"of_{one.name}": first.count()}) for one in (GUEST, shop.PLACE)
    ]
    store.apply(nt.FeatureService("visitors", views))
    store.ingest(first)
    store.ingest(visits("bert"))
    store.snapshot("visitors")
    store.forget(GUEST, ["bert"])
    with store.online() as features:  # type: ignore[attr-defined]
        answer = features.get("visitors", {"guest": "anna", "place": "p1"}).to_polars()
    assert answer.row(0) == (1, 1)
