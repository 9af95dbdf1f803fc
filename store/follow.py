"""Following a log as it grows: asking where it ends costs one look at a file's size when nothing came."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from .log import SEGMENT_BYTES, Log, tail_of
from .records import Record, decoded, scan


class Follower:
    """Hands out the rows of a log after a position, each once, in their order. Not for several threads at once.

    `handed_out` is the position up to which it did.
    """

    def __init__(self, log: Log, position: int = 0) -> None:
        self._log = log
        self.handed_out = self._end = position
        self._segment: Path | None = None
        self._offset = 0
        self._waiting: list[tuple[bytes, list[Record]]] = []

    def end(self) -> int:
        """The position of the last durable row."""
        while self._look():
            pass
        return self._end

    def rows(self) -> tuple[list[pl.DataFrame], int]:
        """The rows that came since the last call, with arrival and sequence, and the position they end at."""
        end = self.end()
        waiting, self._waiting = self._waiting, []
        self.handed_out = end
        return [frame for data, records in waiting for frame in decoded(data, records)], end

    def _look(self) -> bool:
        """Take in what is new in the segment at hand, or go to the next one; False where nothing is."""
        if self._segment is None:
            return self._next()
        size = self._segment.stat().st_size
        if size > self._offset and self._read(self._segment):
            return True
        return size >= SEGMENT_BYTES and self._next()

    def _read(self, segment: Path) -> bool:
        data = tail_of(segment, self._offset)
        found, length = scan(data, str(segment), sealed=False, base=self._offset)
        self._offset += length
        new = [record for record in found if record.last > self._end]
        if new:
            self._waiting.append((data, new))
            self._end = new[-1].last
        return bool(found)

    def _next(self) -> bool:
        later = self._log.segments()
        later = _holding(later, self._end) if self._segment is None else later[later.index(self._segment) + 1 :]
        if not later:
            return False
        self._segment, self._offset = later[0], 0
        return True


def _holding(segments: list[Path], position: int) -> list[Path]:
    """The segments from the one on that holds the first row after a position; a segment is named after the row before it."""
    before = [place for place, segment in enumerate(segments) if int(segment.stem) <= position + 1]
    return segments[before[-1] :] if before else segments
