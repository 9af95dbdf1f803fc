"""On a real Ray Serve: handles and HTTP give what the shard gives, and a killed replica comes back with all that was acknowledged."""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import socket
import threading
from collections.abc import Iterator
from typing import Any

import psutil
import pytest
from polars.testing import assert_frame_equal

import nowthen as nt
from nowthen.serve.deployment import start, stop
from nowthen.serve.online import Features, online

from . import bank

pytestmark = [pytest.mark.ray, pytest.mark.filterwarnings("ignore::ResourceWarning")]

ASK: dict[str, Any] = {"request": {"amount": 1.0}, "at": bank.NOW}
KEYS = {"customer_id": 3, "shop": "bar"}


@pytest.fixture(scope="module")
def served(cluster: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, str]]:
    """A store that is served, and its address."""
    store = bank.published(tmp_path_factory.mktemp("bank"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    start(store, port=port)
    yield store, f"http://127.0.0.1:{port}"
    stop()


@pytest.fixture(scope="module")
def features(served: tuple[Any, str]) -> Features:
    return online()


def count(features: Features, **options: Any) -> int:
    return int(features.get("risk", KEYS, **ASK, **options).row()["count_1d"])


def test_the_handle_gives_what_the_process_gives(served: tuple[Any, str]) -> None:
    keys, options = bank.question(bank.asked())
    handle = nt.handle("risk")

    async def ask() -> Any:
        return await handle.get.remote(keys, **options)

    answer = asyncio.run(ask())
    with served[0].online() as here:
        assert_frame_equal(answer.to_polars(), here.get("risk", keys, **options).to_polars(), check_exact=True)
    assert handle.get.remote(keys, **options).result().to_polars().equals(answer.to_polars())


def test_a_client_in_the_cluster_says_so(features: Features) -> None:
    assert repr(features).startswith("<Features of this Ray cluster: get(service, keys)")


def test_a_handle_travels(served: tuple[Any, str]) -> None:
    handle = pickle.loads(pickle.dumps(nt.handle("risk")))
    assert repr(handle) == "<Handle of service 'risk': get.remote(keys), push.remote(source, rows)>"
    assert len(handle.get.remote(KEYS, **ASK).result()) == 1


def test_a_push_is_seen_by_handle_and_http(served: tuple[Any, str], features: Features) -> None:
    before = count(features)
    token = features.push("tx", [bank.row(id=50_000)])
    assert count(features, after=token) == before + 1
    with online(served[1]) as web:
        assert count(web, after=token) == before + 1
        assert count(web, with_rows={"tx": [bank.row(id=50_001)]}) == before + 2
        assert count(web, with_rows={"tx": [bank.row(id=50_002)]}, push=True) == before + 2
    assert count(features) == before + 2


def test_errors_are_typed_on_every_way(served: tuple[Any, str], features: Features) -> None:
    with online(served[1]) as web:
        for client in (features, web):
            with pytest.raises(nt.NotFound, match="Did you mean 'risk'"):
                client.get("rsik", {})
            with pytest.raises(nt.WrongType, match="customer_id"):
                client.get("risk", {**KEYS, "customer_id": "x"}, **ASK)
            with pytest.raises(nt.UnknownColumn, match="lacks column"):
                client.push("tx", [{"id": 1}])
            with pytest.raises(nt.Deadline):
                client.get("risk", KEYS, **ASK, deadline="1us")


def test_errors_are_typed_in_an_event_loop(served: tuple[Any, str]) -> None:
    handle = nt.handle("risk")

    async def ask(**options: Any) -> Any:
        return await handle.get.remote(KEYS, **options)

    with pytest.raises(nt.Invalid, match="'amount' is missing"):
        asyncio.run(ask())
    with pytest.raises(nt.Deadline):
        asyncio.run(ask(**ASK, deadline="1us"))


def test_many_calls_at_once_are_all_answered(served: tuple[Any, str]) -> None:
    handle = nt.handle("risk")

    async def ask() -> list[Any]:
        gets = [handle.get.remote(KEYS, **ASK) for _ in range(50)]
        pushes = [handle.push.remote("tx", [bank.row(id=60_000 + i)]) for i in range(20)]
        return [await one for one in (*gets, *pushes)]

    assert len(asyncio.run(ask())) == 70


def test_a_newer_snapshot_is_taken_over(served: tuple[Any, str], features: Features) -> None:
    store, before = served[0], count(features)
    store.snapshot("risk")
    assert count(features) == before


def test_a_killed_replica_comes_back_and_reads_go_on(served: tuple[Any, str], features: Features) -> None:
    before = count(features)
    token = features.push("tx", [bank.row(id=70_000)])
    failed: list[BaseException] = []
    answers: list[int] = []

    def read() -> None:
        try:
            answers.extend(count(features) for _ in range(20))
        except nt.NowThenError as error:
            failed.append(error)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    os.kill(replica(), signal.SIGKILL)
    later = features.push("tx", [bank.row(id=70_001)])
    for reader in readers:
        reader.join()
    assert failed == []
    assert set(answers) <= {before + 1, before + 2}
    assert count(features, after=token) == count(features, after=later) == before + 2


def replica() -> int:
    """The process of the shard's replica, among those this test started."""
    found: list[int] = [
        process.pid
        for process in psutil.Process().children(recursive=True)
        if "nowthen-shard-0" in " ".join(process.cmdline())
    ]
    return found[0]
