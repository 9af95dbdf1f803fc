"""What a person sees while something long runs: a moving bar on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.status import Status

_INTERVAL_S = 5.0  # between plain lines; job logs keep only whole lines


class Progress:
    """Steps of a job that has a title. Nothing is shown of a job that takes no time."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._started = self._said = time.monotonic()
        console = Console(stderr=True)
        self._status: Status | None = console.status(title) if console.is_terminal else None

    def step(self, what: str) -> None:
        """Say what is done now."""
        now = time.monotonic()
        if self._status is not None:
            self._status.update(f"{self._title}: {what}")
        elif now - self._said >= _INTERVAL_S:
            self._said = now
            sys.stderr.write(f"{self._title}: {what} ({now - self._started:.0f} s)\n")

    def __enter__(self) -> Self:
        if self._status is not None:
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status is not None:
            self._status.stop()
