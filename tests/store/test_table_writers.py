"""Eight processes at one source, append x replace x compact x clean up x forget: nothing is lost, nothing twice, and all come through."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

import nowthen as nt

from . import shop
from .faulty_proxy import FAULTS, Faults, faulty_proxy
from .s3_server import BUCKET, options, s3_server
from .table_writers import FAR, FORGOTTEN, STRETCH, Storage, rounds_at_once

pytestmark = [pytest.mark.fault, pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture
def server() -> Iterator[str]:
    with s3_server() as address:
        yield address


def converged(url: str, storage: Storage, told: list[int], rounds: int) -> None:
    """Every row that was acknowledged is there once, but those of the forgotten customer; the stretch has the last rows it was given."""
    store = nt.connect(url, storage=storage)
    rows = store.events(shop.source(shop.sales(1))).read(["sale", "customer_id", "amount"])
    assert rows.filter(pl.col("customer_id") == FORGOTTEN).height == 0
    of_customers = shop.sales(1).clear()
    for first in told:
        of_customers = pl.concat([of_customers, shop.sales(1, first)])
    expected = of_customers.filter(pl.col("customer_id").ne_missing(FORGOTTEN))["sale"].to_list()
    assert sorted(rows["sale"].to_list()) == sorted(expected)
    stretch = rows.filter(pl.col("sale").is_between(FAR, FAR + STRETCH - 1))
    assert set(stretch["amount"].to_list()) == {float(rounds - 1)}
    assert store.scrub().whole
    store.compact()
    assert sorted(store.events(shop.source(shop.sales(1))).read(["sale"])["sale"].to_list()) == sorted(expected)


def test_eight_writers_on_a_local_disk_converge(tmp_path: Path) -> None:
    told = rounds_at_once(str(tmp_path / "store"), None, 6, tmp_path)
    converged(str(tmp_path / "store"), None, told, 6)


def test_eight_writers_on_s3_converge(server: str, tmp_path: Path) -> None:
    url, storage = f"s3://{BUCKET}/store", options(server)
    converged(url, storage, rounds_at_once(url, storage, 4, tmp_path), 4)


def test_eight_writers_on_s3_behind_a_faulty_network_converge(server: str, tmp_path: Path) -> None:
    url, faults = f"s3://{BUCKET}/store", Faults(share=0.1, seed=11, late_s=1.5)
    with faulty_proxy(server, faults) as proxy:
        told = rounds_at_once(url, options(proxy, timeout="1s", patience_s="60"), 3, tmp_path)
    assert all(faults.counted[fault] > 0 for fault in FAULTS)
    converged(url, options(server), told, 3)
