"""Rows of CSV files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from typing import Any, ClassVar

import polars as pl

from ...engine.errors import Invalid, UnknownColumn, did_you_mean
from ...engine.language import dtype as types
from .files import files
from .scanning import ScannedFiles

# A type is guessed from so many rows; a later row that does not fit it is refused, not made null.
_TYPED_BY_ROWS = 10_000


@dataclass(frozen=True, repr=False, init=False)
class Csv(ScannedFiles):
    """A reader of a CSV file with a header, the files of a folder, those of a glob, or an object-store address.

    Types, dates and times included, are read off the first rows; `schema` says those of some or all columns instead.
    """

    format_name: ClassVar[str] = "CSV"
    endings: ClassVar[tuple[str, ...]] = (".csv", ".csv.gz", ".csv.zst", ".tsv", ".txt")
    declared: Mapping[str, pl.DataType]
    separator: str

    def __init__(
        self, path: str | PathLike[str], *, schema: Mapping[str, Any] | None = None, separator: str = ","
    ) -> None:
        if len(separator.encode()) != 1:
            raise Invalid(f"separator={separator!r}: a separator is one ASCII character.")
        super().__init__(path)
        object.__setattr__(self, "declared", types.schema(schema or {}))
        object.__setattr__(self, "separator", separator)

    def scan(self) -> pl.LazyFrame:
        """All rows, file by file, with declared times read from their text."""
        found = files(self.path, self.endings)
        text = {name: pl.String() for name, dtype in self.declared.items() if dtype.is_temporal()}
        scan = pl.scan_csv(
            found,
            separator=self.separator,
            try_parse_dates=True,
            infer_schema_length=_TYPED_BY_ROWS,
            schema_overrides={**self.declared, **text},
        )
        self._check_declared(scan)
        return scan.with_columns(_parsed(name, self.declared[name]) for name in text)

    def _check_declared(self, scan: pl.LazyFrame) -> None:
        known = scan.collect_schema().names()
        for name in self.declared:
            if name not in known:
                raise UnknownColumn(
                    f"schema= names {name!r}, which the file does not have. {did_you_mean(name, known)}"
                )


def _parsed(name: str, dtype: pl.DataType) -> pl.Expr:
    """A declared time read from text."""
    text = pl.col(name).str
    if not isinstance(dtype, pl.Datetime):
        return text.to_date(strict=True) if isinstance(dtype, pl.Date) else pl.col(name).cast(dtype)
    if dtype.time_zone is None:
        return text.to_datetime(time_unit=dtype.time_unit, strict=True)
    return text.to_datetime(time_unit=dtype.time_unit, time_zone=dtype.time_zone, strict=True)
