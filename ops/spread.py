"""Variance and standard deviation."""

from __future__ import annotations

from abc import abstractmethod
from fractions import Fraction
from typing import Any

import numpy as np
import polars as pl

from ..engine.errors import Invalid
from ..engine.folds.column import Array, Column, Index
from ..engine.folds.moments import lifted, merged, nothing, spread, squares_of
from ..engine.language.fold import Fold, Ranged, State
from ..engine.language.registry import fold
from ..engine.record import record
from .kinds import BOOLEAN, NUMBER, accept


@record
class _Spread(Fold):
    """What var and std share. State: see `moments.lifted`."""

    ddof: int = 1

    def __post_init__(self) -> None:
        if not isinstance(self.ddof, int) or isinstance(self.ddof, bool) or self.ddof < 0:
            raise Invalid(f"{self.name}(ddof={self.ddof!r}): ddof is a whole number, 0 or more; 1 for a sample.")

    def result(self, dtype: pl.DataType) -> pl.DataType:
        """Float64."""
        accept(self.name, NUMBER | BOOLEAN, dtype)
        return pl.Float64()

    def lift(self, column: Column) -> State:
        """One number without deviation."""
        return lifted(column.values.astype(np.float64, copy=False))

    def empty(self, n: int, column: Column) -> State:
        """No numbers."""
        return nothing(n)

    def merge(self, a: State, b: State) -> State:
        """The deviations from the common mean."""
        return merged(a, b)

    def value(self, state: State, dtype: pl.DataType) -> Column:
        """The deviations over the count less ddof."""
        return self._column(squares_of(state), state[0], dtype)

    def bulk(self, column: Column, offsets: Index, dtype: pl.DataType) -> Ranged:
        """The deviations of each range over its length less ddof."""
        over = spread(column.values.astype(np.float64, copy=False), offsets)
        return lambda start, stop: self._column(over(start, stop), stop - start, dtype)

    def meaning(self, values: list[Any]) -> Any:
        """By the definition, in fractions."""
        n = len(values)
        if n <= self.ddof:
            return None
        if not all(-np.inf < value < np.inf for value in values):
            return float("nan")
        exact = [Fraction(value) for value in values]
        mean = sum(exact) / n
        return self._of(np.float64(sum((one - mean) ** 2 for one in exact) / (n - self.ddof)))

    def _column(self, squares: Array, count: Index, dtype: pl.DataType) -> Column:
        enough = count > self.ddof
        found = self._of(squares / np.maximum(count - self.ddof, 1))
        return Column(dtype, found, None if enough.all() else enough)

    @abstractmethod
    def _of(self, variance: Any) -> Any:
        """The value for a variance."""


@fold
@record
class Var(_Spread):
    """The variance, a Float64, never negative; null for ddof values or fewer (by default below two), NaN where one is NaN or infinite.

    Exactly 0 where all values are equal. Integers beyond 2^53 count as the nearest float; values more than 1e154 apart give infinity.
    In bulk 32 bytes a row.
    """

    name = "var"

    def _of(self, variance: Any) -> Any:
        return variance


@fold
@record
class Std(_Spread):
    """The standard deviation, a Float64; null for ddof values or fewer (by default below two), NaN where one is NaN or infinite.

    The root of `var`, with its limits.
    """

    name = "std"

    def _of(self, variance: Any) -> Any:
        return np.sqrt(variance)
