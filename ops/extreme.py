"""The least and the greatest value."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
import polars as pl

from ..engine.folds.column import Array, Column, Index, physical
from ..engine.folds.ranges import Over, greatest, least
from ..engine.language.fold import Fold, Ranged, State
from ..engine.language.registry import fold
from ..engine.record import record
from .kinds import ANY, NULL, refused

_SIGN = np.uint64(2**63)


class _Extreme(Fold):
    """What min and max share. State: the value, and whether there is one."""

    def result(self, dtype: pl.DataType) -> pl.DataType:
        """The type of the column."""
        if dtype not in ANY or dtype in NULL:
            raise refused(self.name, "a number, Boolean, String, time or Duration", dtype)
        return dtype

    def lift(self, column: Column) -> State:
        """The value."""
        return _plain(column.values), np.ones(len(column), dtype=np.bool_)

    def empty(self, n: int, column: Column) -> State:
        """No value."""
        none = Column.nulls(n, column.dtype)
        return none.values, none.is_valid()

    def merge(self, a: State, b: State) -> State:
        """The better of both; the only one where one is missing."""
        with np.errstate(invalid="ignore"):
            best = self._better(a[0], b[0])
        return np.where(a[1], np.where(b[1], best, a[0]), b[0]), a[1] | b[1]

    def value(self, state: State, dtype: pl.DataType) -> Column:
        """The value, null where there is none."""
        return Column(dtype, state[0], state[1])

    def bulk(self, column: Column, offsets: Index, dtype: pl.DataType) -> Ranged:
        """The best of each range."""
        over, kind, stored = self._best(_sortable(column.values)), physical(dtype), column.values.dtype

        def ranged(start: Index, stop: Index) -> Column:
            return Column(dtype, _unsorted(over(start, stop), stored).astype(kind, copy=False), start < stop)

        return ranged

    @abstractmethod
    def _better(self, a: Array, b: Array) -> Array:
        """The better of two, elementwise; NaN if either is."""

    @abstractmethod
    def _best(self, values: Array) -> Over:
        """The best of ranges."""


@fold
@record
class Min(_Extreme):
    """The least value (of Strings the first by code point); NaN if one is in the window, null for an empty window."""

    name = "min"

    def meaning(self, values: list[Any]) -> Any:
        """The least, unless one is NaN."""
        return next((value for value in values if value != value), min(values, default=None))

    def _better(self, a: Array, b: Array) -> Array:
        return np.minimum(a, b)

    def _best(self, values: Array) -> Over:
        return least(values)


@fold
@record
class Max(_Extreme):
    """The greatest value (of Strings the last by code point); NaN if one is in the window, null for an empty window."""

    name = "max"

    def meaning(self, values: list[Any]) -> Any:
        """The greatest, unless one is NaN."""
        return next((value for value in values if value != value), max(values, default=None))

    def _better(self, a: Array, b: Array) -> Array:
        return np.maximum(a, b)

    def _best(self, values: Array) -> Over:
        return greatest(values)


def _plain(values: Array) -> Array:
    """Without negative zeros: which of two equal zeros wins would depend on how the rows are cut."""
    return values + values.dtype.type(0) if values.dtype.kind == "f" else values


def _sortable(values: Array) -> Array:
    """The values in one of the few types the compiled loops are made for, in the same order."""
    if values.dtype == np.uint64:
        return (values ^ _SIGN).view(np.int64)
    if values.dtype == np.object_:
        return values
    return values.astype(np.float64 if values.dtype.kind == "f" else np.int64, copy=False)


def _unsorted(values: Array, dtype: Any) -> Array:
    return values.view(np.uint64) ^ _SIGN if dtype == np.uint64 else values
