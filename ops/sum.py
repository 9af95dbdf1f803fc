"""The sum."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from ..engine.folds.column import Column, Index, physical
from ..engine.folds.compensated import total, two_sum
from ..engine.folds.summed import Summed, Sums
from ..engine.language.fold import Fold, Ranged, State
from ..engine.language.registry import fold
from ..engine.record import record
from .exact import exact_sum
from .kinds import BOOLEAN, DURATION, FLOAT, NUMBER, accept

_SUMMED = NUMBER | BOOLEAN | DURATION


@fold
@record
class Sum(Fold):
    """The sum; 0 for an empty window. Exact for integers (Int64, UInt64 for UInt64), Booleans and Durations; floats as Float64."""

    name = "sum"

    def result(self, dtype: pl.DataType) -> pl.DataType:
        """Float64 for floats, Int64 for integers and Booleans; UInt64 and Duration stay."""
        accept("sum", _SUMMED, dtype)
        if dtype in FLOAT:
            return pl.Float64()
        return dtype if dtype in DURATION or isinstance(dtype, pl.UInt64) else pl.Int64()

    def lift(self, column: Column) -> State:
        """The value; of a float with nothing lost yet."""
        values = column.values.astype(physical(self.result(column.dtype)), copy=False)
        return (values, np.zeros_like(values)) if column.dtype in FLOAT else (values,)

    def empty(self, n: int, column: Column) -> State:
        """Zero."""
        return tuple(np.zeros(n, dtype=part.dtype) for part in self.lift(column.take(np.arange(0))))

    def merge(self, a: State, b: State) -> State:
        """Sums add up; those of floats carry what rounding lost."""
        return two_sum((a[0], a[1]), (b[0], b[1])) if len(a) == 2 else (a[0] + b[0],)

    def value(self, state: State, dtype: pl.DataType) -> Column:
        """The sum."""
        return Column(dtype, total((state[0], state[1])) if len(state) == 2 else state[0])

    def meaning(self, values: list[Any]) -> Any:
        """The sum without rounding."""
        if any(isinstance(value, float) for value in values):
            return exact_sum(values)
        return sum(values[1:], values[0]) if values else 0

    def bulk(self, column: Column, offsets: Index, dtype: pl.DataType) -> Ranged:
        """The sum of each range."""
        return Summed(Sums(column.values, offsets), dtype)
