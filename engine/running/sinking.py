"""Frames written to one Parquet file, which appears whole or not at all."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path

import polars as pl

from ..errors import Invalid


def written(path: Path, frames: Iterator[pl.DataFrame]) -> int:
    """Write the frames one after another, a row group each; returns the number of rows. There is at least one frame."""
    if not path.parent.is_dir():
        raise Invalid(f"there is no folder {str(path.parent)!r} to write {path.name!r} into. Make it first.")
    aside = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        rows = _written(aside, frames)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    _flush(path.parent)
    return rows


def _written(path: Path, frames: Iterator[pl.DataFrame]) -> int:
    """Write each frame while the next one is made."""
    import pyarrow.parquet as pq  # only here: it takes 35 ms to load

    first = next(frames)
    rows, ahead = 0, None
    with (
        pq.ParquetWriter(path, first.to_arrow().schema, compression="zstd", use_dictionary=_repeating(first)) as writer,
        ThreadPoolExecutor(1, "nowthen-writing") as behind,
    ):
        for frame in chain([first], frames):
            if ahead is not None:
                ahead.result()
            ahead = behind.submit(writer.write_table, frame.to_arrow())
            rows += frame.height
        if ahead is not None:
            ahead.result()
    _flush(path)
    return rows


def _repeating(frame: pl.DataFrame) -> list[str]:
    """The columns that are looked through for values that repeat; in floats that takes a third of all time, and the file grows by it."""
    return [name for name, dtype in frame.schema.items() if not dtype.is_float()]


def _flush(path: Path) -> None:
    """What was written is there after a power cut too."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
