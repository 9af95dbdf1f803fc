"""Runs the same steps on Ray, one worker process a core. Files are opened where they are read; values stay in the object store."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, Timer

import ray
from ray.exceptions import RayError

from ..errors import Unavailable
from ..plan.way import Resources
from .ray_frames import register
from .ray_workers import Workers, session

_LINGER_S = 5.0  # that idle workers keep their cores for the next run
_LEAST_STORE = 256 << 20  # bytes
_LEAST_SHARE = 256 << 20  # bytes; an idle worker holds a third of it
# What a Ray that is started here reads: after how many milliseconds what nobody needs any more is free. By itself it waits a second, and the
# next run writes to other pages meanwhile, which each worker touches for the first time (docs/adr/0014).
_FREED_SOON = ("RAY_free_objects_period_milliseconds", "10")


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
        return workers if workers is not None and workers.session == session() else Workers()

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
        if ray.is_initialized() and workers.session == session():
            workers.close(stop=True)
