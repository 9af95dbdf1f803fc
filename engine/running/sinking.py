"""Frames written to one Parquet file, which appears whole or not at all."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
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
    import pyarrow.parquet as pq  # only here: it takes 35 ms to load

    first = next(frames)
    rows = first.height
    with pq.ParquetWriter(path, first.to_arrow().schema, compression="zstd") as writer:
        writer.write_table(first.to_arrow())
        for frame in frames:
            writer.write_table(frame.to_arrow())
            rows += frame.height
    _flush(path)
    return rows


def _flush(path: Path) -> None:
    """What was written is there after a power cut too."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
