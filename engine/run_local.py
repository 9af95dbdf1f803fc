"""Runs tasks on threads of this process. Kernels and Polars release the interpreter lock, so all cores work."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from .ask import Answer
from .plan import Scan
from .reader import Loaded, Reader
from .rows import ARRIVAL, SEQUENCE
from .task import AtTask


class Runner:
    """The local executor."""

    def begin(self, tasks: Sequence[AtTask]) -> Waiting:
        """The tasks, which wait for the spine: they share the driver's copy."""
        return Waiting(tasks)


@dataclass(frozen=True)
class Waiting:
    """Tasks that run when their results are asked for."""

    tasks: Sequence[AtTask]

    def results(self, spine: Loaded) -> list[dict[str, Answer]]:
        """The result of each task, in their order."""
        tables = _read_once(self.tasks, spine)
        cores = os.cpu_count() or 1
        with ThreadPoolExecutor(cores) as blocks, ThreadPoolExecutor(cores) as pool:
            return list(pool.map(lambda task: task.run(spine, tables[id(task)], blocks.map), self.tasks))

    def cancel(self) -> None:
        """Nothing runs yet."""


def _read_once(tasks: Sequence[AtTask], spine: Loaded) -> dict[int, Reader]:
    """The table each task reads: tasks with equal scans share one read, and one that reads the spine's own table has it already."""
    shared: dict[int, Reader] = {}
    for task in tasks:
        same = [other for other in tasks if _alike(other.side.scan, task.side.scan)]
        if id(same[0]) in shared:
            shared[id(task)] = shared[id(same[0])]
        elif task.spine.reader == task.source and not isinstance(task.source, Loaded):
            shared[id(task)] = spine
        else:
            shared[id(task)] = _loaded([other.side.scan for other in same])
    return shared


def _alike(one: Scan, other: Scan) -> bool:
    return one.reader == other.reader and one.bound == other.bound


def _loaded(scans: list[Scan]) -> Reader:
    """The columns that any of the scans needs, read now."""
    reader = scans[0].reader
    if len(scans) == 1 or isinstance(reader, Loaded):
        return reader
    stored = [name for name in (ARRIVAL, SEQUENCE) if name in reader.schema()]
    names = dict.fromkeys([name for scan in scans for name in scan.columns] + stored)
    return Loaded(reader.read(list(names), scans[0].bound).rechunk(), reader.describe())
