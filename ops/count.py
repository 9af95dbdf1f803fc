"""How many there are."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from ..engine.folds.column import Column, Index
from ..engine.folds.ranges import Lengths
from ..engine.folds.summed import Summed
from ..engine.language.fold import Fold, Ranged, State
from ..engine.language.registry import fold
from ..engine.record import record


@fold
@record
class Count(Fold):
    """The number of rows, or of values that are not null: `tx.count()`, `tx.amount.count()`. Int64, 0 for an empty window."""

    name = "count"
    of_rows = True

    def result(self, dtype: pl.DataType) -> pl.DataType:
        """Int64: a difference of two counts may be negative."""
        return pl.Int64()

    def lift(self, column: Column) -> State:
        """One each."""
        return (np.ones(len(column), dtype=np.int64),)

    def empty(self, n: int, column: Column) -> State:
        """Zero."""
        return (np.zeros(n, dtype=np.int64),)

    def merge(self, a: State, b: State) -> State:
        """Counts add up."""
        return (a[0] + b[0],)

    def value(self, state: State, dtype: pl.DataType) -> Column:
        """The count."""
        return Column(dtype, state[0])

    def meaning(self, values: list[Any]) -> Any:
        """Its length."""
        return len(values)

    def bulk(self, column: Column, offsets: Index, dtype: pl.DataType) -> Ranged:
        """The length of each range."""
        return Summed(Lengths(), dtype)
