"""Where this process keeps what waits: in memory as long as its share of the budget lasts, then in files that are read again."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any, Self

import polars as pl

from ..folds.column import Index
from ..record import record
from .packed import Packed
from .parts import Part

_BATCH_ROWS = 65_536  # of a file: what is read at least


@record(eq=False)
class Filed:
    """A packed table in a file. Its buckets are read anew each time, and only they."""

    path: Path
    offsets: Index
    nbytes: int
    base: int = 0

    def buckets(self, first: int, last: int) -> pl.DataFrame:
        """The rows of the buckets [first, last)."""
        begin, end = (int(self.offsets[bucket - self.base]) for bucket in (first, last))
        return pl.scan_ipc(self.path).slice(begin, end - begin).collect()


@record(eq=False)
class FiledPart:
    """A part in a file; its rows' numbers stay in memory."""

    path: Path
    rows: Index | None
    nbytes: int

    def between(self, first: int, last: int) -> Part:
        """What it says of the rows [first, last), numbered from `first` on."""
        begin, end = (first, last) if self.rows is None else located(self.rows, first, last)
        part = Part.of(pl.scan_ipc(self.path).slice(begin, end - begin).collect())
        return part if part.rows is None else Part(part.rows - first, part.answers)


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
        return filed(value, path)

    def spilled(self, value: Any) -> int:
        """Bytes of it in files."""
        return value.nbytes if isinstance(value, Filed | FiledPart) else 0

    def drop(self, value: Any) -> None:
        """Nobody needs it any more; of other kinds of values nothing is kept."""
        if isinstance(value, Filed | FiledPart):
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
        return self._folder / f"{self._files}.arrow"


def filed(value: Packed | Part, path: Path) -> Filed | FiledPart:
    """The value written to a file."""
    if isinstance(value, Packed):
        _write(value.frame, path)
        return Filed(path, value.offsets, value.nbytes, value.base)
    _write(value.frame(), path)
    return FiledPart(path, value.rows, value.nbytes)


def _write(frame: pl.DataFrame, path: Path) -> None:
    frame.write_ipc(path, compression="uncompressed", record_batch_size=_BATCH_ROWS)


def located(rows: Index, first: int, last: int) -> tuple[int, int]:
    """Where the rows [first, last) begin and end among rows that rise."""
    begin, end = rows.searchsorted([first, last])
    return int(begin), int(end)
