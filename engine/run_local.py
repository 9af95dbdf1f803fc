"""Runs tasks on threads of this process. Kernels and Polars release the interpreter lock, so all cores work."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from .at import Answer
from .reader import Loaded
from .task import AtTask


class Runner:
    """The local executor."""

    def run(self, tasks: Sequence[AtTask], spine: Loaded) -> list[dict[str, Answer]]:
        """The result of each task, in their order."""
        if len(tasks) < 2:
            return [task.run(spine, task.source) for task in tasks]
        with ThreadPoolExecutor(min(len(tasks), os.cpu_count() or 1)) as pool:
            return list(pool.map(lambda task: task.run(spine, task.source), tasks))
