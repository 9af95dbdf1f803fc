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
from .task import AtTask

DEADLINE_S = 3600.0


class Runner:
    """The Ray executor; starts a local Ray where none is connected."""

    def __init__(self) -> None:
        if not ray.is_initialized():
            ray.init(log_to_driver=False, include_dashboard=False)
        ray.util.register_serializer(pl.DataFrame, serializer=_to_arrow, deserializer=pl.from_arrow)

    def run(self, tasks: Sequence[AtTask], spine: Loaded) -> list[dict[str, Answer]]:
        """The result of each task, in their order; the first error of a task is raised as it is."""
        moved: dict[int, Any] = {}
        pending = [_submit(task, spine, moved) for task in tasks]
        try:
            done: list[dict[str, Answer]] = ray.get(pending, timeout=DEADLINE_S)
        except RayTaskError as error:
            raise error.cause from None
        except (GetTimeoutError, KeyboardInterrupt) as stopped:
            _cancel(pending)
            if isinstance(stopped, KeyboardInterrupt):
                raise
            raise Deadline(f"{len(tasks)} tasks were not done after {DEADLINE_S:.0f} s on Ray.") from None
        return done


def _cancel(pending: list[Any]) -> None:
    """Stop what still runs. Never what may be done: Ray 2.60 aborts the driver when a task's reply meets its cancellation."""
    _, running = ray.wait(pending, num_returns=len(pending), timeout=0)
    for reference in running:
        ray.cancel(reference)


def _submit(task: AtTask, spine: Loaded, moved: dict[int, Any]) -> Any:
    """Start a task; readers of files travel as they are, frames as references to the object store."""
    asked = task.spine.reader
    inputs = (_moved(spine if isinstance(asked, Loaded) else asked, moved), _moved(task.source, moved))
    return _run.remote(_without_readers(task), *inputs)


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
def _run(task: AtTask, spine: Reader, source: Reader) -> dict[str, Answer]:
    return task.run(spine, source)


def _to_arrow(frame: pl.DataFrame) -> Any:
    # Not the newest level: Ray cannot serialize the string views that it writes.
    return frame.to_arrow(compat_level=pl.CompatLevel.oldest())
