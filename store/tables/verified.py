"""What a process has made sure of: that columns of files are as they were written. Each is checked once, when it is first read.

A local file that has changed since (another size, or time of change) is checked again. Object stores check their own bytes.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from ...engine.errors import Corrupt, NotFound
from ..ports import DataPart, Folder
from .lost import LostFile
from .sums import REST, SUFFIX, Ranges, Sums, chunks, is_named, xxh3_of

ALWAYS: Final = "NOWTHEN_CHECK"  # "all" in the environment: what object stores give is checked as well
_Stamp = tuple[int, int, int]  # inode, size, time of change
_Bytes = Callable[[Ranges], Iterable[memoryview | bytes]]


@dataclass
class Verified:
    """What is known of the files in a folder."""

    folder: Folder
    _known: dict[str, tuple[_Stamp, frozenset[str] | None]] = field(default_factory=dict)  # None: all of it

    def knows(self, place: str, part: DataPart, columns: Iterable[str]) -> bool:
        """Whether nothing is left to make sure of."""
        if self._trusts():
            return True
        path = f"{place}/{part.path}"
        try:
            stamp = (0, 0, 0) if self._remote else _stamp(os.stat(self._local_path(place, part)))
        except FileNotFoundError:
            raise LostFile.at(path) from None
        done = self._done(path, stamp)
        return done is None or _wanted(part, columns) <= done

    def need(self, place: str, part: DataPart, columns: Iterable[str]) -> None:
        """Make sure of some columns of a file, and of what says where they are. `Corrupt` names the file; `LostFile`."""
        if self._trusts():
            return
        path = f"{place}/{part.path}"
        with self._content(place, part, path) as (stamp, content):
            done, wanted = self._done(path, stamp), _wanted(part, columns)
            if done is not None and not wanted <= done:
                self._known[path] = stamp, self._checked(path, part, content, done, wanted - done)

    def _trusts(self) -> bool:
        return self._remote and os.environ.get(ALWAYS) != "all"

    @property
    def _remote(self) -> bool:
        return "://" in self.folder.url

    def _content(self, place: str, part: DataPart, path: str) -> AbstractContextManager[tuple[_Stamp, _Bytes]]:
        return _remote(self.folder, path) if self._remote else _local(self._local_path(place, part), part, path)

    def _local_path(self, place: str, part: DataPart) -> str:
        return f"{self.folder.lance(place)[0]}/{part.path}"

    def _done(self, path: str, stamp: _Stamp) -> frozenset[str] | None:
        """The columns of this very file that are known to be right; None: all."""
        before, done = self._known.get(path, (None, frozenset()))
        return done if before == stamp else frozenset()

    def _checked(
        self, path: str, part: DataPart, content: _Bytes, done: frozenset[str], wanted: set[str]
    ) -> frozenset[str] | None:
        sums = self._sums(path, part)
        if sums is None or not wanted <= set(sums.columns):
            check_whole(path, content(((0, part.bytes),)))
            return None
        for name in sorted(wanted):
            ranges, xxh3 = sums.columns[name]
            if xxh3_of(content(ranges)) != xxh3:
                raise damaged(path, f"column {name!r}" if name else "what says where its columns are")
        return done | wanted

    def _sums(self, path: str, part: DataPart) -> Sums | None:
        """The sums of a file, if they are whole and its own."""
        try:
            sums = Sums.read(self.folder.get(path + SUFFIX))
        except (NotFound, Corrupt, ValueError):
            return None
        mine = sums.are_of(path) and (sums.size, sums.rows) == (part.bytes, part.rows)
        return sums if mine else None


def _wanted(part: DataPart, columns: Iterable[str]) -> set[str]:
    return {REST, *(name for name in columns if name in part.columns)}


def check_whole(path: str, content: Iterable[memoryview | bytes]) -> None:
    """Refuse bytes whose digest is not the one in the name of the file."""
    if not is_named(path, content):
        raise damaged(path, "its digest is not that of its name")


def damaged(path: str, what: str) -> Corrupt:
    """The error of a file that is not as it was written."""
    return Corrupt(f"{path} is not as it was written: {what}. `nowthen verify --repair` mends what can be mended.")


def _stamp(facts: os.stat_result) -> _Stamp:
    return facts.st_ino, facts.st_size, facts.st_mtime_ns


@contextmanager
def _local(place: str, part: DataPart, path: str) -> Iterator[tuple[_Stamp, _Bytes]]:
    try:
        handle = os.open(place, os.O_RDONLY)
    except FileNotFoundError:
        raise LostFile.at(path) from None
    try:
        stamp = _stamp(os.fstat(handle))
        if stamp[1] != part.bytes:
            raise damaged(path, f"it has {stamp[1]:,} bytes, not {part.bytes:,}")
        yield stamp, partial(chunks, handle)
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        raise damaged(path, "the disk does not give it back") from error
    finally:
        os.close(handle)


@contextmanager
def _remote(folder: Folder, path: str) -> Iterator[tuple[_Stamp, _Bytes]]:
    def content(ranges: Ranges) -> Iterable[bytes]:
        return [folder.get(path, ranges)] if ranges else []

    try:
        yield (0, 0, 0), content
    except NotFound:
        raise LostFile.at(path) from None
