"""The most memory this process holds while it is watched."""

from __future__ import annotations

import resource
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

_EVERY_S = 0.02
_STATUS = Path("/proc/self/statm")


class Peak:
    """Watches from its beginning to its end; `bytes` is the most that was seen.

    Where the most that the process ever held rises meanwhile, it is that, exactly; else what a look every 20 ms found.
    """

    def __init__(self) -> None:
        self.bytes = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, name="nowthen-peak", daemon=True)

    def __enter__(self) -> Self:
        self._before = highest()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        after = highest()
        self.bytes = after if after > self._before else min(max(self.bytes, now()), after)

    def _look(self) -> None:
        while not self._over.wait(_EVERY_S):
            self.bytes = max(self.bytes, now())


def highest() -> int:
    """The most that this process ever held, in bytes."""
    found = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return found if sys.platform == "darwin" else found * 1024


def now() -> int:
    """What it holds now; the most that it ever held where that is not told."""
    return _pages()[0]


def own() -> int:
    """What it holds now that no file and no memory shared with others is behind."""
    held, shared = _pages()
    return held - shared


def _pages() -> tuple[int, int]:
    try:
        held, shared = _STATUS.read_text().split()[1:3]
    except OSError:
        return highest(), 0
    return int(held) * resource.getpagesize(), int(shared) * resource.getpagesize()
