"""Running a plan: its steps on a pool, their answers put in their places, the outputs made of them."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor

import polars as pl

from .answering import jobs
from .executor import Open
from .instant import instants
from .outputs import Outputs
from .parts import Part, Places
from .plan import Plan
from .progress import Progress
from .reader import Loaded
from .schedule import Schedule
from .way import Resources


def collected(
    plan: Plan, open_pool: Open, resources: Resources, progress: Progress, seconds: float | None
) -> pl.DataFrame:
    """The spine's table with the output columns beside it."""
    until = None if seconds is None else time.monotonic() + seconds
    with progress, open_pool(resources) as pool, ThreadPoolExecutor(os.cpu_count()) as threads:
        arriving = _Arriving(plan, threads)
        spine, work = jobs(plan)
        for step, value in Schedule(pool, resources.of_steps, progress, until).run(work):
            if step is spine:
                arriving.spine(value)
            else:
                arriving.part(value)
        return arriving.frame()


class _Arriving:
    """What has come of a plan's values."""

    def __init__(self, plan: Plan, threads: ThreadPoolExecutor) -> None:
        self._plan, self._threads = plan, threads
        self._asks = [ask for side in plan.input.sides for ask in side.asks]

    def spine(self, table: Loaded) -> None:
        """The spine, before any answer."""
        time_column = self._plan.input.spine.time
        instants(table.frame[time_column], f"the spine's {time_column!r}")
        self._frame = table.frame
        self._outputs = Outputs(self._plan, table.frame, self._threads)
        self._places = Places(self._asks, table.frame.height, self._plan.statuses)

    def part(self, part: Part) -> None:
        """Some answers."""
        self._places.put(part)

    def frame(self) -> pl.DataFrame:
        """Everything, once it is there."""
        return self._frame.hstack(self._outputs.columns(self._places.answers()))
