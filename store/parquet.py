"""Rows of Parquet files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike, fspath

import polars as pl

from ..engine.reader import TimeBound, within
from .files import files, shown
from .scanning import collected, refusing


@dataclass(frozen=True, repr=False)
class Parquet:
    """A reader of a Parquet file, the files of a folder, those of a glob, or an object-store address.

    Rows come in path order, then as they stand in the file. The files must have the same columns.
    """

    path: str

    def __init__(self, path: str | PathLike[str]) -> None:
        object.__setattr__(self, "path", fspath(path))

    def schema(self) -> dict[str, pl.DataType]:
        """Names and types of all columns."""
        with refusing(self.describe()):
            return dict(self._scan().collect_schema())

    def read(self, columns: Sequence[str], bound: TimeBound | None = None) -> pl.DataFrame:
        """The columns of all rows in sequence order; whole row groups outside the bound are not decoded."""
        with refusing(self.describe()):
            scan = self._scan()
            kept = within(bound, scan.collect_schema()[bound.column]) if bound else None
            return collected(scan, columns, kept)

    def describe(self) -> str:
        """The path, without credentials."""
        return f"Parquet {shown(self.path)}"

    def __repr__(self) -> str:
        return f"Parquet({shown(self.path)!r})"

    def _scan(self) -> pl.LazyFrame:
        return pl.scan_parquet(files(self.path, (".parquet", ".pq")), hive_partitioning=False)
