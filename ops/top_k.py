"""The k greatest and the k least values."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
import polars as pl

from ..engine.folds.column import Array, Column, Index
from ..engine.folds.ranks import keys, ranked
from ..engine.folds.wavelet import Wavelet
from ..engine.language.dtype import inner_of
from ..engine.language.fold import Ranged
from ..engine.language.registry import fold
from ..engine.record import record
from .gathered import in_order
from .several import Several, lists


class _Outermost(Several):
    """What top_k and bottom_k share. In bulk each value is found by its rank, as quantiles are (see `Wavelet`)."""

    def bulk(self, column: Column, offsets: Index, dtype: pl.DataType) -> Ranged:
        """The same, from the ranks of rows in their groups; as long as k walks down the ranks."""
        own, rows = ranked(keys(column.values), offsets)
        ordered, ranks = self._values(column)[rows], Wavelet.of(own, offsets)

        def ranged(start: Index, stop: Index) -> Column:
            size = stop - start
            counts = np.minimum(size, self.k)
            begin = np.cumsum(counts) - counts
            if not counts.any():
                return Column.nulls(len(start), dtype)
            owner = np.repeat(np.arange(len(start)), counts)
            place = self._place(np.arange(len(owner)) - begin[owner], size[owner])
            found = ordered[ranks.smallest(start[owner], stop[owner], place)]
            return lists(dtype, begin, counts, Column(inner_of(dtype), found))

        return ranged

    def _values(self, column: Column) -> Array:
        """Without negative zeros: which of two equal zeros is among the k would depend on how the rows are cut."""
        values = column.values
        return values + values.dtype.type(0) if values.dtype.kind == "f" else values

    @abstractmethod
    def _place(self, number: Index, size: Index) -> Index:
        """The place, from the least value on, of an entry of the list of a range of so many values."""


@fold
@record
class TopK(_Outermost):
    """A list of the k greatest values in the window, greatest first, fewer where there are fewer; null for an empty window.

    Equal values each count. NaN is greater than everything else, as in comparisons; Strings are in the order of code points. k is 1 to 10,000.
    """

    name = "top_k"

    def meaning(self, values: list[Any]) -> Any:
        """The sorted list, backwards."""
        return _sorted(values)[::-1][: self.k] or None

    def _both(self, one: Array, other: Array) -> Array:
        return in_order(one, other)[-self.k :]

    def _told(self, values: Array) -> Array:
        return values[::-1]

    def _place(self, number: Index, size: Index) -> Index:
        return size - 1 - number


@fold
@record
class BottomK(_Outermost):
    """A list of the k least values in the window, least first, fewer where there are fewer; null for an empty window.

    Equal values each count. NaN is greater than everything else, as in comparisons; Strings are in the order of code points. k is 1 to 10,000.
    """

    name = "bottom_k"

    def meaning(self, values: list[Any]) -> Any:
        """The sorted list."""
        return _sorted(values)[: self.k] or None

    def _both(self, one: Array, other: Array) -> Array:
        return in_order(one, other)[: self.k]

    def _told(self, values: Array) -> Array:
        return values

    def _place(self, number: Index, size: Index) -> Index:
        return number


def _sorted(values: list[Any]) -> list[Any]:
    return sorted(values, key=lambda value: (value != value, value))
