"""Whether any or all of the values are true."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from ..engine.folds.column import Column, Index
from ..engine.folds.ranges import sums
from ..engine.language.fold import Fold, Ranged, State
from ..engine.language.registry import fold
from ..engine.record import record
from .kinds import BOOLEAN, accept


class _Truth(Fold):
    """What any and all share. State: how many are true, and how many there are."""

    def result(self, dtype: pl.DataType) -> pl.DataType:
        """Boolean."""
        accept(self.name, BOOLEAN, dtype)
        return dtype

    def lift(self, column: Column) -> State:
        """One, and whether it is true."""
        return column.values.astype(np.int64), np.ones(len(column), dtype=np.int64)

    def empty(self, n: int, column: Column) -> State:
        """None of none."""
        return np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)

    def merge(self, a: State, b: State) -> State:
        """Both add up."""
        return a[0] + b[0], a[1] + b[1]

    def bulk(self, column: Column, offsets: Index, dtype: pl.DataType) -> Ranged:
        """The value of the counts in each range."""
        over = sums(column.values, offsets)
        return lambda start, stop: self.value((over(start, stop), stop - start), dtype)


@fold
@record
class Some(_Truth):
    """True where some value in the window is true; null for an empty window."""

    name = "any"

    def value(self, state: State, dtype: pl.DataType) -> Column:
        """More than none."""
        return Column(dtype, state[0] > 0, state[1] > 0)

    def meaning(self, values: list[Any]) -> Any:
        """Some is true."""
        return any(values) if values else None


@fold
@record
class All(_Truth):
    """True where every value in the window is true; null for an empty window."""

    name = "all"

    def value(self, state: State, dtype: pl.DataType) -> Column:
        """As many as there are."""
        return Column(dtype, state[0] == state[1], state[1] > 0)

    def meaning(self, values: list[Any]) -> Any:
        """Each is true."""
        return all(values) if values else None
