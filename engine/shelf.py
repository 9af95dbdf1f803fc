"""Where this process keeps packed tables: in memory as long as its share of the budget lasts, then in files that are mapped again."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any, Self

import polars as pl

from .column import Index
from .packed import Packed


@dataclass(frozen=True, eq=False)
class Filed:
    """A packed table in a file. Its buckets are read anew each time, and only they."""

    path: Path
    offsets: Index
    nbytes: int

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many rows each bucket has."""
        return tuple((self.offsets[1:] - self.offsets[:-1]).tolist())

    def buckets(self, first: int, last: int) -> pl.DataFrame:
        """The rows of the buckets [first, last)."""
        begin, rows = int(self.offsets[first]), int(self.offsets[last] - self.offsets[first])
        return pl.scan_ipc(self.path).slice(begin, rows).collect()


class Shelf:
    """Packed tables up to so many bytes in memory, the others in a folder that goes with the shelf."""

    def __init__(self, memory: int) -> None:
        self._memory, self._held, self._lock = memory, 0, Lock()
        self._folder: Path | None = None
        self._files = 0

    def keep(self, value: Any) -> Any:
        """The value, or what stands for it; only packed tables are ever filed."""
        if not isinstance(value, Packed):
            return value
        size = value.nbytes
        with self._lock:
            if self._held + size <= self._memory:
                self._held += size
                return value
            path = self._next()
        value.frame.write_ipc(path, compression="uncompressed", record_batch_size=_BATCH_ROWS)
        return Filed(path, value.offsets, size)

    def spilled(self, value: Any) -> int:
        """Bytes of it in files."""
        return value.nbytes if isinstance(value, Filed) else 0

    def drop(self, value: Any) -> None:
        """Nobody needs it any more."""
        if isinstance(value, Filed):
            value.path.unlink(missing_ok=True)
        elif isinstance(value, Packed):
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
        return self._folder / f"{self._files}.arrow"


_BATCH_ROWS = 65_536
