"""What makes bytes last: files and folders forced to the disk, and full disks told as such."""

from __future__ import annotations

import ctypes
import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from ...engine.errors import Forbidden, NowThenError, StorageFull

_write_out = getattr(ctypes.CDLL(None), "sync_file_range", None)  # Linux alone has it
_BEGIN = 2  # SYNC_FILE_RANGE_WRITE: do not wait
_DENIED = (errno.EACCES, errno.EPERM, errno.EROFS)


def sync(path: str | Path) -> None:
    """Force a file's or folder's bytes to the disk."""
    with _handle(path) as handle:
        os.fsync(handle)


def begin_sync(path: str | Path) -> None:
    """Have the system begin to write a file to the disk, where it can be asked to, so that forcing it waits for less."""
    if _write_out is None:
        return
    with _handle(path) as handle:
        _write_out(handle, ctypes.c_int64(0), ctypes.c_int64(0), _BEGIN)


@contextmanager
def _handle(path: str | Path) -> Iterator[int]:
    handle = os.open(path, os.O_RDONLY)
    try:
        yield handle
    finally:
        os.close(handle)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, durably."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for one in missing:
        sync(one.parent)


def publish(path: Path, content: bytes) -> None:
    """Replace a file by new content, whole or not at all, and durably."""
    make_folder(path.parent)
    draft = path.with_name(f".{path.name}.{uuid4().hex[:12]}")
    with storing(path):
        draft.write_bytes(content)
        sync(draft)
        draft.replace(path)
        sync(path.parent)


@contextmanager
def storing(place: str | Path) -> Iterator[None]:
    """A full disk inside becomes StorageFull, what may not be written Forbidden; Lance tells a full disk only in the text of its errors."""
    try:
        yield
    except Exception as error:
        if isinstance(error, NowThenError):
            raise
        if isinstance(error, OSError) and error.errno in _DENIED:
            raise Forbidden(f"{str(error.filename or place)!r} may not be written here: {error.strerror}.") from error
        if not _is_full(error):
            raise
        raise StorageFull(
            f"no room left to write {str(place)!r}. Free some and try again; what was acknowledged is safe."
        ) from error


def _is_full(error: Exception) -> bool:
    full = (errno.ENOSPC, errno.EDQUOT)
    return getattr(error, "errno", None) in full or bool(re.search(rf"os error ({full[0]}|{full[1]})\b", str(error)))
