"""The Lance library, loaded with the settings it reads once, at import: all of the store takes it from here."""

from __future__ import annotations

import ctypes
import os

os.environ.setdefault("LANCE_IO_THREADS", "2")
os.environ.setdefault("LANCE_LOG", "error")

import lance
from lance import LanceDataset
from lance.file import LanceFileReader, LanceFileWriter
from lance.fragment import DataFile, FragmentMetadata, LanceFragment
from lance.lance import _Session as Session
from lance.schema import LanceSchema

# Lance takes its memory from the C library, and that gave back what a file had needed before the next one was read: a seventh of the CPU
# time of a join from the store (2026-11, benchmarks/join.py; docs/adr/0011). Who tells the C library otherwise is left alone.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of mallopt
_KEPT_BYTES, _HEAP_BYTES = 64 << 20, 8 << 20  # at the end of each heap; and of a block that is taken from one
_TOLD_BY = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES")


def _keep_pages() -> None:
    tell = getattr(ctypes.CDLL(None), "mallopt", None)  # glibc alone has it
    if tell is not None and not any(name in os.environ for name in _TOLD_BY):
        tell(_TRIM_THRESHOLD, _KEPT_BYTES)
        tell(_MMAP_THRESHOLD, _HEAP_BYTES)


_keep_pages()

__all__ = [
    "DataFile",
    "FragmentMetadata",
    "LanceDataset",
    "LanceFileReader",
    "LanceFileWriter",
    "LanceFragment",
    "LanceSchema",
    "Session",
    "lance",
]
