"""Columns of lists: where each list begins among the entries of all of them, and how many it has.

`Lists` stands where a column of plain values has its numpy array, so that taking, cutting and filtering columns is the same for both. As
in Arrow's list views, lists may share entries and lie in any order, and some entries may be in none. Nothing of numpy works on them: an
operator that does not know of lists fails instead of giving something else.
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock
from typing import Any, NoReturn, cast

import numpy as np
import polars as pl

from ..language.dtype import inner_of
from .column import Array, Column, Index, Mask, concat


class Lists:
    """Lists (n,): number i is entries[starts[i] : starts[i] + counts[i]]. Nobody changes them."""

    __slots__ = ("_entries", "counts", "starts")
    dtype = np.dtype(np.object_)

    def __init__(self, starts: Index, counts: Index, entries: Column) -> None:
        self.starts, self.counts, self._entries = starts, counts, entries

    @property
    def entries(self) -> Column:
        """The entries that lists are stretches of."""
        return self._entries

    @property
    def nbytes(self) -> int:
        """Bytes of the lists alone, whatever else lies between their entries."""
        each = self.entries.values.dtype.itemsize + (self.entries.valid is not None)
        return self.starts.nbytes + self.counts.nbytes + each * int(self.counts.sum())

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, index: Any) -> Lists:
        return Lists(self.starts[index], self.counts[index], self.entries)

    def astype(self, dtype: Any, *, copy: bool = False) -> Lists:
        """Themselves: lists have one form."""
        assert dtype == self.dtype, f"lists are never {dtype}"
        return self

    def tolist(self) -> list[list[Any]]:
        """Lists of physical values, None where an entry is null."""
        entries = self.entries
        values: list[Any] = entries.values.tolist()
        if entries.valid is not None:
            values = [one if there else None for one, there in zip(values, entries.valid.tolist(), strict=True)]
        ends = self.starts + self.counts
        return [values[start:end] for start, end in zip(self.starts.tolist(), ends.tolist(), strict=True)]

    def packed(self) -> Lists:
        """The same with no entries but their own, one list's after another's."""
        starts = np.cumsum(self.counts) - self.counts
        total = int(self.counts.sum())
        if total == len(self.entries) and (starts == self.starts).all():
            return self
        at = np.repeat(self.starts - starts, self.counts)
        at += np.arange(total)
        return Lists(starts, self.counts, self.entries.take(at))

    def spread(self, place: Index, n: int) -> Lists:
        """Each list at its place among n; those placed below 0 are left out."""
        kept = np.flatnonzero(place >= 0)
        at = np.empty(n, dtype=np.int64)
        at[place[kept]] = kept
        return self[at]

    def __reduce__(self) -> tuple[Any, ...]:
        packed = self.packed()
        return _again, (packed.counts, packed.entries)

    def __array__(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError("a column of lists is not a numpy array; use its own methods.")


class Room(Lists):
    """Room for n lists, empty ones at first; any number of threads may put others in different places."""

    __slots__ = ("_lock", "_pieces", "_size")

    def __init__(self, n: int, inner: pl.DataType) -> None:
        super().__init__(np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64), Column.nulls(0, inner))
        self._pieces: list[Column] = []
        self._lock, self._size = Lock(), 0

    @property
    def entries(self) -> Column:
        """The entries of all lists that were put in."""
        with self._lock:
            if self._pieces:
                self._entries = concat([self._entries, *self._pieces]) if len(self._entries) else concat(self._pieces)
                self._pieces = []
            return self._entries

    def __setitem__(self, rows: Any, lists: Lists) -> None:
        packed = lists.packed()
        with self._lock:
            before = self._size
            self._size += len(packed.entries)
            if len(packed.entries):
                self._pieces.append(packed.entries)
        self.starts[rows] = packed.starts + before
        self.counts[rows] = packed.counts


def column_of(dtype: pl.DataType, lists: Lists, valid: Mask | None = None) -> Column:
    """The column of lists."""
    return Column(dtype, cast("Array", lists), valid)


def lists_of(column: Column) -> Lists:
    """The lists of a column of them."""
    return cast("Lists", column.values)


def from_series(series: pl.Series, valid: Mask | None) -> Column:
    """The column of a Polars series of lists."""
    counts = series.list.len().fill_null(0).to_numpy().astype(np.int64)
    entries = Column.from_series(series.explode(empty_as_null=False, keep_nulls=False))
    return column_of(series.dtype, Lists(np.cumsum(counts) - counts, counts, entries), valid)


def to_series(column: Column, name: str) -> pl.Series:
    """The Polars series of a column of lists; entries that follow each other are not copied."""
    import pyarrow as pa  # only here: most columns are not of lists

    packed = lists_of(column).packed()
    ends = np.concatenate([[0], np.cumsum(packed.counts)])
    missing = None if column.valid is None else pa.array(~column.valid)
    made = pa.LargeListArray.from_arrays(pa.array(ends), packed.entries.to_series().to_arrow(), mask=missing)
    series = cast("pl.Series", pl.from_arrow(made)).alias(name)
    return series if series.dtype == column.dtype else series.cast(column.dtype)


def nulls(n: int, dtype: pl.DataType) -> Column:
    """A column of n nulls, which are empty lists beneath."""
    return column_of(dtype, Room(n, inner_of(dtype)), np.zeros(n, dtype=np.bool_))


def joined(columns: Sequence[Column]) -> Array:
    """The lists of columns one after another."""
    parts = [lists_of(column).packed() for column in columns]
    ends = np.cumsum([len(part.entries) for part in parts])
    starts = [part.starts + end - len(part.entries) for part, end in zip(parts, ends, strict=True)]
    entries = concat([part.entries for part in parts])
    return cast("Array", Lists(np.concatenate(starts), np.concatenate([part.counts for part in parts]), entries))


def either(mask: Mask, one: Array, other: Array) -> Array:
    """The lists of `one` where the mask is true, elsewhere those of `other`, which may be a single one."""
    mine, theirs = (cast("Lists", lists).packed() for lists in (one, other))
    starts = np.where(mask, mine.starts, theirs.starts + len(mine.entries))
    counts = np.where(mask, mine.counts, theirs.counts)
    return cast("Array", Lists(starts, counts, concat([mine.entries, theirs.entries])))


def _again(counts: Index, entries: Column) -> Lists:
    return Lists(np.cumsum(counts) - counts, counts, entries)
