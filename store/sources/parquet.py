"""Rows of Parquet files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate
from typing import ClassVar

import polars as pl

from ...engine.errors import Conflict, Invalid
from ...engine.plan.reader import Reader, TimeBound
from ...engine.record import record
from .files import files, is_address
from .scanning import ScannedFiles, refusing, selected

_SMALL = 1_000_000  # rows; a file of no more is not cut, and nobody need read where it could be


@dataclass(frozen=True, repr=False, init=False)
class Parquet(ScannedFiles):
    """A reader of a Parquet file, the files of a folder, those of a glob, or an object-store address.

    Rows come in path order, then as they stand in the file. The files must have the same columns. Whole row groups outside a bound
    are not decoded.
    """

    format_name: ClassVar[str] = "Parquet"
    endings: ClassVar[tuple[str, ...]] = (".parquet", ".pq")

    def scan(self) -> pl.LazyFrame:
        """All rows, file by file."""
        return pl.scan_parquet(files(self.path, self.endings), hive_partitioning=False)

    def pinned(self) -> PinnedParquet | None:
        """The files as they are now, which can be read in parts; None for an object store. Files of unlike columns are refused."""
        if is_address(self.path):
            return None
        with refusing(self.describe()):
            paths = [
                os.path.abspath(path) for path in files(self.path, self.endings)
            ]  # a task may run in another folder
            first, *others = [_types(path) for path in paths]
            for path, types in zip(paths[1:], others, strict=True):
                _refuse_unlike(paths[0], first, path, types)
            return PinnedParquet(self, tuple(first.items()), tuple(map(_pinned, paths)))


@record
class _File:
    """A file as it was when it was pinned."""

    path: str
    size: int
    changed_ns: int
    rows: int

    @cached_property
    def groups(self) -> list[int]:
        """The rows of each row group; those of a small file count as one."""
        return _groups(self.path) if self.rows > _SMALL else [self.rows]

    def check(self) -> None:
        """Raise `Conflict` where it is another file by now."""
        now = os.stat(self.path)
        if (now.st_size, now.st_mtime_ns) != (self.size, self.changed_ns):
            raise Conflict(f"{self.path!r} was written while it was read. Run it again when it is at rest.")


@record
class PinnedParquet:
    """Parquet files that must not change; rows [first, last) of them, `last` None for all."""

    source: Parquet
    types: tuple[tuple[str, pl.DataType], ...]
    held: tuple[_File, ...]
    first: int = 0
    last: int | None = None

    def schema(self) -> dict[str, pl.DataType]:
        """Names and types of all columns."""
        return dict(self.types)

    def cuts(self) -> Sequence[int]:
        """Where row groups begin, and the number of rows."""
        begins = [0, *accumulate(rows for file in self.held for rows in file.groups)]
        last = begins[-1] if self.last is None else self.last
        return [begin - self.first for begin in begins if self.first <= begin <= last]

    def stretch(self, first: int, last: int) -> Reader:
        """The rows [first, last) of these."""
        return replace(self, first=self.first + first, last=self.first + last)

    def read(self, columns: Sequence[str], bound: TimeBound | None = None) -> pl.DataFrame:
        """The columns of these rows, in order."""
        for file in self.held:
            file.check()
        with refusing(self.describe()):
            return selected(self._scan(), columns, bound)

    def files(self) -> Sequence[str]:
        """Their paths."""
        return [file.path for file in self.held]

    def fingerprint(self) -> str:
        """Paths, lengths and times of the last change."""
        return repr((self.held, self.first, self.last))

    def describe(self) -> str:
        """The format and the path."""
        return self.source.describe()

    def _scan(self) -> pl.LazyFrame:
        """The stretch, file by file, so that no other file is opened."""
        parts, begin = [], 0
        for file in self.held:
            end = begin + file.rows
            low, high = max(self.first, begin), end if self.last is None else min(self.last, end)
            if low < high:
                scan = _scanned(file.path).select(name for name, _ in self.types)
                parts.append(scan if (low, high) == (begin, end) else scan.slice(low - begin, high - low))
            begin = end
        return pl.concat(parts) if parts else _scanned(self.held[0].path).head(0)


def _pinned(path: str) -> _File:
    status = os.stat(path)
    rows = _scanned(path).select(pl.len()).collect().item()
    return _File(path, status.st_size, status.st_mtime_ns, rows)


def _scanned(path: str) -> pl.LazyFrame:
    return pl.scan_parquet(path, hive_partitioning=False)


def _types(path: str) -> dict[str, pl.DataType]:
    return dict(_scanned(path).collect_schema())


def _refuse_unlike(first: str, types: dict[str, pl.DataType], path: str, found: dict[str, pl.DataType]) -> None:
    """Files of one source have the same columns, in whatever order; a piece of one must not mean something else than another."""
    if found == types:
        return
    name = next(name for name in [*types, *found] if types.get(name) != found.get(name))
    says, other = (str(kind.get(name, "no such column")) for kind in (types, found))
    raise Invalid(
        f"column {name!r} is {says} in {first!r} and {other} in {path!r}. Write the files alike, or name one of them."
    )


def _groups(path: str) -> list[int]:
    """The rows of each row group."""
    import pyarrow.parquet as pq  # only here: it takes 35 ms to load

    found = pq.read_metadata(path)
    return [found.row_group(number).num_rows for number in range(found.num_row_groups)]
