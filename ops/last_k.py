"""The first and the last k values by time."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
import polars as pl

from ..engine.folds.column import Array, Column, Index
from ..engine.language.fold import Ranged
from ..engine.language.registry import fold
from ..engine.record import record
from .several import Several, lists


@record
class _Nearest(Several):
    """What first_k and last_k share."""

    ignore_nulls: bool = True

    @property
    def sees_nulls(self) -> bool:  # type: ignore[override]  # a constant for most folds, here a choice
        """A null is left out unless it is asked for."""
        return not self.ignore_nulls

    def bulk(self, column: Column, offsets: Index, dtype: pl.DataType) -> Ranged:
        """Stretches of the column at one end of each range."""
        entries = self._ordered(column)

        def ranged(start: Index, stop: Index) -> Column:
            counts = np.minimum(stop - start, self.k)
            return lists(dtype, self._begin(start, stop, len(column)), counts, entries)

        return ranged

    @abstractmethod
    def _ordered(self, column: Column) -> Column:
        """The column in the order of the lists."""

    @abstractmethod
    def _begin(self, start: Index, stop: Index, n: int) -> Index:
        """Where the lists of ranges of n rows begin in it."""


@fold
@record
class FirstK(_Nearest):
    """A list of the earliest k values in the window, earliest first, fewer where there are fewer; null for an empty window.

    Nulls are left out; with `ignore_nulls=False` they are values. k is 1 to 10,000. In Chronon this is FIRST_K.
    """

    name = "first_k"

    def meaning(self, values: list[Any]) -> Any:
        """The first of the list."""
        return values[: self.k] or None

    def _both(self, one: Array, other: Array) -> Array:
        return np.concatenate([one, other[: self.k - len(one)]])

    def _told(self, values: Array) -> Array:
        return values

    def _ordered(self, column: Column) -> Column:
        return column

    def _begin(self, start: Index, stop: Index, n: int) -> Index:
        return start


@fold
@record
class LastK(_Nearest):
    """A list of the latest k values in the window, latest first, fewer where there are fewer; null for an empty window.

    Nulls are left out; with `ignore_nulls=False` they are values. k is 1 to 10,000. Values of one event_time follow, as with `last`,
    (known_time, sequence). In Chronon this is LAST_K.
    """

    name = "last_k"

    def meaning(self, values: list[Any]) -> Any:
        """The last of the list, backwards."""
        return values[-self.k :][::-1] or None

    def _both(self, one: Array, other: Array) -> Array:
        return np.concatenate([one, other])[-self.k :]

    def _told(self, values: Array) -> Array:
        return values[::-1]

    def _ordered(self, column: Column) -> Column:
        return column.slice(slice(None, None, -1))

    def _begin(self, start: Index, stop: Index, n: int) -> Index:
        return n - stop
