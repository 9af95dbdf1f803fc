"""Rows of Parquet files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import polars as pl

from .files import files
from .scanning import ScannedFiles


@dataclass(frozen=True, repr=False, init=False)
class Parquet(ScannedFiles):
    """A reader of a Parquet file, the files of a folder, those of a glob, or an object-store address.

    Rows come in path order, then as they stand in the file. The files must have the same columns. Whole row groups outside a bound
    are not decoded.
    """

    format_name: ClassVar[str] = "Parquet"

    def scan(self) -> pl.LazyFrame:
        """All rows, file by file."""
        return pl.scan_parquet(files(self.path, (".parquet", ".pq")), hive_partitioning=False)
