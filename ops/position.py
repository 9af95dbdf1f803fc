"""The first and the last value by time."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
import polars as pl

from ..engine.folds.column import Column, Index
from ..engine.language.fold import Fold, Ranged, State
from ..engine.language.registry import fold
from ..engine.record import record
from .kinds import ANY, accept


@record
class _Position(Fold):
    """What first and last share. State: the value, whether it is not null, and whether there is a row."""

    ignore_nulls: bool = False

    @property
    def sees_nulls(self) -> bool:  # type: ignore[override]  # a constant for most folds, here a choice
        """A null is a value unless nulls are ignored."""
        return not self.ignore_nulls

    def result(self, dtype: pl.DataType) -> pl.DataType:
        """The type of the column."""
        accept(self.name, ANY, dtype)
        return dtype

    def lift(self, column: Column) -> State:
        """The entry of the row."""
        return column.values, column.is_valid(), np.ones(len(column), dtype=np.bool_)

    def empty(self, n: int, column: Column) -> State:
        """No row."""
        none = Column.nulls(n, column.dtype)
        return none.values, none.is_valid(), none.is_valid()

    def value(self, state: State, dtype: pl.DataType) -> Column:
        """The entry, null where there is no row."""
        return Column(dtype, state[0], state[1] & state[2])

    def bulk(self, column: Column, offsets: Index, dtype: pl.DataType) -> Ranged:
        """The entry at one end of each range."""

        def ranged(start: Index, stop: Index) -> Column:
            if not len(column):
                return Column.nulls(len(start), dtype)
            empty = start == stop
            taken = column.take(np.where(empty, 0, self._index(start, stop)))
            return taken.null_where(empty) if empty.any() else taken

        return ranged

    @abstractmethod
    def _index(self, start: Index, stop: Index) -> Index:
        """Which entry it is."""


def _rather(a: State, b: State) -> State:
    """The states of `a`, those of `b` where `a` has no row."""
    return tuple(np.where(a[2], mine, other) for mine, other in zip(a, b, strict=True))


@fold
@record
class First(_Position):
    """The earliest value in the window. A null counts as a value unless `ignore_nulls`; null for an empty window."""

    name = "first"

    def merge(self, a: State, b: State) -> State:
        """The earlier."""
        return _rather(a, b)

    def meaning(self, values: list[Any]) -> Any:
        """The first of the list."""
        return values[0] if values else None

    def _index(self, start: Index, stop: Index) -> Index:
        return start


@fold
@record
class Last(_Position):
    """The latest value in the window. A null counts as a value unless `ignore_nulls`; null for an empty window."""

    name = "last"
    latest = True

    def merge(self, a: State, b: State) -> State:
        """The later."""
        return _rather(b, a)

    def meaning(self, values: list[Any]) -> Any:
        """The last of the list."""
        return values[-1] if values else None

    def _index(self, start: Index, stop: Index) -> Index:
        return stop - 1
