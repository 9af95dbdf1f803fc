"""A folder on a local disk. A file is forced to the disk before it gets its name, and the name before anybody is told.

New files are made in `draft/` and linked to their places, which only one can do; so nobody sees half a file, and what a killed process
leaves behind is in `draft/`, where nobody looks. A lock (flock) on each draft says whether its writer lives.
"""

from __future__ import annotations

import errno
import filecmp
import os
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ...engine.errors import CommitUnknown, Corrupt, Forbidden, Invalid, NotFound
from .durable import begin_sync, storing, sync
from .lease import GONE, held, locked, removed_if_abandoned
from .names import checked_path, new_token

_DRAFTS = "draft"
_AT_ONCE = 8  # forcings that the file system may join into one
_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EXDEV)
_PATIENCE_S = 600.0


class LocalFolder:
    """A `Folder` below a path."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._sure: set[Path] = set()  # folders whose names this process has forced to the disk

    @property
    def url(self) -> str:
        """The path."""
        return str(self.root)

    def __repr__(self) -> str:
        return f"LocalFolder({self.url!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return LocalFolder, (self.root,)

    # -- writing --------------------------------------------------------------------------------------------------------
    def put_new(self, path: str, content: bytes) -> bool:
        """Whether the file is ours. Durable on return, also the one that was there."""
        place = self._place(path)
        with storing(place), self._drafted(content) as draft:
            self._ready(place.parent)
            ours = self._linked(draft, place)
        try:
            if not ours:
                sync(place)
            sync(place.parent)
        except OSError as error:
            raise CommitUnknown(f"{place} was written, but perhaps not durably: {error}.") from error
        return ours

    def put(self, path: str, content: bytes) -> None:
        """Put or replace a file, whole and durably."""
        place = self._place(path)
        with storing(place), self._drafted(content) as draft:
            self._ready(place.parent)
            draft.replace(place)
            sync(place.parent)

    def expect(self, draft: Path) -> None:
        """Have it go to the disk while others are made."""
        begin_sync(draft)

    def take_in(self, made: Mapping[str, Path]) -> None:
        """Bring drafts to their places, all durable on return."""
        places = {self._place(path): draft for path, draft in made.items()}
        with storing(self.root), ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(sync, places.values()))
            for place, draft in places.items():
                self._ready(place.parent)
                self._moved_in(draft, place)
            list(pool.map(sync, {place.parent for place in places}))

    def delete(self, paths: Iterable[str]) -> None:
        """Remove files, durably; those that are gone already do not matter."""
        touched = set()
        for path in paths:
            place = self._place(path)
            with suppress(*GONE):
                place.unlink()
                touched.add(place.parent)
        for folder in touched:
            sync(folder)

    # -- reading --------------------------------------------------------------------------------------------------------
    def get(self, path: str, ranges: Sequence[tuple[int, int]] = ()) -> bytes:
        """The bytes of a file, or of the ranges [begin, end) one after another."""
        place = self._place(path)
        with _reading(place), place.open("rb") as file:
            if not ranges:
                return file.read()
            parts = [os.pread(file.fileno(), end - begin, begin) for begin, end in ranges]
        if any(len(part) != end - begin for part, (begin, end) in zip(parts, ranges)):
            raise Corrupt(f"{place} is damaged: it ends before byte {max(end for _, end in ranges)}.")
        return b"".join(parts)

    def listed(self, under: str, after: str = "") -> Iterator[tuple[str, int, int]]:
        """Path, bytes and time of change (microseconds) of the files below a folder, paths rising; no drafts, nor what is behind links."""
        start = self._place(under) if under else self.root
        yield from _walked(start, f"{under}/" if under else "", after)

    def local(self, path: str) -> Path:
        """The file itself."""
        place = self._place(path)
        if not place.is_file():
            raise NotFound(f"{place} is not there.")
        return place

    def lance(self, path: str) -> tuple[str, dict[str, str]]:
        """The path as Lance wants it."""
        return str(self._place(path)), {}

    # -- drafts and turns -----------------------------------------------------------------------------------------------
    @contextmanager
    def draft(self, token: str) -> Iterator[Path]:
        """A scratch folder on the same disk, held by a lock while it is used and removed afterwards."""
        folder = self._drafts() / checked_path(token)
        with storing(folder), held(folder.with_name(f"{token}.lock")):
            folder.mkdir(exist_ok=True)
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def turn(self, name: str, patience_s: float = _PATIENCE_S) -> Iterator[None]:
        """One's turn among writers of the same name on this machine. Nobody's safety needs it: after a while one goes on without it."""
        with storing(self.root), (self._drafts() / f"{checked_path(name)}.turn").open("wb") as file:
            until = time.monotonic() + patience_s
            while not locked(file.fileno()) and time.monotonic() < until:
                time.sleep(0.005)
            yield

    def sweep(self) -> int:
        """Remove drafts whose writers are gone; the bytes that this freed."""
        freed = 0
        for entry in list(os.scandir(self.root / _DRAFTS)) if (self.root / _DRAFTS).is_dir() else []:
            if entry.name.endswith((".lock", ".put")):
                freed += removed_if_abandoned(Path(entry.path))
        return freed

    # -- inside ---------------------------------------------------------------------------------------------------------
    def _place(self, path: str) -> Path:
        return self.root / checked_path(path)

    def _drafts(self) -> Path:
        drafts = self.root / _DRAFTS
        try:
            with storing(drafts):
                drafts.mkdir(parents=True, exist_ok=True)
        except (FileNotFoundError, NotADirectoryError, FileExistsError) as error:
            raise Invalid(
                f"a store cannot be at {self.root}: no folder can be made there ({error.strerror})."
            ) from None
        return drafts

    @contextmanager
    def _drafted(self, content: bytes) -> Iterator[Path]:
        """A durable draft of a file that is to get its name."""
        draft = self._drafts() / f"{new_token()}.put"
        with held(draft) as handle:
            with memoryview(content) as rest:
                done = 0
                while done < len(rest):
                    done += os.write(handle, rest[done:])
            os.fsync(handle)
            yield draft

    def _ready(self, folder: Path) -> None:
        """Make a folder and make sure that its name and those above it are durable, whoever made them."""
        if folder in self._sure and folder.is_dir():
            return
        folder.mkdir(parents=True, exist_ok=True)
        for above in folder.parents:
            try:
                sync(above)
            except PermissionError:
                if above.is_relative_to(self.root):
                    raise
        self._sure.add(folder)

    def _linked(self, draft: Path, place: Path) -> bool:
        try:
            os.link(draft, place)
        except FileExistsError:
            return False
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            raise Invalid(f"a store cannot be at {self.root}: its file system has no hard links ({error}).") from error
        return True

    def _moved_in(self, draft: Path, place: Path) -> None:
        if draft.stat().st_dev != self.root.stat().st_dev:
            with self._drafts_copy(draft) as copy:
                self._moved_in(copy, place)
        elif not self._linked(draft, place):
            if not filecmp.cmp(draft, place, shallow=False):
                raise Corrupt(f"{place} is damaged: it holds other bytes than were written under its name.")
            sync(place)

    @contextmanager
    def _drafts_copy(self, draft: Path) -> Iterator[Path]:
        copy = self._drafts() / f"{new_token()}.put"
        with held(copy):
            shutil.copyfile(draft, copy)
            sync(copy)
            yield copy


def _walked(folder: Path, prefix: str, after: str) -> Iterator[tuple[str, int, int]]:
    # A link to a folder is left out: what lies behind it may be there under another path too, and who lists may remove.
    try:
        ones = [one for one in os.scandir(folder) if not one.is_symlink() or Path(one.path).is_file()]
    except GONE:
        return
    found = [(f"{one.name}/" if one.is_dir(follow_symlinks=False) else one.name, one) for one in ones]
    for name, entry in sorted(found, key=lambda pair: pair[0]):
        path = prefix + name
        if path == f"{_DRAFTS}/" or name.startswith("."):
            continue
        if not name.endswith("/"):
            if path > after:
                with suppress(*GONE):
                    seen = entry.stat(follow_symlinks=False)
                    yield path, seen.st_size, seen.st_mtime_ns // 1_000
        elif path >= after or after.startswith(path):
            yield from _walked(Path(entry.path), path, after)


@contextmanager
def _reading(place: Path) -> Iterator[None]:
    try:
        yield
    except GONE:
        raise NotFound(f"{place} is not there.") from None
    except PermissionError as error:
        raise Forbidden(f"{place} cannot be read: {error.strerror}.") from error
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        raise Corrupt(f"{place} is damaged: the disk does not give it back ({error.strerror}).") from error
