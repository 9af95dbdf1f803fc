"""Work that the driver does itself, between and after the steps of others, told as one step of its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from .schedule import Watch
from .step import Outcome, Report, Step


class Spell:
    """A stretch of work with pauses: time counts inside `with`, as often as it is entered, and `done` tells of it."""

    def __init__(self, watch: Watch, name: str, node: str, clock: Callable[[], float] = time.thread_time) -> None:
        self._watch, self._clock = watch, clock
        self._step = Step(name, node, _by_the_driver, here=True, hands_on=True)
        self._cpu_s = self._wall_s = 0.0
        self._began = self._ended = 0.0
        watch.made([self._step])

    def __enter__(self) -> Self:
        self._began = self._began or time.time()
        self._cpu, self._wall = self._clock(), time.perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._cpu_s += self._clock() - self._cpu
        self._wall_s += time.perf_counter() - self._wall
        self._ended = time.time()

    def done(self, rows: int, size: int, spilled: int = 0) -> None:
        """Tell of it: so many rows and bytes were made, so many bytes written to files."""
        report = Report(
            rows, size, cpu_s=self._cpu_s, wall_s=self._wall_s, spilled=spilled,
            began=self._began, ended=self._ended, place="driver",
        )  # fmt: skip
        self._watch.done(self._step, report)


def _by_the_driver() -> Outcome:
    raise AssertionError("the driver does this itself")
