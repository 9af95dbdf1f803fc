"""What a person sees while something long runs: a moving bar on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from .step import Report, Step

_FIRST_S = 1.0  # nothing is shown of work that takes less
_INTERVAL_S = 5.0  # between plain lines; job logs keep only whole lines


class Progress:
    """The progress of a job that has a title: of so many steps so many are done, or simply what is done now."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._began = self._said = time.monotonic()
        self._steps = self._done = self._rows = 0
        self._bar: Any = None
        self._task: Any = None

    def made(self, steps: Sequence[Step]) -> None:
        """There are more steps to do."""
        self._steps += len(steps)
        self._show("")

    def done(self, step: Step, report: Report) -> None:
        """A step is done."""
        self._done += 1
        self._rows += report.rows
        self._show(f"{step.name}, {self._rows:,} rows")

    def step(self, what: str) -> None:
        """Say what is done now, where steps are not counted."""
        self._show(what)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _show(self, what: str) -> None:
        now = time.monotonic()
        if now - self._began < _FIRST_S:
            return
        if sys.stderr.isatty():
            self._move(what)
        elif now - self._said >= _INTERVAL_S:
            self._said = now
            count = f" {self._done}/{self._steps} steps" if self._steps else ""
            sys.stderr.write(f"{self._title}:{count} {what} ({now - self._began:.0f} s)\n")

    def _move(self, what: str) -> None:
        if self._bar is None:
            self._bar = _bar()
            self._task = self._bar.add_task(self._title, total=None, what="")
            self._bar.start()
        self._bar.update(self._task, total=self._steps or None, completed=self._done, what=what)


def _bar() -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"))
    console = Console(stderr=True)
    return Bars(
        *columns,
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[what]}"),
        console=console,
        transient=True,
    )
