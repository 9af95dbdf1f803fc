"""Care on an object store: the same verify, cleanup, forget, backup and restore as on a local folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import nowthen as nt
from nowthen.store.folders.folder import open_folder
from nowthen.store.store import Store
from nowthen.store.store_care import restore
from nowthen.store.tables.sums import SUFFIX, Sums

from .s3_server import BUCKET, options, s3_server
from .storm import orders

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def storage() -> Iterator[dict[str, str]]:
    with s3_server() as address:
        yield options(address)


@pytest.fixture
def store(storage: dict[str, str], request: pytest.FixtureRequest) -> Store:
    made: Store = nt.connect(f"s3://{BUCKET}/{request.node.name}", storage=storage)
    tx = orders.source(orders.upto(4))
    made.apply(orders.service(tx))
    made.ingest(orders.source(orders.upto(2)))
    made.ingest(tx)
    return made


def rows(store: Store) -> list[Any]:
    return orders.ordered(store.events(orders.source(orders.upto(1))).read(list(orders.SCHEMA)))


def objects(store: Store) -> dict[str, bytes]:
    folder = store.here.folder
    return {path: folder.get(path) for path, _, _ in folder.listed("")}


def test_verify_names_a_damaged_object(store: Store) -> None:
    assert store.scrub().whole
    path = next(path for path in objects(store) if path.endswith(".lance"))
    content = bytearray(store.here.folder.get(path))
    content[Sums.read(store.here.folder.get(path + SUFFIX)).columns["amount"][0][0][0]] ^= 8
    store.here.folder.put(path, bytes(content))
    assert [damage.path for damage in store.scrub().damaged] == [path]
    assert store.scrub(repair=True, sources=[orders.source(orders.upto(4))]).whole


def test_cleanup_removes_old_objects_and_no_others(store: Store) -> None:
    before = rows(store)
    assert store.cleanup(keep="0s", versions=1).files["tables"] > 0
    assert (rows(store), store.scrub().whole) == (before, True)


def test_no_object_has_a_forgotten_key(store: Store) -> None:
    assert any(b"buyer-3" in content for content in objects(store).values())
    store.forget(orders.BUYER, ["buyer-3"])
    assert not any(b"buyer-3" in content for content in objects(store).values())
    assert store.ingest(orders.source(orders.upto(4))).new == 0


def test_a_store_goes_to_objects_and_back(tmp_path: Path, storage: dict[str, str]) -> None:
    local: Store = nt.connect(tmp_path / "store")
    local.ingest(orders.source(orders.upto(3)))
    local.push(orders.source(), orders.fresh(0, 5, orders.PUSHED), key="k")
    copy = f"s3://{BUCKET}/copy"
    local.backup(copy, storage=storage)
    assert local.backup(copy, storage=storage).files == 1  # the hint
    restore(copy, tmp_path / "again", backup_storage=storage)
    again = nt.connect(tmp_path / "again")
    assert (rows(again), again.scrub().whole) == (rows(local), True)
    assert "log/orders" in "\n".join(path for path, _, _ in open_folder(copy, storage).listed(""))
