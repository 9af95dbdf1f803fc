"""Runs the same tasks on Ray. Files are opened by the task where it runs; frames in memory move once, through the object store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import polars as pl
import ray
from ray.exceptions import GetTimeoutError, RayTaskError

from .ask import Answer
from .errors import Deadline
from .reader import Loaded, Reader
from .task import AtTask, columns_of_spine

DEADLINE_S = 3600.0


class Runner:
    """The Ray executor; starts a local Ray where none is connected."""

    def __init__(self) -> None:
        if not ray.is_initialized():
            ray.init(log_to_driver=False, include_dashboard=False)
        ray.util.register_serializer(pl.DataFrame, serializer=_to_arrow, deserializer=pl.from_arrow)

    def begin(self, tasks: Sequence[AtTask]) -> Submitted:
        """The tasks; those that read files have started."""
        return Submitted(tasks)


class Submitted:
    """Tasks on Ray: those over files run from the beginning, the others when the driver has read the spine."""

    def __init__(self, tasks: Sequence[AtTask]) -> None:
        self._tasks = tasks
        self._moved: dict[int, Any] = {}
        self._pending = {id(task): self._submit(task, task.spine.reader) for task in tasks if _over_files(task)}

    def results(self, spine: Loaded) -> list[dict[str, Answer]]:
        """The result of each task, in their order; the first error of a task is raised as it is."""
        shared = _read_by_any(self._tasks, spine)
        for task in self._tasks:
            if id(task) not in self._pending:
                self._pending[id(task)] = self._submit(task, shared)
        try:
            done: list[dict[str, Answer]] = ray.get(
                [self._pending[id(task)] for task in self._tasks], timeout=DEADLINE_S
            )
        except RayTaskError as error:
            raise error.cause from None
        except GetTimeoutError:
            raise Deadline(f"{len(self._tasks)} tasks were not done after {DEADLINE_S:.0f} s on Ray.") from None
        return done

    def cancel(self) -> None:
        """Stop what still runs. Never what may be done: Ray 2.60 aborts the driver when a task's reply meets its cancellation."""
        pending = list(self._pending.values())
        _, running = ray.wait(pending, num_returns=len(pending), timeout=0) if pending else ([], [])
        for reference in running:
            ray.cancel(reference)

    def _submit(self, task: AtTask, spine: Reader) -> Any:
        """Start a task; readers of files travel as they are, frames as references to the object store."""
        source = None if _reads_its_spine(task) else _moved(task.source, self._moved)
        return _run.remote(_without_readers(task), _moved(spine, self._moved), source)


def _over_files(task: AtTask) -> bool:
    """Whether a task needs nothing that is in memory here, or soon will be."""
    return (
        not isinstance(task.spine.reader, Loaded) and not isinstance(task.source, Loaded) and not _reads_its_spine(task)
    )


def _reads_its_spine(task: AtTask) -> bool:
    """Whether the spine's table is the source's. The driver has read it then: moving it once is cheaper than decoding it again."""
    return task.spine.reader == task.source


def _read_by_any(tasks: Sequence[AtTask], spine: Loaded) -> Loaded:
    """The columns of the spine that any of the tasks reads."""
    names = {name for task in tasks for name in columns_of_spine(task)}
    return Loaded(spine.frame.select([name for name in spine.frame.columns if name in names]), spine.name)


def _moved(reader: Reader, moved: dict[int, Any]) -> Any:
    if not isinstance(reader, Loaded):
        return reader
    if id(reader) not in moved:
        moved[id(reader)] = ray.put(reader)
    return moved[id(reader)]


def _without_readers(task: AtTask) -> AtTask:
    nothing = Loaded(pl.DataFrame(), "moved")
    side = replace(task.side, scan=replace(task.side.scan, reader=nothing))
    return replace(task, side=side, spine=replace(task.spine, reader=nothing))


@ray.remote(num_cpus=1, max_retries=3)
def _run(task: AtTask, spine: Reader, source: Reader | None) -> dict[str, Answer]:
    return task.run(spine, source or spine)


def _to_arrow(frame: pl.DataFrame) -> Any:
    # Not the newest level: Ray cannot serialize the string views that it writes.
    return frame.to_arrow(compat_level=pl.CompatLevel.oldest())
