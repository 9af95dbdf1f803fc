"""Runs the same steps on Ray, one worker process a core. Files are opened where they are read; values stay in the object store.

Workers are actors that belong to this process, because an actor can be killed at any time, while cancelling a Ray task that is just
done aborts the driver (Ray 2.60).
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock, Timer
from typing import Any

import ray
from ray.exceptions import (
    NodeDiedError,
    ObjectLostError,
    ObjectStoreFullError,
    OutOfDiskError,
    RayActorError,
    RayError,
    RayTaskError,
    WorkerCrashedError,
)

from ..errors import StorageFull, Unavailable
from ..plan.way import Resources
from .meter import Meter
from .ray_frames import register
from .ray_worker import Worker
from .schedule import Lost
from .step import Outcome, Report, Step, carried_out

_LINGER_S = 5.0  # that idle workers keep their cores for the next run
_PATIENCE_S = 600.0  # for the first worker
_LEAST_STORE = 256 << 20  # bytes
_LEAST_SHARE = 256 << 20  # bytes; an idle worker holds a third of it
_AMPLE = 1 << 30  # bytes of a share
_KEPT_MS, _KEPT_SHORT_MS = 30_000, 3_000  # where memory is ample, what is given back stays for longer (docs/adr/0014)
_FULL = (OutOfDiskError, ObjectStoreFullError)
# What a Ray that is started here reads: after how many milliseconds what nobody needs any more is free. By itself it waits a second, and the
# next run writes to other pages meanwhile, which each worker touches for the first time (docs/adr/0014).
_FREED_SOON = ("RAY_free_objects_period_milliseconds", "10")


@dataclass(eq=False)
class _Hired:
    """A worker, and the node it is on once that is known."""

    actor: Any
    ready: Any
    node: str = ""


@dataclass(eq=False)
class Handle:
    """A step under way or done: on a worker, or done here."""

    step: Step
    worker: _Hired | None = None
    refs: list[Any] = field(default_factory=list)  # the report's, then the values'
    outcome: Outcome | None = None
    put: dict[int, Any] = field(default_factory=dict)
    busy: bool = False  # whether its worker works for it
    lost: bool = False  # whether what it needed here was gone

    def ref(self, number: int) -> Any:
        """A reference to one of its values; one that is here moves at its first use."""
        if self.outcome is None:
            return self.refs[1 + number]
        if number not in self.put:
            self.put[number] = ray.put(values_of(self.outcome)[number])
        return self.put[number]

    def here(self, number: int) -> Any:
        """One of its values, here."""
        return ray.get(self.ref(number)) if self.outcome is None else values_of(self.outcome)[number]


class Workers:
    """A pool of Ray actors."""

    elsewhere = True

    def __init__(self) -> None:
        self.session = _session()
        self.share = 0  # bytes that each may hold between two steps
        self._most, self._began = 1, time.monotonic()
        self._meter = Meter()
        self._pending: list[_Hired] = []
        self._idle: list[_Hired] = []
        self._busy: list[_Hired] = []
        self._gone: set[str] = set()

    @property
    def slots(self) -> int:
        """How many workers there are; more may be on their way."""
        return len(self._idle) + len(self._busy)

    def hire(self, most: int) -> None:
        """Ask for as many workers as there may be."""
        self._most, self._began = most, time.monotonic()
        for _ in range(most - len(self._pending) - len(self._idle) - len(self._busy)):
            actor = Worker.remote(_KEPT_MS if self.share >= _AMPLE else _KEPT_SHORT_MS)  # type: ignore[attr-defined]
            self._pending.append(_Hired(actor, actor.place.remote()))

    def start(self, step: Step, needs: Sequence[tuple[Handle, int]]) -> Handle:
        """Begin a step; one that belongs here is done at once."""
        if step.here:
            return self._done_here(step, needs)
        worker = self._idle.pop()
        self._busy.append(worker)
        refs = [handle.ref(number) for handle, number in needs]
        made = worker.actor.run.options(num_returns=1 + step.values).remote(self.share, step.work, *refs)
        return Handle(step, worker, list(made), busy=True)

    def _done_here(self, step: Step, needs: Sequence[tuple[Handle, int]]) -> Handle:
        try:
            values = [handle.here(number) for handle, number in needs]
        except RayError:  # gone with its node
            return Handle(step, lost=True)
        return Handle(step, outcome=carried_out(step.work, map, values, self._meter))

    def hold(self, step: Step, outcome: Outcome) -> Handle:
        """A handle of what a step made before."""
        return Handle(step, outcome=outcome)

    def wait(self, handles: Sequence[Handle], timeout_s: float) -> Sequence[Handle]:
        """Those that are done, as soon as one is."""
        self._refuse_to_wait_for_ever()
        at_once = [handle for handle in handles if handle.outcome or handle.lost]
        reports = {handle.refs[0]: handle for handle in handles if handle not in at_once}
        if not at_once:
            self._await([*reports], timeout_s)
        done, _ = ray.wait([*reports], num_returns=len(reports), timeout=0) if reports else ([], [])
        return at_once + [reports[ref] for ref in done]

    def report(self, handle: Handle) -> Report:
        """The report of a step that is done; its error is raised as it is."""
        if handle.lost:
            raise Lost(handle.step.name)
        if handle.outcome is not None:
            return handle.outcome.report
        report: Report = self._got(handle, handle.refs[0])
        self._release(handle)
        return report

    def value(self, handle: Handle) -> Any:
        """The first value of a step that is done."""
        return values_of(handle.outcome)[0] if handle.outcome is not None else self._got(handle, handle.refs[1])

    def lost(self, handle: Handle) -> bool:
        """Whether the values are gone: their node is, or Ray says so."""
        if handle.worker is None:
            return False
        alive = {node["NodeID"] for node in ray.nodes() if node["Alive"]}  # type: ignore[no-untyped-call]
        return handle.worker.node not in alive or any(
            ref.hex() in self._gone for ref in handle.refs[1:] if ref is not None
        )

    def drop(self, handle: Handle, number: int | None = None) -> None:
        """Let go of the values, or of one; its worker, if it is done with it, is free."""
        self._release(handle)
        if number is None:
            handle.refs, handle.put, handle.outcome = [], {}, None
        else:
            handle.put.pop(number, None)
            if handle.refs:
                handle.refs[1 + number] = None

    def close(self, *, stop: bool) -> None:
        """Kill the workers that are busy or not up yet; the idle ones too if the run was stopped."""
        for worker in [*self._busy, *self._pending, *(self._idle if stop else [])]:
            ray.kill(worker.actor)
        self._busy, self._pending, self._idle = [], [], [] if stop else self._idle

    def _refuse_to_wait_for_ever(self) -> None:
        """Raise `Unavailable` where no worker came up for long; ask again where none is on its way."""
        if self._idle or self._busy:
            return
        if not self._pending:
            self.hire(self._most)
        if time.monotonic() - self._began > _PATIENCE_S:
            raise Unavailable(
                f"no worker came up within {_PATIENCE_S:.0f} s: the cluster's cores are all taken. See `ray status`."
            )

    def _await(self, refs: list[Any], timeout_s: float) -> None:
        """Wait for one of the references, or for a worker to be ready."""
        pending = {worker.ready: worker for worker in self._pending}
        if refs or pending:
            ray.wait([*refs, *pending], num_returns=1, timeout=timeout_s)
            ready, _ = ray.wait([*pending], num_returns=len(pending), timeout=0) if pending else ([], [])
            for ref in ready:
                self._welcome(pending[ref])

    def _welcome(self, worker: _Hired) -> None:
        self._pending.remove(worker)
        try:
            worker.node = ray.get(worker.ready)
        except RayActorError:
            return
        self._idle.append(worker)

    def _got(self, handle: Handle, ref: Any) -> Any:
        """A value, or the error of the step; `Lost` where no error of its own is the reason."""
        try:
            return ray.get(ref)
        except (RayActorError, WorkerCrashedError, NodeDiedError):
            self._dismiss(handle)
        except ObjectLostError as error:
            self._gone.add(error.object_ref_hex)
            self._release(handle)
        except _FULL as error:
            raise _no_room(handle.step) from error
        except RayTaskError as error:
            self._release(handle)
            if isinstance(error.cause, _FULL):
                raise _no_room(handle.step) from error
            if not isinstance(error.cause, RayError):
                raise error.cause from None
        raise Lost(handle.step.name)

    def _release(self, handle: Handle) -> None:
        if handle.busy and handle.worker is not None:
            handle.busy = False
            self._busy.remove(handle.worker)
            self._idle.append(handle.worker)

    def _dismiss(self, handle: Handle) -> None:
        """The worker is gone; another one is asked for."""
        if handle.busy and handle.worker is not None:
            handle.busy = False
            self._busy.remove(handle.worker)
            self.hire(self._most)


@contextmanager
def pool(resources: Resources) -> Iterator[Workers]:
    """A worker for every core of the cluster, or for some; starts a local Ray where none is connected.

    Idle workers keep their cores for some seconds after a run, so that the next one begins at once.
    """
    connect(resources.of_store)
    workers = _Resting.taken()
    workers.share = max(resources.of_steps // resources.slots, _LEAST_SHARE)
    workers.hire(resources.slots)
    try:
        yield workers
    except BaseException:
        _Resting.ended(workers, stop=True)
        raise
    _Resting.ended(workers, stop=False)


def connect(store: int | None = None) -> None:
    """Where none is connected, join the Ray that RAY_ADDRESS names, as within a Ray job, or start one here; have it take frames.

    One that is started gets so many bytes for its object store, and frees what is done with at once.
    """
    if not ray.is_initialized():
        address = os.environ.get("RAY_ADDRESS")
        size = None if address or store is None else max(store, _LEAST_STORE)
        os.environ.setdefault(*_FREED_SOON)
        try:
            ray.init(log_to_driver=False, include_dashboard=None if address else False, object_store_memory=size)
        except (OSError, RuntimeError, ValueError, RayError) as error:
            raise Unavailable(
                f"no Ray at {address or 'this machine'}: {(str(error) or repr(error)).splitlines()[0]}"
            ) from error
    register()


def cores() -> int:
    """The cores of the cluster; those of this machine where none is connected yet and RAY_ADDRESS names none."""
    if not ray.is_initialized():
        if not os.environ.get("RAY_ADDRESS"):
            return os.cpu_count() or 1
        connect()
    resources: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    return max(int(resources.get("CPU", 1)), 1)


class _Resting:
    """Idle workers between two runs of this process, unless another run waits for their cores."""

    _workers: Workers | None = None
    _timer: Timer | None = None
    _lock = Lock()
    _running = 0  # runs that have begun and not ended

    @classmethod
    def taken(cls) -> Workers:
        """The workers that rest, or none yet."""
        with cls._lock:
            cls._running += 1
            workers, cls._workers = cls._workers, None
            if cls._timer is not None:
                cls._timer.cancel()
        return workers if workers is not None and workers.session == _session() else Workers()

    @classmethod
    def ended(cls, workers: Workers, *, stop: bool) -> None:
        """A run is over: its workers rest for a while, or end at once where it was stopped or others run."""
        with cls._lock:
            cls._running -= 1
            rests = not stop and not cls._running and cls._workers is None
            if rests:
                cls._workers = workers
                cls._timer = Timer(_LINGER_S, cls._dismissed, [workers])
                cls._timer.daemon = True
                cls._timer.start()
        workers.close(stop=not rests)

    @classmethod
    def _dismissed(cls, workers: Workers) -> None:
        with cls._lock:
            if cls._workers is not workers:
                return
            cls._workers = None
        if ray.is_initialized() and workers.session == _session():
            workers.close(stop=True)


def values_of(outcome: Outcome) -> tuple[Any, ...]:
    """The values of a step that was done here."""
    return outcome.value if isinstance(outcome.value, tuple) else (outcome.value,)


def _no_room(step: Step) -> StorageFull:
    return StorageFull(
        f"{step.name}: Ray's object store is full on a node, and so is the disk it spills to. Free some room there (`ray memory`, `df`), "
        "give the cluster a larger object store, or ask for less at once by memory=."
    )


def _session() -> str:
    """Names the connection to a cluster: handles of actors are valid within it alone."""
    context = ray.get_runtime_context()
    return f"{context.get_node_id()} {context.get_job_id()}"
