"""How far rows are on their way, in words, and about how long the others will take."""

from __future__ import annotations

import time
from threading import Lock

from ...engine.showing.amounts import seconds
from ...engine.showing.progress import Progress


class Passing:
    """Tells a progress how many of so many rows have passed; what they took is taken for those to come."""

    def __init__(self, progress: Progress, what: str, total: int | None) -> None:
        self._progress, self._what, self._total = progress, what, total
        self._rows, self._began, self._lock = 0, time.monotonic(), Lock()
        self._progress.step(what if total is None else f"{what} {total:,} rows")

    def __call__(self, rows: int) -> None:
        """So many rows more have passed; from any thread."""
        with self._lock:
            self._rows += rows
            if self._total is not None and 0 < self._rows < self._total:
                left = (time.monotonic() - self._began) * (self._total - self._rows) / self._rows
                about = f", about {seconds(left) if left >= 60 else f'{left:.0f} s'} left" if left >= 1 else ""
                self._progress.step(f"{self._what} {self._rows:,} of {self._total:,} rows{about}")
