"""Workers on Ray: actors that carry out steps, one at a time each, and what becomes of a step whose worker or node is gone.

Actors that belong to this process, because an actor can be killed at any time, while cancelling a Ray task that is just done aborts the
driver (Ray 2.60).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import ray
from ray.exceptions import (
    GetTimeoutError,
    LocalRayletDiedError,
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
from .meter import Meter
from .ray_fetching import fetched
from .ray_nodes import Nodes
from .ray_worker import Worker
from .schedule import Lost
from .step import Outcome, Report, Step, carried_out

_PATIENCE_S = 600.0  # for the first worker
_GRACE_S = 5.0  # after a node is gone, for a step that has what it needs of it already, and goes on
_AMPLE = 1 << 30  # bytes of a share
_KEPT_MS, _KEPT_SHORT_MS = 30_000, 3_000  # where memory is ample, what is given back stays for longer (docs/adr/0014)
_FULL = (OutOfDiskError, ObjectStoreFullError)
_DEAD = (RayActorError, WorkerCrashedError, NodeDiedError, LocalRayletDiedError)


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
    lost: bool = False  # whether it came to nothing, as what it needed was gone
    nodes: frozenset[str] = frozenset()  # that it needs: its worker's, and those its needs are on

    def ref(self, number: int) -> Any:
        """A reference to one of its values; one that is here moves at its first use."""
        if self.outcome is None:
            return self.refs[1 + number]
        if number not in self.put:
            try:
                self.put[number] = ray.put(self.outcome.values[number])
            except _FULL as error:
                raise _no_room(self.step) from error
        return self.put[number]

    @property
    def node(self) -> str:
        """Where its values are; "" for here."""
        return "" if self.worker is None else self.worker.node


class Workers:
    """A pool of Ray actors."""

    elsewhere = True

    def __init__(self) -> None:
        self.session = session()
        self.share = 0  # bytes that each may hold between two steps
        self._most, self._began = 1, time.monotonic()
        self._meter, self._nodes = Meter(), Nodes()
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
        self._hire()

    def _hire(self) -> None:
        for _ in range(self._most - len(self._pending) - len(self._idle) - len(self._busy)):
            actor = Worker.remote(_KEPT_MS if self.share >= _AMPLE else _KEPT_SHORT_MS)  # type: ignore[attr-defined]
            self._pending.append(_Hired(actor, actor.place.remote()))

    def start(self, step: Step, needs: Sequence[tuple[Handle, int]]) -> Handle:
        """Begin a step; one that belongs here is done at once, and one whose needs are on a node that is gone is lost at once."""
        if any(handle.node and self._nodes.gone(handle.node) for handle, _ in needs):
            return Handle(step, lost=True)
        if step.here:
            return self._done_here(step, needs)
        worker = self._idle.pop()
        self._busy.append(worker)
        refs = [handle.ref(number) for handle, number in needs]
        made = worker.actor.run.options(num_returns=1 + step.values).remote(self.share, step.work, refs)
        nodes = frozenset({worker.node, *(handle.node for handle, _ in needs)} - {""})
        return Handle(step, worker, list(made), busy=True, nodes=nodes)

    def _done_here(self, step: Step, needs: Sequence[tuple[Handle, int]]) -> Handle:
        try:
            values = [self._here(handle, number) for handle, number in needs]
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
        return at_once + [reports[ref] for ref in done] or self._given_up([*reports.values()])

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
        return handle.outcome.values[0] if handle.outcome is not None else self._got(handle, handle.refs[1])

    def lost(self, handle: Handle) -> bool:
        """Whether the values are gone: their node is, or Ray says so."""
        if handle.worker is None:
            return False
        self._nodes.look()
        return self._nodes.gone(handle.node) or any(
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

    def tidy(self) -> None:
        """Nothing: workers see to their own memory."""

    def close(self, *, stop: bool) -> None:
        """Kill the workers that are busy or not up yet; the idle ones too if the run was stopped."""
        for worker in [*self._busy, *self._pending, *(self._idle if stop else [])]:
            ray.kill(worker.actor)
        self._busy, self._pending, self._idle = [], [], [] if stop else self._idle

    def _refuse_to_wait_for_ever(self) -> None:
        """Raise `Unavailable` where no worker came up for long; ask again where none is on its way."""
        if self._idle or self._busy:
            self._began = time.monotonic()
            return
        if not self._pending:
            self._hire()
        if time.monotonic() - self._began > _PATIENCE_S:
            raise Unavailable(
                f"no worker started within {_PATIENCE_S:.0f} s: the cluster's cores are all taken. See `ray status`."
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
            self._hire()
            return
        self._idle.append(worker)

    def _given_up(self, handles: Sequence[Handle]) -> list[Handle]:
        """Those whose node, or that of something they need, is gone for a while; they are lost, as what works for them may never hear of it."""
        late = [one for one in handles if any(self._nodes.gone_for(node) > _GRACE_S for node in one.nodes)]
        for handle in late:
            if handle.worker is not None:
                ray.kill(handle.worker.actor)
            self._dismiss(handle)
            handle.lost = True
        return late

    def _here(self, handle: Handle, number: int) -> Any:
        """One of the values of a step, here."""
        if handle.outcome is not None:
            return handle.outcome.values[number]
        return fetched(handle.ref(number), partial(self._nodes.gone, handle.node))

    def _got(self, handle: Handle, ref: Any) -> Any:
        """A value, or the error of the step; `Lost` where no error of its own is the reason."""
        try:
            return fetched(ref, partial(self._nodes.gone, handle.node))
        except RayTaskError as error:  # first: Ray makes it one of the classes below as well, by its cause
            self._release(handle)
            self._refuse(handle.step, error.cause)
        except _DEAD:
            self._dismiss(handle)
        except GetTimeoutError:
            self._release(handle)
        except (ObjectLostError, *_FULL) as error:
            self._release(handle)
            self._refuse(handle.step, error)
        raise Lost(handle.step.name)

    def _refuse(self, step: Step, cause: Exception) -> None:
        """Raise why a step came to nothing, unless something was lost."""
        if isinstance(cause, _FULL):
            raise _no_room(step) from cause
        if isinstance(cause, ObjectLostError):
            self._gone.add(cause.object_ref_hex)
        elif not isinstance(cause, _DEAD):
            raise cause from None

    def _release(self, handle: Handle) -> None:
        if handle.busy and handle.worker is not None:
            handle.busy = False
            self._busy.remove(handle.worker)
            self._idle.append(handle.worker)

    def _dismiss(self, handle: Handle) -> None:
        """The worker is gone; another one is asked for. Its node may be gone too: idle ones there are asked whether they are."""
        if handle.busy and handle.worker is not None:
            handle.busy = False
            self._busy.remove(handle.worker)
            beside = [one for one in self._idle if one.node == handle.worker.node]
            self._idle = [one for one in self._idle if one not in beside]
            self._pending += [_Hired(one.actor, one.actor.place.remote()) for one in beside]
            self._hire()


def _no_room(step: Step) -> StorageFull:
    return StorageFull(
        f"{step.name}: Ray's object store is full on a node, and so is the disk it spills to. Free some room there (`ray memory`, `df`), "
        "give the cluster a larger object store, or ask for less at once by memory=."
    )


def session() -> str:
    """Names the connection to a cluster: handles of actors are valid within it alone."""
    context = ray.get_runtime_context()
    return f"{context.get_node_id()} {context.get_job_id()}"
