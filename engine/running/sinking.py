"""Frames written to one Parquet file, which appears whole or not at all."""

from __future__ import annotations

import os
import uuid
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import chain
from os import PathLike
from pathlib import Path

import polars as pl

from ..errors import Invalid, WrongType
from ..plan.pieces import files_of
from ..plan.plan import Plan
from ..plan.reader import Reader
from .handover import arrow_schema


def sunk(path: Path, plan: Plan, frames: Generator[pl.DataFrame]) -> int:
    """Write the frames of a plan; nothing runs before a path is refused that it reads, and columns that no file holds."""
    refuse_read(path, [plan.input.spine.reader, *(side.scan.reader for side in plan.input.sides)])
    arrow_schema(plan.input.spine.schema)
    with closing(frames):
        return written(path, frames)


def refuse_read(path: Path, readers: Iterable[Reader]) -> None:
    """Refuse to write over a file that is read."""
    for read in (file for reader in readers for file in files_of(reader)):
        if path.exists() and path.samefile(read):
            raise Invalid(f"{str(path)!r} is read for these rows; writing there would destroy it. Name another file.")


def checked(given: str | PathLike[str]) -> Path:
    """The path of a file that can be written."""
    if not isinstance(given, str | PathLike):
        raise WrongType(f"path={given!r}; give the path of the file to write, as text or a Path.")
    path = Path(given)
    if path.is_dir():
        raise Invalid(f"{str(path)!r} is a folder. Give the path of the file to write.")
    if not path.parent.is_dir():
        raise Invalid(f"there is no folder {str(path.parent)!r} to write {path.name!r} into. Make it first.")
    return path


def written(path: Path, frames: Iterator[pl.DataFrame]) -> int:
    """Write the frames one after another, a row group each; returns the number of rows. There is at least one frame."""
    aside = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        _begin(aside)
        rows = _written(aside, frames)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    _flush(path.parent)
    return rows


def _begin(path: Path) -> None:
    """Make the file, before anything runs for it."""
    try:
        path.touch()
    except OSError as error:
        raise Invalid(f"nothing can be written to {str(path.parent)!r}: {error.strerror}. Give another path.") from None


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
