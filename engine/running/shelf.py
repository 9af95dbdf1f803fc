"""Where this process keeps what waits: in memory as long as its share of the budget lasts, then in files that are read again."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any, Self

from .filed import Filed, FiledArrays, FiledPart, filed_briefly
from .packed import Packed
from .parts import Part

_FILED = Filed | FiledPart | FiledArrays


class Shelf:
    """Packed tables and parts, up to so many bytes in memory, the others in a folder that goes with the shelf."""

    def __init__(self, memory: int) -> None:
        self._memory, self._held, self._lock = memory, 0, Lock()
        self._folder: Path | None = None
        self._files = 0

    def keep(self, value: Any) -> Any:
        """The value, or what stands for it; of other kinds of values itself."""
        if not isinstance(value, Packed | Part):
            return value
        size = value.nbytes
        with self._lock:
            if self._held + size <= self._memory:
                self._held += size
                return value
            path = self._next()
        return filed_briefly(value, path)

    def spilled(self, value: Any) -> int:
        """Bytes of it in files."""
        return value.nbytes if isinstance(value, _FILED) else 0

    def drop(self, value: Any) -> None:
        """Nobody needs it any more; of other kinds of values nothing is kept."""
        if isinstance(value, _FILED):
            if value.path.parent == self._folder:
                value.path.unlink(missing_ok=True)
        elif isinstance(value, Packed | Part):
            with self._lock:
                self._held = max(self._held - value.nbytes, 0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _next(self) -> Path:
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="nowthen-"))
        self._files += 1
        return self._folder / str(self._files)
