"""A column of values as the kernels see it: a type, a numpy array, and which entries are valid."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import polars as pl

Array = np.ndarray[Any, np.dtype[Any]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]
Index = np.ndarray[Any, np.dtype[np.int64]]

_PHYSICAL: dict[type[pl.DataType], type[np.generic]] = {
    pl.Boolean: np.bool_,
    pl.Datetime: np.int64,
    pl.Duration: np.int64,
    pl.Date: np.int32,
    pl.String: np.object_,
    pl.Null: np.object_,
    pl.List: np.object_,
}


def physical(dtype: pl.DataType) -> np.dtype[Any]:
    """The numpy type that holds values of a Polars type.

    >>> physical(pl.Datetime("us"))
    dtype('int64')
    """
    kind = _PHYSICAL.get(type(dtype))
    if kind is not None:
        return np.dtype(kind)
    return np.dtype(str(dtype).lower())


@dataclass(slots=True, eq=False)  # not frozen: a served answer makes dozens, and freezing doubles what each costs
class Column:
    """Values of one type with nulls. Nobody changes one.

    `values` (n,) is a numpy array of the type's physical form: Datetime and Duration are int64 microseconds, Date is int32 days,
    String is an object array of str, List is `lists.Lists` of its entries, everything else itself. `valid` (n,) is False where the entry
    is null (its value is then arbitrary but of the right type), or None when no entry is.
    """

    dtype: pl.DataType
    values: Array
    valid: Mask | None = None

    def __len__(self) -> int:
        return len(self.values)

    @staticmethod
    def from_series(series: pl.Series) -> Column:
        """The column of a Polars series; zero-copy for numbers without nulls."""
        dtype = series.dtype
        valid = series.is_not_null().to_numpy() if series.null_count() else None
        if dtype == pl.Null:
            return Column.nulls(len(series), dtype)
        if isinstance(dtype, pl.List):
            from . import lists  # here and below, as lists are made of columns themselves

            return lists.from_series(series, valid)
        plain = series.to_physical() if dtype.is_temporal() else series
        if valid is not None:
            plain = plain.fill_null(_filler(dtype))
        return Column(dtype, plain.to_numpy(), valid)

    def to_series(self, name: str = "") -> pl.Series:
        """The Polars series of this column; zero-copy for numbers."""
        if self.values.dtype == np.object_:
            if isinstance(self.dtype, pl.List):
                from . import lists

                return lists.to_series(self, name)
            texts = self.values
            if self.valid is not None:
                texts = texts.copy()
                texts[~self.valid] = None
            return pl.Series(name, texts.tolist(), dtype=self.dtype)
        series = pl.Series(name, self.values)
        if self.valid is not None:
            series = series.set(pl.Series(~self.valid), None)
        return series if series.dtype == self.dtype else series.cast(self.dtype)

    @staticmethod
    def nulls(n: int, dtype: pl.DataType) -> Column:
        """A column of n nulls."""
        if isinstance(dtype, pl.List):
            from . import lists

            return lists.nulls(n, dtype)
        filler = "" if physical(dtype) == np.object_ else 0
        return Column(dtype, np.full(n, filler, dtype=physical(dtype)), np.zeros(n, dtype=np.bool_))

    @staticmethod
    def filled(n: int, value: object, dtype: pl.DataType) -> Column:
        """A column of n times the same Python value (None gives nulls)."""
        if value is None:
            return Column.nulls(n, dtype)
        one = scalar(value, dtype)
        return Column(dtype, one[np.zeros(n, dtype=np.int64)] if isinstance(dtype, pl.List) else np.repeat(one, n))

    def take(self, index: Index) -> Column:
        """The entries at the given positions."""
        return Column(self.dtype, self.values[index], None if self.valid is None else self.valid[index])

    def slice(self, cut: slice) -> Column:
        """The entries of a slice; nothing is copied."""
        return Column(self.dtype, self.values[cut], None if self.valid is None else self.valid[cut])

    def where(self, mask: Mask) -> Column:
        """The entries for which the mask is true."""
        return Column(self.dtype, self.values[mask], None if self.valid is None else self.valid[mask])

    def null_where(self, mask: Mask) -> Column:
        """The same entries, null also where the mask is true."""
        valid = ~mask if self.valid is None else self.valid & ~mask
        return Column(self.dtype, self.values, valid)

    def is_valid(self) -> Mask:
        """True where the entry is not null."""
        return np.ones(len(self), dtype=np.bool_) if self.valid is None else self.valid


@lru_cache(maxsize=4096)
def _scalar(kind: str, value: Any, dtype: pl.DataType) -> Array:
    assert kind, (
        "1, 1.0 and True are equal, and so are 0.0 and -0.0, so what tells them apart is part of the cache's key"
    )
    return Column.from_series(pl.Series([value], dtype=dtype)).values


def scalar(value: Any, dtype: pl.DataType) -> Array:
    """A Python value, not None, as an array (1,) of the type's physical form; that of a list is a tuple."""
    if isinstance(dtype, pl.List):
        return _scalar(repr(value), value, dtype)
    kind = "-0.0" if isinstance(value, float) and value == 0 and str(value)[0] == "-" else type(value).__name__
    return _scalar(kind, value, dtype)


def concat(columns: list[Column]) -> Column:
    """The columns, which have one type, one after another."""
    if len(columns) == 1:
        return columns[0]
    if isinstance(columns[0].dtype, pl.List):
        from . import lists

        values = lists.joined(columns)
    else:
        values = np.concatenate([column.values for column in columns])
    if all(column.valid is None for column in columns):
        return Column(columns[0].dtype, values)
    return Column(columns[0].dtype, values, np.concatenate([column.is_valid() for column in columns]))


def selected(mask: Mask, one: Array, other: Array) -> Array:
    """Values where the mask is true, elsewhere those of the other, which may be a single one; both of one physical form."""
    if isinstance(one, np.ndarray):
        return np.where(mask, one, other)
    from . import lists

    return lists.either(mask, one, other)


def _filler(dtype: pl.DataType) -> object:
    if isinstance(dtype, pl.String):
        return ""
    return False if isinstance(dtype, pl.Boolean) else 0
