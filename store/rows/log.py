"""The log of a source: pushed rows, durable in the order they came.

One process writes, any number reads. Segments `<first sequence>.log` hold records (records.py). An append is forced to the disk before it
returns; several appends share one forcing. A push with a key is stored once, however often it is retried. A position is the sequence number
of a row: reading from it gives the rows after it.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import polars as pl

from ...engine.errors import CommitUnknown, Conflict, Corrupt, NotFound, NowThenError, Unavailable
from ...engine.record import record
from ..folders.durable import make_folder, storing, sync
from . import sequence
from .records import STAMPS, Record, decoded, encoded, scan

_LOOKS = 20
T = TypeVar("T")
SEGMENT_BYTES = 16 << 20  # what a writer checks when it opens a log: about 20 ms


@dataclass(frozen=True)
class Log:
    """The log in a folder, for reading; the folder need not exist yet."""

    folder: Path

    def end(self) -> int:
        """The position of the last row, 0 for an empty log; of one that was emptied what the name of its segment says."""
        return _looked(self._end)

    def _end(self) -> int:
        segments = self.segments()
        if not segments:
            return 0
        records, _ = scan(segments[-1].read_bytes(), str(segments[-1]), sealed=False)
        return end_of(segments[-1], records)

    def schema(self) -> dict[str, pl.DataType]:
        """The columns of the row that was pushed last; none where the last segment has no rows."""
        return _looked(self._schema)

    def _schema(self) -> dict[str, pl.DataType]:
        segments = self.segments()
        data = segments[-1].read_bytes() if segments else b""
        records, _ = scan(data, str(self.folder), sealed=False)
        (last,) = decoded(data, records[-1:]) or [pl.DataFrame()]
        return {name: dtype for name, dtype in last.schema.items() if name not in STAMPS}

    def read(self, position: int = 0, upto: int | None = None) -> tuple[list[pl.DataFrame], int]:
        """The rows after a position (and not after `upto`) with arrival and sequence, and the position they end at."""
        return _looked(partial(self._read, position, upto))

    def _read(self, position: int, upto: int | None) -> tuple[list[pl.DataFrame], int]:
        segments = self.segments()
        if begins_behind(segments, position) and (upto is None or upto > position):
            raise NotFound(
                f"log {self.folder} begins after position {position}: a cleanup cut it off, or `forget` emptied it. "
                "Read the tables again; a server loads its snapshot again."
            )
        frames: list[pl.DataFrame] = []
        for place, segment in enumerate(segments):
            if place + 1 < len(segments) and first_of(segments[place + 1]) <= position + 1:
                continue
            data = segment.read_bytes()
            found, _ = scan(data, str(segment), sealed=place + 1 < len(segments))
            wanted = [record for record in found if record.last > position and (upto is None or record.last <= upto)]
            frames += decoded(data, wanted)
            position = wanted[-1].last if wanted else position
            if upto is not None and end_of(segment, found) >= upto:
                break
            _refuse_gap(end_of(segment, found), segments[place + 1 : place + 2])
        return frames, position

    def writer(self, wait_s: float = 0.0) -> Writer:
        """The one writer; `Unavailable` while another process is it, for so long."""
        return Writer(self.folder, wait_s)

    def segments(self) -> list[Path]:
        """The files of the log, the oldest first."""
        return sorted(self.folder.glob("*.log")) if self.folder.is_dir() else []

    def cut_off(self) -> list[Path]:
        """What is left of segments that were cut off: the keys of their pushes."""
        return sorted(self.folder.glob("*.keys")) if self.folder.is_dir() else []


def first_of(segment: Path) -> int:
    """The sequence number that a segment begins at: one more than the last before it."""
    return int(segment.stem)


def begins_behind(segments: Sequence[Path], position: int) -> bool:
    """Whether a log of these segments lacks rows right after a position; one that begins at 1 has all there ever were."""
    return bool(segments) and 1 < first_of(segments[0]) > position + 1


def segment_name(first: int) -> str:
    """The name of the segment that begins at a sequence number."""
    return f"{first:020d}.log"


def end_of(segment: Path, records: Sequence[Record]) -> int:
    """The position of the last row of a segment with these records."""
    return records[-1].last if records else first_of(segment) - 1


def gap_after(end: int, following: Sequence[Path]) -> str | None:
    """The name of the segment that would go on behind a position, if the one that follows does not; None where the log ends there."""
    return segment_name(end + 1) if following and first_of(following[0]) != end + 1 else None


def _refuse_gap(end: int, following: Sequence[Path]) -> None:
    missing = gap_after(end, following)
    if missing is not None:
        raise Corrupt(
            f"log {following[0].parent}: pushed rows before {following[0].name} are missing: segment {missing} was lost, or the one before it cut short. "
            "`nowthen verify --repair` takes it from a backup."
        )


def _looked(look: Callable[[], T]) -> T:
    """What a look at segments gives; another look where one was cut off meanwhile."""
    for _ in range(_LOOKS):
        with suppress(FileNotFoundError):
            return look()
    return look()


@record
class Appended:
    """Where a push stands: its first and last sequence number and arrival; `again` if it had been stored before."""

    first: int
    last: int
    arrival: int
    rows: int
    again: bool = False


class Writer:
    """Appends to a log. Close it, or use it in a `with`; until then no other process can write."""

    def __init__(self, folder: Path, wait_s: float = 0.0) -> None:
        self._folder, self._log = folder, Log(folder)
        self.process = os.getpid()  # a process forked from it may not use it: both would hold one lock
        self._keys: dict[str, Appended] = {}
        self._segment: Path | None = None
        self._size = self._last = 0
        self._handle: int | None = None
        with storing(folder):
            make_folder(folder)
            self._lock = os.open(folder / "writer", os.O_RDWR | os.O_CREAT, 0o644)
        self.resume(wait_s)

    # -- appending ------------------------------------------------------------------------------------------------------
    def append(self, rows: pl.DataFrame, *, key: str = "", arrival: int | None = None) -> Appended:
        """Store rows durably and say where; rows of a key stored before are not stored again."""
        return self.append_many([(rows, key)], arrival=arrival)[0]

    def append_many(self, pushes: Sequence[tuple[pl.DataFrame, str]], *, arrival: int | None = None) -> list[Appended]:
        """Store several pushes with one forcing of the disk: all are durable when this returns."""
        now = sequence.now_us() if arrival is None else arrival
        keys, forced = dict(self._keys), self._size if self._has_room else 0
        last, chunks, done = self._last, [], []
        for rows, key in pushes:
            known = keys.get(key) if key else None
            appended = _same(known, rows, key) if known else self._placed(rows, last, now)
            if known is None and rows.height:
                chunks.append(encoded(rows, key=key, first=appended.first, arrival=now, forced=forced))
                last = appended.last
                keys |= {key: appended} if key else {}
            done.append(appended)
        if chunks:
            self._write(b"".join(chunks), last)
        self._keys = keys
        return done

    @property
    def end(self) -> int:
        """The position of the last row."""
        return self._last

    def _placed(self, rows: pl.DataFrame, last: int, now: int) -> Appended:
        if not rows.height:
            return Appended(last, last, now, 0)
        first = sequence.after(last, sequence.now_us(), pushed=True)
        return Appended(first, sequence.last(first, rows.height), now, rows.height)

    def _write(self, data: bytes, last: int) -> None:
        handle = self._open_segment(self._last)
        with storing(self._folder):
            try:
                _write_whole(handle, data)
            except OSError:
                os.ftruncate(handle, self._size)
                raise
        try:
            os.fdatasync(handle)
        except OSError as error:
            self.close()
            raise CommitUnknown(
                f"log {self._folder} could not be forced to the disk; push again with the same key."
            ) from error
        self._size += len(data)
        self._last = last

    def _open_segment(self, last: int) -> int:
        """The handle of the segment to append to; a full one is followed by a new one."""
        if self._handle is not None and self._has_room:
            return self._handle
        before, segment = self._handle, self._folder / segment_name(last + 1)
        with storing(self._folder):
            self._handle = os.open(segment, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
            self._segment, self._size = segment, 0
            if before is not None:
                os.close(before)
            sync(self._folder)
        return self._handle

    @property
    def _has_room(self) -> bool:
        """Whether the segment there is takes what comes next."""
        return self._size < SEGMENT_BYTES

    # -- being the writer -----------------------------------------------------------------------------------------------
    def emptied(self) -> int:
        """Remove all rows, which the tables must have; what comes later follows on. The position that the log ends at."""
        fresh = self._folder / segment_name(self._last + 1)
        before = [one for one in (*self._log.segments(), *self._log.cut_off()) if one != fresh]
        if before:
            os.close(os.open(fresh, os.O_RDWR | os.O_CREAT, 0o644))
            sync(self._folder)
            for segment in before:
                segment.unlink(missing_ok=True)
            sync(self._folder)
            self._take_in()
        return self._last

    def resume(self, wait_s: float = 0.0) -> None:
        """Become the writer (again), waiting so long for another one; what others appended meanwhile is taken in, a torn end is cut."""
        until = time.monotonic() + wait_s
        while not self._locked():
            if time.monotonic() >= until:
                owner = os.pread(self._lock, 20, 0).decode().strip() or "another process"
                raise Unavailable(
                    f"log {self._folder} is being written by process {owner}. Push through it, for example through its server."
                )
            time.sleep(0.001)
        os.pwrite(self._lock, f"{os.getpid():<20}".encode(), 0)
        try:
            _looked(self._take_in)
        except NowThenError:
            self.pause()
            raise

    def _locked(self) -> bool:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def pause(self) -> None:
        """Let others write until `resume`; of one that is closed nothing is held."""
        if self._lock >= 0:
            fcntl.flock(self._lock, fcntl.LOCK_UN)

    def close(self) -> None:
        """Stop being the writer for good."""
        for handle in (self._handle, self._lock):
            if handle is not None:
                os.close(handle)
        self._handle, self._lock = None, -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _take_in(self) -> None:
        """Read what is in the log beyond what this writer knows."""
        segments = self._log.segments()
        if not segments or (segments[-1] == self._segment and segments[-1].stat().st_size == self._size):
            return
        if self._segment not in segments:  # what others wrote since may have been cut off
            for cut in self._log.cut_off():
                self._remember(scan(cut.read_bytes(), str(cut), sealed=True)[0])
        since = segments.index(self._segment) if self._segment in segments else 0
        for place, segment in enumerate(segments[since:], since):
            known = self._size if segment == self._segment else 0
            records, end = scan(tail_of(segment, known), str(segment), sealed=segment != segments[-1], base=known)
            self._last = max(self._last, first_of(segment) - 1)
            self._last = records[-1].last if records else self._last
            _refuse_gap(self._last, segments[place + 1 : place + 2])
            self._remember(records)
            self._segment, self._size = segment, known + end
        before, self._handle = self._handle, os.open(segments[-1], os.O_RDWR | os.O_APPEND)
        if before is not None:
            os.close(before)
        os.ftruncate(self._handle, self._size)
        os.fsync(self._handle)

    def _remember(self, records: list[Record]) -> None:
        for one in records:
            if one.key:
                self._keys[one.key] = Appended(one.first, one.last, one.arrival, one.rows)


def tail_of(segment: Path, start: int) -> bytes:
    """The bytes of a file from a place on."""
    with segment.open("rb") as file:
        file.seek(start)
        return file.read()


def _same(known: Appended, rows: pl.DataFrame, key: str) -> Appended:
    if known.rows != rows.height:
        raise Conflict(
            f"key {key!r} was used for a push of {known.rows} rows; this one has {rows.height}. A retry repeats its rows."
        )
    return Appended(known.first, known.last, known.arrival, known.rows, again=True)


def _write_whole(handle: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(handle, left) :]
