"""A whole store on an object store: definitions, rows, pushes, a saved training set, and what is published, from this process and another."""

from __future__ import annotations

import multiprocessing
import pickle
import tempfile
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import nowthen as nt
from nowthen.engine.errors import Conflict, Forbidden, Invalid
from nowthen.serve.store_here import store_here
from nowthen.store.folders.names import new_token

from . import shop
from .s3_server import BUCKET, options

pytestmark = pytest.mark.usefixtures("without_ray")


@pytest.fixture
def place(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, dict[str, str]]:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return f"s3://{BUCKET}/{new_token()}/store", options(server, patience_s="10")


@pytest.fixture
def far(place: tuple[str, dict[str, str]], tmp_path: Path) -> Any:
    """A store far away that has published the shop's service."""
    address, storage = place
    store = nt.connect(address, storage=storage, log=tmp_path / "log")
    tx = shop.source(shop.sales())
    store.apply(shop.service(tx))
    store.ingest(tx)
    store.snapshot("shop")
    return store


def test_it_answers_as_a_store_in_a_folder_does(far: Any, store: Any) -> None:
    tx = shop.source(shop.sales())
    store.apply(shop.service(tx))
    store.ingest(tx)
    store.snapshot("shop")
    ask: dict[str, Any] = {"customer_id": [1, 2, 5], "place": "p1"}
    with far.online() as there, store.online() as here:
        asked = {"at": shop.START.replace(day=3, hour=11)}
        assert there.get("shop", ask, **asked).to_polars().equals(here.get("shop", ask, **asked).to_polars())
    labels = shop.labels()
    assert (
        far.training_set(labels, "shop", at="t").collect().equals(store.training_set(labels, "shop", at="t").collect())
    )


def test_pushed_rows_are_kept_in_a_local_log_until_they_are_drained(far: Any) -> None:
    far.push("sales", shop.row(500, 60))
    assert far.drain("sales").pushed == 1
    assert far.events("sales").read(["sale"]).height == 61


def test_without_a_log_it_takes_no_pushes(place: tuple[str, dict[str, str]], far: Any) -> None:
    blind = nt.connect(place[0], storage=place[1])
    with pytest.raises(Invalid, match="takes no pushes: it has no place for their log"):
        blind.push("sales", shop.row(500, 60))
    assert blind.ingest(shop.source(shop.sales(70))).new == 10
    with blind.online() as features:
        assert features.get("shop", {"customer_id": 1, "place": "p1"}).to_polars().height == 1


def test_what_is_saved_is_opened_again(far: Any) -> None:
    saved = far.training_set(shop.labels(), "shop", at="t").save("first")
    far.ingest(shop.source(shop.sales(90)))
    far.cleanup(keep="0s", versions=1)
    assert far.open_training_set("first").collect().equals(saved.collect())
    assert far.scrub().whole


def test_a_change_that_hurts_is_refused_there_too(far: Any) -> None:
    tx = shop.source(shop.sales())
    with pytest.raises(Conflict, match="is removed, but it is used by"):
        far.apply(nt.feature_view("customer_spend", entity=shop.CUSTOMER, features={"other": tx.count()}))


def told_by_environment(storage: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    names = {"aws_endpoint": "AWS_ENDPOINT", "allow_http": "AWS_ALLOW_HTTP"}
    for name, value in storage.items():
        monkeypatch.setenv(names.get(name, name.upper()), value)


def test_its_log_is_where_the_settings_say(
    place: tuple[str, dict[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told_by_environment(place[1], monkeypatch)
    monkeypatch.setenv("NOWTHEN_LOG", str(tmp_path / "pushed"))
    assert store_here(place[0]).here.logs == tmp_path / "pushed"
    assert store_here(str(tmp_path / "near")).here.logs == tmp_path / "near" / "log"


def _rows(content: bytes) -> int:
    store = pickle.loads(content)
    return int(store.events("sales").read(["sale"]).height)


def test_another_process_takes_secrets_from_its_own_environment(
    far: Any, place: tuple[str, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    content = pickle.dumps(far)
    assert place[1]["aws_secret_access_key"].encode() not in content
    told_by_environment(place[1], monkeypatch)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(_rows, (content,)) == 60


def test_another_process_without_secrets_says_so_at_once(far: Any) -> None:
    with pytest.raises(Forbidden, match="Set AWS_SECRET_ACCESS_KEY in their environment, or pass engine='local'"):
        pickle.loads(pickle.dumps(far))


def test_a_backup_goes_there_and_comes_back(far: Any, place: tuple[str, dict[str, str]], tmp_path: Path) -> None:
    far.backup(tmp_path / "bk")
    nt.restore(tmp_path / "bk", tmp_path / "again")
    assert nt.connect(tmp_path / "again").service("shop").version == far.service("shop").version
    rows = nt.connect(tmp_path / "again").events("sales").read(["sale"])
    assert rows["sale"].sort().equals(pl.Series("sale", range(60)))
