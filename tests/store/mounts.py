"""File systems of their own for tests that cut the power or fill the disk. They need root; without it such tests are skipped, and say so."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

needs_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="NEEDS ROOT: mounts a file system, so this was NOT tested here"
)


@contextmanager
def tmpfs(at: Path, size: str) -> Iterator[Path]:
    """A file system in memory of that size, such as "512k"."""
    at.mkdir(parents=True, exist_ok=True)
    _mounted("-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(at))
    try:
        yield at
    finally:
        _ran("umount", "-l", str(at))


@contextmanager
def disk(image: Path, at: Path) -> Iterator[Path]:
    """A disk in a file, mounted. A copy of the file is what a power cut would leave."""
    at.mkdir(parents=True, exist_ok=True)
    _mounted("-o", "loop", str(image), str(at))
    try:
        yield at
    finally:
        _ran("umount", "-l", str(at))


def formatted(image: Path, megabytes: int = 24) -> Path:
    """An empty disk, in a file."""
    with image.open("wb") as file:
        file.truncate(megabytes * 1024 * 1024)
    _ran("mkfs.ext4", "-q", "-F", str(image))
    return image


def power_cut(image: Path, copy: Path) -> Path:
    """The disk as it would be found if the power went now."""
    shutil.copyfile(image, copy)
    return copy


def _mounted(*given: str) -> None:
    done = subprocess.run(["mount", *given], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"CANNOT MOUNT here, so this was NOT tested: {done.stderr.strip()}")


def _ran(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
