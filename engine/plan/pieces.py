"""Parts of stored rows: a reader that can says where it may be cut, and gives any stretch of its rows as a reader of its own.

Pieces one after another hold all rows once, in an order that never changes. It is sequence order, unless rows carry `__sequence`: then
they may lie in any order, and whoever reads pieces goes by that column where it matters which of two rows is the later.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Protocol, runtime_checkable

import polars as pl

from ..folds.hashing import HASH_VERSION
from ..folds.rows import SEQUENCE
from ..language.dtype import inner_of
from .reader import Loaded, Reader, TimeBound

_TEXT_BYTES = 32  # a guess
_ENTRIES = 8  # of a list, another


@runtime_checkable
class Pinnable(Protocol):
    """A reader of rows that may change."""

    def pinned(self) -> Reader | None:
        """A reader of the rows as they are now, which refuses others; None where nothing can be said."""


@runtime_checkable
class Fixed(Protocol):
    """A reader of rows that never change."""

    def fingerprint(self) -> str:
        """Equal for readers of equal rows."""


@runtime_checkable
class Divisible(Protocol):
    """A reader whose rows can be read in stretches."""

    def cuts(self) -> Sequence[int]:
        """Where a stretch may begin at no extra cost, as row numbers: 0 first, the number of rows last. Reads no rows.

        The last stretch may turn out to have fewer.
        """

    def stretch(self, first: int, last: int) -> Reader:
        """The rows [first, last) as a reader; `first` and `last` are among the cuts."""


@runtime_checkable
class OfFiles(Protocol):
    """A reader of files of this machine."""

    def files(self) -> Sequence[str]:
        """Their paths."""


def files_of(reader: Reader) -> Sequence[str]:
    """The files of this machine that a reader reads."""
    return reader.files() if isinstance(reader, OfFiles) else ()


@runtime_checkable
class Batched(Protocol):
    """A reader whose rows can be looked at a few at a time."""

    def batches(self, columns: Sequence[str], bound: TimeBound | None = None) -> Iterator[pl.DataFrame]:
        """The rows that `read` gives, in that order, in frames whose columns are in one piece each."""


class Layout(Protocol):
    """Rows in buckets by a hash of some of their keys, so that no bucket has rows of a key that another has."""

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys that are hashed, in this order."""

    @property
    def hash_version(self) -> int:
        """By which version of the hash."""

    @property
    def sizes(self) -> tuple[int, ...]:
        """The rows of each bucket, at most."""

    def bucket(self, numbers: Sequence[int], bound: TimeBound | None) -> Reader:
        """The rows of these buckets. Where they carry no `__sequence`, rows of equal keys that happened at once come in sequence order."""


@runtime_checkable
class Laid(Protocol):
    """A reader of rows that may lie in buckets."""

    def laid(self, keys: Mapping[str, pl.DataType]) -> Layout | None:
        """How rows lie by some of these keys; None where they do not."""


def layout(reader: Reader, keys: Mapping[str, pl.DataType]) -> Layout | None:
    """How the rows of a reader lie by some of these keys, where they do and the engine would split questions just so."""
    found = reader.laid(keys) if isinstance(reader, Laid) else None
    return found if found is not None and found.hash_version == HASH_VERSION else None


def unordered(reader: Reader) -> Reader:
    """The rows as they lie, where they carry `__sequence`: what costs least for those who do not read by order. Else the reader."""
    if not isinstance(reader, Divisible) or SEQUENCE not in reader.schema():
        return reader
    return reader.stretch(0, reader.cuts()[-1])


def batches(reader: Reader, columns: Sequence[str], bound: TimeBound | None) -> Iterator[pl.DataFrame]:
    """The rows of a reader, a few at a time if it can, in frames whose columns are in one piece each."""
    if isinstance(reader, Batched):
        yield from reader.batches(columns, bound)
    else:
        yield reader.read(columns, bound).rechunk()


def pinned(reader: Reader) -> Reader:
    """The reader of the rows as they are now, where it can hold on to them: reading other rows later is an error then."""
    made: Reader | None = reader.pinned() if isinstance(reader, Pinnable) else None
    return reader if made is None else made


def height(reader: Reader) -> int | None:
    """How many rows there are, if that is known without reading them."""
    if isinstance(reader, Loaded):
        return reader.frame.height
    return reader.cuts()[-1] if isinstance(reader, Divisible) else None


def width(schema: dict[str, pl.DataType], columns: Sequence[str]) -> int:
    """About how many bytes a row takes in memory; a column that is not there will be refused when it is read."""
    return sum(_bytes(schema[name]) for name in columns if name in schema)


def pieces(reader: Reader, rows: int) -> list[tuple[int, Reader]]:
    """The reader in parts of about so many rows each, one after another, with the number of each part's first row."""
    if isinstance(reader, Loaded):
        firsts = range(0, max(reader.frame.height, 1), rows)
        return [(first, Loaded(reader.frame.slice(first, rows), reader.name)) for first in firsts]
    if not isinstance(reader, Divisible):
        return [(0, reader)]
    chosen = _chosen(reader.cuts(), rows)
    return [(first, reader.stretch(first, last)) for first, last in pairwise(chosen)]


def _chosen(cuts: Sequence[int], rows: int) -> list[int]:
    """Some of the cuts, about `rows` apart; the first and the last among them."""
    out = [cuts[0]]
    for before, cut in pairwise(cuts):
        if cut - out[-1] > rows and before > out[-1]:
            out.append(before)
    return [*out, cuts[-1]]


def _bytes(dtype: pl.DataType) -> int:
    if isinstance(dtype, pl.Boolean | pl.Int8 | pl.UInt8):
        return 1
    if isinstance(dtype, pl.Int16 | pl.UInt16):
        return 2
    if isinstance(dtype, pl.Int32 | pl.UInt32 | pl.Float32 | pl.Date):
        return 4
    if isinstance(dtype, pl.List):
        return _ENTRIES * _bytes(inner_of(dtype))
    return 8 if dtype.is_numeric() or dtype.is_temporal() else _TEXT_BYTES
