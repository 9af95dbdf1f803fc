"""Workers on Ray: what becomes of a step whose worker, or what it needs, is gone with its node."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from threading import Lock
from typing import Any

import pytest
import ray
from ray.exceptions import (
    GetTimeoutError,
    ObjectLostError,
    ObjectStoreFullError,
    OutOfDiskError,
    RayError,
    RayTaskError,
)

import nowthen as nt
from nowthen.engine.running import ray_nodes, ray_workers
from nowthen.engine.running.ray_fetching import fetched
from nowthen.engine.running.ray_workers import Handle, Workers
from nowthen.engine.running.schedule import Lost
from nowthen.engine.running.step import Outcome, Step
from nowthen.engine.running.work import Cut

pytestmark = [pytest.mark.ray, pytest.mark.usefixtures("ray_cluster")]


def sleeping(_each: Any, *_needs: Any) -> Outcome:
    time.sleep(60)
    return Outcome(None)


def answering(_each: Any, *needs: Any) -> Outcome:
    return Outcome(("answer", *needs))


class Asked:
    """An actor that is asked where it is."""

    @property
    def place(self) -> Any:
        """A method of it."""
        return self

    def remote(self) -> Any:
        """A promise that it is kept at once."""
        return ray.put("a node")


def out_of_time(_each: Any, *_needs: Any) -> Outcome:
    raise GetTimeoutError("a reader's own")


def locked(_each: Any, *_needs: Any) -> Outcome:
    raise Locked


class Locked(Exception):
    """Cannot be pickled."""

    def __init__(self) -> None:
        self.lock = Lock()


@pytest.fixture
def workers() -> Iterator[Workers]:
    """Workers of which one is ready."""
    workers = Workers()
    workers.hire(1)
    wait_for(workers)
    yield workers
    workers.close(stop=True)


def wait_for(workers: Workers) -> None:
    while not workers.slots:
        workers.wait([], 1.0)


def done(workers: Workers, handle: Handle) -> None:
    while handle not in workers.wait([handle], 1.0):
        pass


def made(workers: Workers) -> Handle:
    """A step that is done."""
    handle = workers.start(Step("split", "At 1", answering), [])
    done(workers, handle)
    workers.report(handle)
    return handle


def gone(monkeypatch: pytest.MonkeyPatch, nodes: Collection[str]) -> None:
    """Let Ray say that these are dead, of its own and another."""
    told = [*ray.nodes(), {"NodeID": "another node"}]  # type: ignore[no-untyped-call]
    listed = [{**node, "Alive": node["NodeID"] not in nodes} for node in told]
    monkeypatch.setattr(ray, "nodes", lambda: listed)


def test_a_step_whose_needs_are_gone_for_a_while_is_lost_and_its_worker_replaced(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = made(workers)
    first.worker = ray_workers._Hired(None, None, "another node")
    gone(monkeypatch, [])
    workers._nodes.look()
    handle = workers.start(Step("answer", "At 1", sleeping), [(first, 0)])
    gone(monkeypatch, ["another node"])
    workers._nodes.look()
    monkeypatch.setattr(ray_workers, "_GRACE_S", 0.5)
    assert not workers.wait([handle], 0.1)
    time.sleep(0.6)
    assert workers.wait([handle], 0.1) == [handle]
    with pytest.raises(Lost, match="answer"):
        workers.report(handle)
    wait_for(workers)
    again = workers.start(Step("answer", "At 1", answering), [])
    done(workers, again)
    assert workers.value(again) == "answer"


def test_a_step_that_was_done_in_time_is_not_lost(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    handle = workers.start(Step("answer", "At 1", answering), [])
    ray.wait(handle.refs[:1])
    gone(monkeypatch, handle.nodes)
    monkeypatch.setattr(ray_workers, "_GRACE_S", -1.0)
    assert workers.wait([handle], 0.1) == [handle]
    assert not handle.lost


def test_a_step_whose_needs_are_there_goes_on(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    handle = workers.start(Step("answer", "At 1", sleeping), [(made(workers), 0)])
    monkeypatch.setattr(ray_workers, "_GRACE_S", 0.0)
    assert not workers.wait([handle], 0.1)
    assert not workers.wait([handle], 0.1)


@pytest.mark.parametrize("here", [True, False])
def test_a_step_is_not_begun_with_values_of_a_node_that_is_gone(
    here: bool, workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = made(workers)
    gone(monkeypatch, first.nodes)
    workers._nodes.look()
    handle = workers.start(Step("answer", "At 1", answering, here=here), [(first, 0)])
    assert workers.wait([handle], 0.1) == [handle]
    with pytest.raises(Lost):
        workers.report(handle)
    assert workers.lost(first)


def test_a_value_of_a_node_that_is_gone_is_not_waited_for(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    handle = made(workers)
    waits: list[float] = []

    def late(_: Any, timeout: float) -> Any:
        waits.append(timeout)
        if len(waits) == 3:
            gone(monkeypatch, handle.nodes)
            workers._nodes.look()
        raise GetTimeoutError("not yet")

    monkeypatch.setattr(ray, "get", late)
    with pytest.raises(Lost, match="split"):
        workers.value(handle)
    assert waits == [5.0, 10.0, 20.0, 0.1]


@pytest.mark.parametrize("work, kind", [(out_of_time, GetTimeoutError), (locked, RayError)])
def test_an_error_of_a_step_is_no_lost_worker(work: Any, kind: type[Exception], workers: Workers) -> None:
    handle = workers.start(Step("answer", "At 1", work), [])
    done(workers, handle)
    with pytest.raises(kind, match=r"a reader's own|Locked"):
        workers.report(handle)


def test_idle_workers_beside_one_that_died_are_asked_whether_they_are_there(workers: Workers) -> None:
    handle = workers.start(Step("answer", "At 1", sleeping), [])
    assert handle.worker is not None
    beside, elsewhere = (
        ray_workers._Hired(Asked(), None, handle.node),
        ray_workers._Hired(Asked(), None, "another node"),
    )
    workers._idle += [beside, elsewhere]
    workers._most = 3
    ray.kill(handle.worker.actor)
    done(workers, handle)
    with pytest.raises(Lost):
        workers.report(handle)
    assert workers._idle == [elsewhere]
    assert [one.actor for one in workers._pending if isinstance(one.actor, Asked)] == [beside.actor]
    workers._idle, workers._pending = [], [one for one in workers._pending if one.actor is not beside.actor]


def test_no_room_for_what_is_made_here_says_so(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: object) -> None:
        raise ObjectStoreFullError("full")

    monkeypatch.setattr(ray, "put", full)
    handle = workers.start(Step("split", "At 1", answering, here=True), [])
    with pytest.raises(nt.StorageFull, match="split: Ray's object store is full"):
        workers.start(Step("answer", "At 1", answering), [(handle, 0)])


def test_what_a_step_needs_is_asked_for_anew_where_it_does_not_come(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    def late(refs: list[str], timeout: float) -> list[str]:
        waits.append(timeout)
        if len(waits) < 3:
            raise GetTimeoutError("not yet")
        return refs

    monkeypatch.setattr(ray, "get", late)
    assert fetched(["a", "b"]) == ["a", "b"]
    assert waits == [5.0, 10.0, 20.0]


def test_a_step_that_finds_a_need_lost_says_which(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    first = made(workers)
    lost = ObjectLostError(first.refs[1].hex(), first.refs[1].owner_address(), "")

    def gone(_: Any, timeout: float) -> Any:
        raise RayTaskError("run", "its traceback", lost).as_instanceof_cause()  # type: ignore[no-untyped-call]

    monkeypatch.setattr(ray, "get", gone)
    with pytest.raises(Lost, match="answer"):
        workers._got(Handle(Step("answer", "At 1", answering)), "a reference")
    assert workers.lost(first)


def test_nodes_are_looked_at_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    looks: list[float] = []
    alive: list[dict[str, Any]] = [{"NodeID": "a", "Alive": True}, {"NodeID": "b", "Alive": True}]

    def listed() -> list[dict[str, Any]]:
        looks.append(now[0])
        return alive

    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(ray, "nodes", listed)
    nodes = ray_nodes.Nodes()
    assert not nodes.gone("a")
    assert not nodes.gone("b")
    alive[1]["Alive"] = False
    assert nodes.gone_for("b") == 0.0
    assert looks == [100.0]
    now[0] = 101.5
    assert nodes.gone("b")
    assert nodes.gone_for("b") == 0.0
    now[0] = 104.0
    assert nodes.gone_for("b") == 2.5
    assert nodes.gone_for("a") == 0.0
    assert looks == [100.0, 101.5, 104.0]


@pytest.mark.parametrize(
    "error",
    [OutOfDiskError("full"), RayTaskError("run", "its traceback", ObjectStoreFullError("full")).as_instanceof_cause()],  # type: ignore[no-untyped-call]
)
def test_a_full_object_store_is_no_lost_worker(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: object, timeout: float) -> None:
        raise error

    workers = Workers()
    monkeypatch.setattr(ray, "get", full)
    handle = Handle(Step("answer sales", "At 1", Cut()))
    with pytest.raises(nt.StorageFull, match="answer sales: Ray's object store is full"):
        workers._got(handle, "a reference")
