"""Rows brought to the types that a source declares, or refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from ...engine.errors import Invalid, WrongType
from ...engine.language import dtype as types
from ...engine.language.source import SourceSpec
from ...engine.plan.pieces import Divisible, Fixed, files_of, pinned
from ...engine.plan.reader import Reader, TimeBound
from ...engine.record import record

_BITS: dict[type[pl.DataType], int] = {
    pl.Int8: 8,
    pl.Int16: 16,
    pl.Int32: 32,
    pl.UInt8: 8,
    pl.UInt16: 16,
    pl.UInt32: 32,
}


def conforming(spec: SourceSpec, reader: Reader) -> Reader:
    """The reader, or one that brings its columns to the source's types where they differ."""
    found = reader.schema()
    same = all(found[name] == dtype for name, dtype in spec.schema.items() if name in found)
    return reader if same else Conforming(reader, dict(spec.schema), spec.name, spec.time_zone or "UTC")


@record
class Conforming:
    """A reader whose rows have the declared types."""

    inner: Reader
    declared: dict[str, pl.DataType]
    name: str
    zone: str = "UTC"

    def schema(self) -> dict[str, pl.DataType]:
        """The columns there are, with declared types where they are declared."""
        return {name: self.declared.get(name, dtype) for name, dtype in self.inner.schema().items()}

    def read(self, columns: Sequence[str], bound: TimeBound | None = None) -> pl.DataFrame:
        """The columns of all rows."""
        frame = self.inner.read(columns, bound)
        typed = [name for name in columns if name in self.declared]
        return frame.with_columns(
            conformed(frame[name], self.declared[name], f"{self.name}.{name}", self.zone) for name in typed
        )

    def files(self) -> Sequence[str]:
        """As the reader inside."""
        return files_of(self.inner)

    def describe(self) -> str:
        """As the reader inside."""
        return self.inner.describe()

    def pinned(self) -> Reader:
        """The same over the reader inside as it is now."""
        inner = pinned(self.inner)
        kind = ConformingParts if isinstance(inner, Divisible) else Conforming
        return kind(inner, self.declared, self.name, self.zone)


@record
class ConformingParts(Conforming):
    """The same over a reader of fixed rows that can be read in parts."""

    def fingerprint(self) -> str:
        """That of the reader inside."""
        assert isinstance(self.inner, Fixed), "readers that can be read in parts are pinned"
        return f"{self.inner.fingerprint()} {self.declared} {self.zone}"

    def cuts(self) -> Sequence[int]:
        """As the reader inside."""
        return self._parts().cuts()

    def stretch(self, first: int, last: int) -> Reader:
        """The rows [first, last), with declared types."""
        return replace(self, inner=self._parts().stretch(first, last))

    def _parts(self) -> Divisible:
        assert isinstance(self.inner, Divisible), "only made over readers that are"
        return self.inner


def conformed(column: pl.Series, dtype: pl.DataType, what: str, zone: str = "UTC") -> pl.Series:
    """The column in the declared type; a value or type that does not fit is refused with its row number.

    Integers of any width, categories as text, whole numbers as floats and units of time fit where nothing is lost. A naive time is one of
    `zone`, whichever of the two types has none.
    """
    if column.dtype == dtype:
        return column
    if not _may_become(column.dtype, dtype):
        raise WrongType(
            f"{what} is {column.dtype}; the source says {dtype}. Convert the column, or declare its type in schema=."
        )
    if (
        isinstance(dtype, pl.Datetime)
        and isinstance(column.dtype, pl.Datetime)
        and dtype.time_zone != column.dtype.time_zone
    ):
        return _whole(_rezoned(column, dtype, what, zone), dtype, what)
    return _whole(column, dtype, what)


def _whole(column: pl.Series, dtype: pl.DataType, what: str) -> pl.Series:
    """The column in a type, refused where a value does not fit or would become another."""
    try:
        made = column.cast(dtype, strict=True)
    except pl.exceptions.PolarsError:
        raise WrongType(f"{what} row {_first_misfit(column, dtype)} does not fit {dtype}.") from None
    lost = _lost(column, made)
    if lost is not None and lost.any():
        row = lost.arg_max() or 0
        raise WrongType(
            f"{what} row {row}: {column[row]!r} is not exact as {dtype}. Round the column, or declare a wider type."
        )
    return made


def _lost(column: pl.Series, made: pl.Series) -> pl.Series | None:
    """Which values became others: whole numbers and times that do not come back, numbers that became infinite. None where none can."""
    if column.dtype.is_integer() and made.dtype.is_float():
        exact = _BITS.get(type(column.dtype), 64) <= (24 if made.dtype == pl.Float32 else 53)
        return None if exact else (made.cast(column.dtype, strict=False) != column).fill_null(column.is_not_null())
    if column.dtype.is_float():
        return made.is_infinite() & column.is_finite()
    return made.cast(column.dtype) != column if isinstance(column.dtype, pl.Datetime | pl.Duration) else None


def _rezoned(column: pl.Series, dtype: pl.Datetime, what: str, zone: str) -> pl.Series:
    """The same instants in the zone that is declared, in the column's own unit."""
    if column.dtype.time_zone is not None:  # type: ignore[attr-defined]
        moved = column.dt.convert_time_zone(dtype.time_zone or zone)
        return moved if dtype.time_zone else moved.dt.replace_time_zone(None)
    local = column.dt.replace_time_zone(zone, ambiguous="null", non_existent="null")
    if local.null_count() > column.null_count():
        row = (local.is_null() & column.is_not_null()).arg_max()
        raise Invalid(
            f"{what} row {row}: {column[row or 0]} is ambiguous or does not exist in {zone}. Give times in UTC."
        )
    return local.dt.convert_time_zone(str(dtype.time_zone))


def _may_become(found: pl.DataType, wanted: pl.DataType) -> bool:
    if isinstance(found, pl.Null) or types.settled(found) == types.settled(wanted):
        return True
    if found.is_integer():
        return wanted.is_integer() or wanted.is_float()
    if found.is_float():
        return wanted.is_float()
    return isinstance(found, pl.Datetime) and isinstance(wanted, pl.Datetime)


def _first_misfit(column: pl.Series, dtype: pl.DataType) -> str:
    misfit = column.cast(dtype, strict=False).is_null() & column.is_not_null()
    row = misfit.arg_max() if misfit.any() else None
    return "?" if row is None else f"{row}: {column[row]!r}"
