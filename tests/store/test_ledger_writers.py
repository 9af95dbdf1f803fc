"""Eight processes at one ledger: nothing is lost, nothing is there twice, and losers come through."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nowthen.store.folders.folder import open_folder

from .faulty_proxy import FAULTS, Faults, faulty_proxy
from .ledger_writers import found, written_at_once
from .s3_server import BUCKET, options, s3_server

pytestmark = [pytest.mark.fault, pytest.mark.slow]

WRITERS = 8


@pytest.fixture
def server() -> Iterator[str]:
    with s3_server() as address:
        yield address


def converged(url: str, storage: dict[str, str] | None, told: dict[str, int]) -> None:
    """Every acknowledged name is in its entry and all later ones, every change of the shared note built on the one before it."""
    entries = list(found(open_folder(url, storage)))
    assert [entry.number for entry, _ in entries] == list(range(1, len(entries) + 1))
    assert len({entry.job for entry, _ in entries}) == len(entries)
    counted = [(entry, count) for entry, count in entries if entry.what != "settle"]
    assert [count for _, count in counted] == list(range(1, len(counted) + 1))
    assert {entry.what: entry.number for entry, _ in counted} == told
    assert set(told) <= set(entries[-1][0].names)


def test_eight_writers_on_a_local_disk_converge(tmp_path: Path) -> None:
    url = str(tmp_path / "store")
    told = written_at_once(url, None, WRITERS, 25)
    assert len(told) == WRITERS * 25
    converged(url, None, told)


def test_eight_writers_on_s3_converge(server: str) -> None:
    url, storage = f"s3://{BUCKET}/store", options(server)
    told = written_at_once(url, storage, WRITERS, 8)
    assert len(told) == WRITERS * 8
    converged(url, storage, told)


def test_eight_writers_on_s3_behind_a_faulty_network_converge(server: str) -> None:
    url, faults = f"s3://{BUCKET}/store", Faults(share=0.2, seed=7, late_s=1.5)
    with faulty_proxy(server, faults) as proxy:
        told = written_at_once(url, options(proxy, timeout="1s", patience_s="60"), WRITERS, 5)
    assert len(told) == WRITERS * 5
    assert all(faults.counted[fault] > 0 for fault in FAULTS)
    converged(url, options(server), told)
