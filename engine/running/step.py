"""A step: one thing to do with the results of others. It opens its inputs itself, so it runs the same here, on another node, or again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import field, replace
from typing import Any, NamedTuple

from ..record import record
from .meter import Each as Each
from .meter import Meter

Work = Callable[
    ..., "Outcome"
]  # work(each, *what it needs); `each` says how its blocks run, one after another or side by side


class Need(NamedTuple):
    """One of the values of a step."""

    step: Step
    number: int = 0


@record(eq=False)
class Step:
    """What to do, with what, and what that is projected to take. Two steps are never equal: each is done once."""

    name: str  # for people: what it does to what
    node: str  # the plan's node it works for, by its name in the plan
    work: Work
    needs: tuple[Need, ...] = ()  # the values it takes
    memory: int = 0  # bytes, while it runs
    order: float = 0  # lower ones go first; among equals the largest
    here: bool = False  # runs where the driver is
    wanted: bool = False  # its value goes to the driver
    behind: tuple[Step, ...] = ()  # what must be done before, though it takes nothing of it
    values: int = 1  # how many it has; with more than one its work gives a tuple
    key: str = ""  # names its values in a journal; "" is not kept
    hands_on: bool = False  # its rows are those that its node gives to the next

    @property
    def like(self) -> tuple[str, str]:
        """Equal for steps that do the same to other rows, so should take about as long."""
        return self.node, self.name.partition(" ")[0]

    def __repr__(self) -> str:
        return f"<{self.name}>"


@record
class Report:
    """What a step says of itself. It is small, and always comes to the driver."""

    rows: int = 0
    bytes: int = 0
    sizes: tuple[int, ...] = ()  # rows of each bucket, of a step that splits
    ids: tuple[int, int] | None = None  # the first and last of row ids that rise, of a step that splits
    cpu_s: float = 0.0  # of all threads that worked for it
    wall_s: float = 0.0  # while it worked
    waited_s: float = 0.0  # between being ready and its begin
    spilled: int = 0  # bytes written to files
    began: float = 0.0  # seconds since 1970, by the clock of where it ran
    ended: float = 0.0
    place: str = ""  # the worker that ran it
    peak: int = 0  # bytes of memory that worker had held at most, where that is a process of its own


@record(eq=False)
class Outcome:
    """A value, which stays where it was made until somebody needs it, and the report that travels."""

    value: Any
    report: Report = field(default_factory=Report)

    @property
    def values(self) -> tuple[Any, ...]:
        """All values of a step that has several; else the one."""
        return self.value if isinstance(self.value, tuple) else (self.value,)


def carried_out(work: Work, each: Each, needs: Iterable[Any], meter: Meter) -> Outcome:
    """The outcome of a step's work, measured."""
    began, wall = time.time(), time.perf_counter()
    with meter.step() as spent:
        outcome = work(spent.counted(each), *needs)
    wall_s = time.perf_counter() - wall
    place = threading.current_thread().name
    report = replace(outcome.report, cpu_s=spent.cpu_s, wall_s=wall_s, began=began, ended=began + wall_s, place=place)
    return Outcome(outcome.value, report)
