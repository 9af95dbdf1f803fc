"""What a person sees while something long runs: a bar on a terminal that goes when it is over, a plain line now and then elsewhere.

Nothing is shown of what takes less than a second, and nothing at all where the environment says NOWTHEN_PROGRESS=0.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from threading import Event, Thread
from types import TracebackType
from typing import Any, Protocol, Self

from ..running.step import Report, Step
from .amounts import plural, seconds

_FIRST_S = 1.0  # nothing is shown of work that takes less
_MOVES_S = 0.1  # between two looks of a bar
_LINES_S = 5.0  # between plain lines, at first
_SPARSER = 0.1  # of what has passed, between plain lines of what takes long
_SURE = 3  # steps that must be done before anything is said of the others
_LONG = (
    3.0  # times what steps took: where none was done for so long, those that run are unlike them, and nothing is said
)


class Progress:
    """The progress of a job that has a title: of so many steps so many are done, or simply what is done now."""

    def __init__(self, title: str) -> None:
        self.title, self.what = title, ""
        self.steps = self.finished = self.rows = 0
        self._began, self._latest = time.monotonic(), 0.0  # and when, after that, a step was done
        self._over, self._thread, self._failed = Event(), Thread(target=self._show, daemon=True), False

    def made(self, steps: Sequence[Step]) -> None:
        """There are more steps to do."""
        self.steps += len(steps)

    def done(self, step: Step, report: Report) -> None:
        """A step is done."""
        self.finished += 1
        self._latest = self.elapsed_s
        self.rows += report.rows if step.hands_on else 0

    def step(self, what: str) -> None:
        """Say what is done now, where steps are not counted."""
        self.what = what

    @property
    def elapsed_s(self) -> float:
        """Seconds since it was made."""
        return time.monotonic() - self._began

    def counts(self) -> str:
        """How far it is."""
        if not self.steps:
            return self.what
        return f"{self.finished}/{plural(self.steps, 'step')}, {plural(self.rows, 'row')}"

    def times(self) -> str:
        """How long it has taken, and about how long it will take, once that can be told."""
        passed = self.elapsed_s
        if self.finished < min(_SURE, self.steps) or not self.finished:
            return _rough(passed)
        each = self._latest / self.finished
        left = each * (self.steps - self.finished) - (passed - self._latest)
        sure = passed - self._latest <= _LONG * each
        return f"{_rough(passed)}, about {_rough(left)} left" if left >= 1 and sure else _rough(passed)

    def __enter__(self) -> Self:
        if os.environ.get("NOWTHEN_PROGRESS", "").lower() not in ("0", "false", "no", "off"):
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._failed = kind is not None
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()

    def _show(self) -> None:
        """Show it until it is over; all that is written is written by this thread."""
        if self._over.wait(_FIRST_S):
            return
        shown: _Shown = _Bar(self) if _on_a_terminal() else _Lines(self)
        while not self._over.wait(shown.pause_s()):
            shown.move()
        shown.end(failed=self._failed)


class _Shown(Protocol):
    """A way to show it."""

    def pause_s(self) -> float:
        """Seconds until it is shown again."""

    def move(self) -> None:
        """Show how far it is."""

    def end(self, *, failed: bool) -> None:
        """It is over."""


class _Lines:
    """Whole lines, sparser as it takes longer, and a last one where there was a first."""

    def __init__(self, progress: Progress) -> None:
        self._progress, self._said = progress, False

    def pause_s(self) -> float:
        """A few seconds."""
        passed = self._progress.elapsed_s
        return max(_LINES_S, _SPARSER * passed) if self._said else max(_LINES_S - passed, 0)

    def move(self) -> None:
        """A line."""
        self._said = True
        self._write(self._progress.counts(), self._progress.times())

    def end(self, *, failed: bool) -> None:
        """What became of it."""
        if self._said:
            how = "stopped" if failed else "done"
            self._write(f"{how} after {_rough(self._progress.elapsed_s)}", self._progress.counts())

    def _write(self, *words: str) -> None:
        sys.stderr.write(f"{self._progress.title}: {', '.join(filter(None, words))}\n")
        sys.stderr.flush()


class _Bar:
    """One line that moves, and leaves nothing behind."""

    def __init__(self, progress: Progress) -> None:
        self._progress, self._bars = progress, _bars()
        self._task = self._bars.add_task(progress.title, total=None, counts="", times="")
        self._bars.start()
        self.move()

    def pause_s(self) -> float:
        """As an eye follows."""
        return _MOVES_S

    def move(self) -> None:
        """Draw it anew."""
        one = self._progress
        self._bars.update(
            self._task, total=one.steps or None, completed=one.finished, counts=one.counts(), times=one.times()
        )
        self._bars.refresh()

    def end(self, *, failed: bool) -> None:
        """Take it away."""
        self._bars.stop()


def _bars() -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[counts]}"),
        TextColumn("{task.fields[times]}", style="dim"),
    )
    # Through the bar's console what others print stays above it; but output that goes to a file must go on doing so.
    prints = sys.stdout.isatty()
    console = Console(stderr=True, highlight=False)
    return Bars(*columns, console=console, transient=True, auto_refresh=False, redirect_stdout=prints)


def _on_a_terminal() -> bool:
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def _rough(value: float) -> str:
    """Seconds without their fractions."""
    return seconds(value) if value >= 60 else f"{value:.0f} s"
