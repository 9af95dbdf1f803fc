"""What waits in files: packed tables, whose buckets are read anew, and parts, of which some rows are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import polars as pl

from ..folds.ask import Answer
from ..folds.column import Array, Column, Index
from ..record import record
from .packed import Packed
from .parts import Part, located

_BATCH_ROWS = 65_536  # of a file of Arrow: what is read at least


@record(eq=False)
class Filed:
    """A packed table in a file. Its buckets are read anew each time, and only they."""

    path: Path
    offsets: Index
    nbytes: int
    base: int = 0

    def buckets(self, first: int, last: int) -> pl.DataFrame:
        """The rows of the buckets [first, last)."""
        begin, end = (int(self.offsets[bucket - self.base]) for bucket in (first, last))
        return _rows(self.path, begin, end)


@record(eq=False)
class FiledPart:
    """A part in a file of Arrow; its rows' numbers stay in memory."""

    path: Path
    rows: Index | None
    nbytes: int

    def between(self, first: int, last: int) -> Part:
        """What it says of the rows [first, last), numbered from `first` on."""
        begin, end = located(self.rows, first, last)
        part = Part.of(_rows(self.path, begin, end))
        return part if part.rows is None else Part(part.rows - first, part.answers)


@record(eq=False)
class FiledArrays:
    """A part of numbers in a file, one array behind the other: a hundred of them are read in a tenth of the time that Arrow takes."""

    path: Path
    rows: Index | None
    nbytes: int
    answers: Mapping[str, _FiledAnswer]

    def between(self, first: int, last: int) -> Part:
        """What it says of the rows [first, last), numbered from `first` on."""
        begin, end = located(self.rows, first, last)
        rows = None if self.rows is None else self.rows[begin:end] - first
        with self.path.open("rb", buffering=0) as file:
            return Part(rows, {slot: answer.read(file, begin, end) for slot, answer in self.answers.items()})


@record
class _Lies:
    """Where an array lies in a file."""

    offset: int
    dtype: np.dtype[Any]

    def read(self, file: BinaryIO, first: int, last: int) -> Array:
        """Its entries [first, last)."""
        file.seek(self.offset + first * self.dtype.itemsize)
        return np.fromfile(file, self.dtype, last - first)


@record
class _FiledAnswer:
    """Where the arrays of an answer lie."""

    dtype: pl.DataType
    values: _Lies
    valid: _Lies | None
    found: _Lies | None
    expired: _Lies | None

    def read(self, file: BinaryIO, first: int, last: int) -> Answer:
        """The answers to the rows [first, last) of the part."""
        masks = (self.valid, self.found, self.expired)
        valid, found, expired = (None if lies is None else lies.read(file, first, last) for lies in masks)
        return Answer(Column(self.dtype, self.values.read(file, first, last), valid), found, expired)


def filed(value: Packed | Part, path: Path) -> Filed | FiledPart:
    """The value written to a file of Arrow, which says what is in it."""
    if isinstance(value, Packed):
        _write(value.frame, path)
        return Filed(path, value.offsets, value.nbytes, value.base)
    _write(value.frame(), path)
    return FiledPart(path, value.rows, value.nbytes)


def filed_briefly(value: Packed | Part, path: Path) -> Filed | FiledPart | FiledArrays:
    """The value written to a file for as long as what is given back is there."""
    if isinstance(value, Packed) or not all(_is_plain(answer.value.values) for answer in value.answers.values()):
        return filed(value, path)
    with path.open("xb", buffering=0) as file:
        answers = {slot: _filed_answer(answer, file) for slot, answer in value.answers.items()}
    return FiledArrays(path, value.rows, value.nbytes, answers)


def _rows(path: Path, begin: int, end: int) -> pl.DataFrame:
    return pl.scan_ipc(path).slice(begin, end - begin).collect()


def _write(frame: pl.DataFrame, path: Path) -> None:
    frame.write_ipc(path, compression="uncompressed", record_batch_size=_BATCH_ROWS)


def _is_plain(values: Any) -> bool:
    return isinstance(values, np.ndarray) and not values.dtype.hasobject


def _filed_answer(answer: Answer, file: BinaryIO) -> _FiledAnswer:
    masks = (answer.value.valid, answer.found, answer.expired)
    values = _lain(answer.value.values, file)
    return _FiledAnswer(answer.value.dtype, values, *(None if mask is None else _lain(mask, file) for mask in masks))


def _lain(array: Array, file: BinaryIO) -> _Lies:
    lies = _Lies(file.tell(), array.dtype)
    array.tofile(file)
    return lies
