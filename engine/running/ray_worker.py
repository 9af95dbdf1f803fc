"""One worker of the Ray executor: a process that carries out one step at a time, on one core."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import ray

_THREADS = ("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "ARROW_NUM_THREADS")


def environment(kept_ms: int) -> dict[str, str]:
    """What is set before anything is imported that reads it. As many workers as cores, so one thread each; and how long memory that is
    given back stays with the allocators of Arrow and Polars: pages fresh from the system were a quarter of a worker's time.
    """
    pages = {
        "MIMALLOC_PURGE_DELAY": f"{kept_ms}",
        "_RJEM_MALLOC_CONF": f"dirty_decay_ms:{kept_ms},muzzy_decay_ms:{kept_ms}",
    }
    return dict.fromkeys(_THREADS, "1") | pages


@ray.remote(num_cpus=1, max_restarts=0, max_task_retries=0)
class Worker:
    """Carries out steps; it is ended by killing it, which stops at once whatever it does."""

    def __init__(self, kept_ms: int) -> None:
        os.environ.update(environment(kept_ms))
        from ..folds import compiled
        from .meter import Meter
        from .ray_frames import register

        register()
        compiled.warm()
        self._meter = Meter()

    def place(self) -> str:
        """The node it is on."""
        return str(ray.get_runtime_context().get_node_id())

    def run(self, share: int, work: Any, needs: list[Any]) -> tuple[Any, ...]:
        """The report of a step, then its values; `needs` are references, fetched here.

        Where this process holds more than its share, Arrow and the C library give back first what they kept of the steps before; Polars does
        by itself, in its time.
        """
        from ..folds.memory import give_back
        from .memory_peak import highest, own
        from .ray_fetching import fetched
        from .step import carried_out

        if own() > share:
            give_back()
        outcome = carried_out(work, map, fetched(needs), self._meter)
        place = f"{self.place()[:8]}:{os.getpid()}"
        return (replace(outcome.report, place=place, peak=highest()), *outcome.values)
