"""The Lance library, loaded with the settings it reads once, at import: all of the store takes it from here."""

from __future__ import annotations

import os

os.environ.setdefault("LANCE_IO_THREADS", "2")
os.environ.setdefault("LANCE_LOG", "error")

import lance
from lance import LanceDataset
from lance.file import LanceFileReader, LanceFileWriter
from lance.fragment import DataFile, FragmentMetadata, LanceFragment
from lance.lance import _Session as Session
from lance.schema import LanceSchema

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
