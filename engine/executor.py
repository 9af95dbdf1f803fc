"""The door to running tasks: the same tasks, in this process or on a cluster."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from typing import Protocol

from .ask import Answer
from .errors import Invalid
from .reader import Loaded
from .task import AtTask


class Running(Protocol):
    """Tasks under way."""

    def results(self, spine: Loaded) -> list[dict[str, Answer]]:
        """The result of each task, in their order. An error of a task is raised as it is; nothing is half-done.

        `spine` is the tasks' spine as the driver has read it; an executor elsewhere may open it again instead of moving it.
        """

    def cancel(self) -> None:
        """Nobody wants the results."""


class Executor(Protocol):
    """Something that runs tasks."""

    def begin(self, tasks: Sequence[AtTask]) -> Running:
        """Start the tasks, as far as they need nothing from here."""


def executor(engine: str) -> Executor:
    """The executor of that name; "auto" is Ray where this process is connected to a cluster, else this process."""
    if engine not in ("auto", "local", "ray"):
        raise Invalid(f"engine={engine!r}; it is 'auto', 'local' or 'ray'.")
    home = "run_ray" if engine == "ray" or (engine == "auto" and _connected()) else "run_local"
    made: Executor = importlib.import_module(f".{home}", __package__).Runner()
    return made


def _connected() -> bool:
    ray = sys.modules.get("ray")
    return ray is not None and hasattr(ray, "is_initialized") and bool(ray.is_initialized())
