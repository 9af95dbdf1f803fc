"""Files that are held by a lock (flock) while their writer lives, so that what a dead one left can be told and removed."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

GONE: Final = (FileNotFoundError, NotADirectoryError, IsADirectoryError)


@contextmanager
def held(path: Path) -> Iterator[int]:
    """An open, locked file that is removed afterwards. Who removes abandoned ones takes the lock first, so a new one is looked at twice."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        if locked(handle) and _same(handle, path):
            break
        os.close(handle)
        time.sleep(0.001)
    try:
        yield handle
    finally:
        with suppress(*GONE):
            path.unlink()
        os.close(handle)


def locked(handle: int) -> bool:
    """Whether the lock of an open file is ours now."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _same(handle: int, path: Path) -> bool:
    try:
        there = os.stat(path)
    except FileNotFoundError:
        return False
    return (there.st_dev, there.st_ino) == (os.fstat(handle).st_dev, os.fstat(handle).st_ino)


def removed_if_abandoned(path: Path) -> int:
    """Remove a lock that nobody holds, and its draft; the bytes."""
    try:
        handle = os.open(path, os.O_RDWR)
    except GONE:
        return 0
    try:
        if not locked(handle) or not _same(handle, path):
            return 0
        folder = path.with_suffix("")
        freed = os.fstat(handle).st_size + sum(one.stat().st_size for one in folder.rglob("*") if one.is_file())
        shutil.rmtree(folder, ignore_errors=True)
        path.unlink()
        return freed
    finally:
        os.close(handle)
