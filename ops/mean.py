"""The arithmetic mean."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from ..engine.folds.column import Array, Column, Index
from ..engine.folds.compensated import total, two_sum
from ..engine.folds.summed import Summed, Sums
from ..engine.language.fold import Fold, Ranged, State
from ..engine.language.registry import fold
from ..engine.record import record
from .exact import exact_sum
from .kinds import BOOLEAN, NUMBER, accept


@fold
@record
class Mean(Fold):
    """The mean, a Float64; null for an empty window. For Booleans, the share that is true."""

    name = "mean"

    def result(self, dtype: pl.DataType) -> pl.DataType:
        """Float64."""
        accept("mean", NUMBER | BOOLEAN, dtype)
        return pl.Float64()

    def lift(self, column: Column) -> State:
        """The value, nothing lost yet, one row."""
        n = len(column)
        return column.values.astype(np.float64), np.zeros(n), np.ones(n, dtype=np.int64)

    def empty(self, n: int, column: Column) -> State:
        """No rows that sum to zero."""
        return np.zeros(n), np.zeros(n), np.zeros(n, dtype=np.int64)

    def merge(self, a: State, b: State) -> State:
        """Sums and counts add up."""
        return *two_sum((a[0], a[1]), (b[0], b[1])), a[2] + b[2]

    def value(self, state: State, dtype: pl.DataType) -> Column:
        """The sum over the count."""
        return _ratio(total((state[0], state[1])), state[2], dtype)

    def meaning(self, values: list[Any]) -> Any:
        """The sum without rounding over the count."""
        return exact_sum([float(value) for value in values]) / len(values) if values else None

    def bulk(self, column: Column, offsets: Index, dtype: pl.DataType) -> Ranged:
        """The sum of each range over its length."""
        values = column.values
        # sums of integers up to 32 bits are exact in Int64 and cheaper; those of 64 bits might wrap around
        summed = (
            values if values.dtype.itemsize <= 4 and values.dtype.kind != "f" else values.astype(np.float64, copy=False)
        )
        return Summed(Sums(summed, offsets), dtype, per_row=True)


def _ratio(summed: Array, count: Array, dtype: pl.DataType) -> Column:
    some = count > 0
    if some.all():
        return Column(dtype, summed / count)
    return Column(dtype, summed / np.maximum(count, 1), some)
