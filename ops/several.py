"""What folds that give k of the values share: k, the type, states that hold values themselves, and the lists made of them."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
import polars as pl

from ..engine.errors import Invalid
from ..engine.folds.column import Array, Column, Index, physical
from ..engine.folds.lists import Lists, column_of
from ..engine.language.dtype import inner_of, settled
from ..engine.language.fold import Fold, State
from ..engine.record import record
from .gathered import entries, joined, none
from .kinds import ANY, NULL, refused

_MOST = 10_000  # what a row online may weigh: 80 KB of numbers


@record
class Several(Fold):
    """A fold whose value is a list of up to k values. State: the values that may still be among them, nulls as None."""

    k: int

    holds_values = True

    def __post_init__(self) -> None:
        if isinstance(self.k, bool) or not isinstance(self.k, int) or not 1 <= self.k <= _MOST:
            raise Invalid(f"{self.name}({self.k!r}): k is how many values to give, a whole number from 1 to {_MOST:,}.")

    @property
    def longest(self) -> int:  # type: ignore[override]  # one for most folds, here a choice
        """As many as are asked for."""
        return self.k

    def result(self, dtype: pl.DataType) -> pl.DataType:
        """A list of values of the column."""
        if dtype not in ANY or dtype in NULL:
            raise refused(self.name, "a number, Boolean, String, time or Duration", dtype)
        return pl.List(settled(dtype))

    def lift(self, column: Column) -> State:
        """The value."""
        values = self._values(column)
        return (entries([values[row : row + 1] for row in range(len(values))]),)

    def empty(self, n: int, column: Column) -> State:
        """No value."""
        return none(n, self._values(column.slice(slice(0))))

    def merge(self, a: State, b: State) -> State:
        """Those of both that may still be among the k."""
        return joined(a, b, self._both)

    def value(self, state: State, dtype: pl.DataType) -> Column:
        """The list, null where there is no value."""
        inner = inner_of(dtype)
        kind = np.dtype(np.object_) if self.sees_nulls else physical(inner)
        held = np.concatenate([np.empty(0, dtype=kind), *(self._told(values) for values in state[0])])
        counts = np.array([len(values) for values in state[0]], dtype=np.int64)
        column = _with_nulls(held, inner) if self.sees_nulls else Column(inner, held)
        return lists(dtype, np.cumsum(counts) - counts, counts, column)

    def _values(self, column: Column) -> Array:
        """The values as states hold them."""
        if not self.sees_nulls:
            return column.values
        values = column.values.astype(np.object_)
        values[~column.is_valid()] = None
        return values

    @abstractmethod
    def _both(self, one: Array, other: Array) -> Array:
        """The values of two states, those of the second later."""

    @abstractmethod
    def _told(self, values: Array) -> Array:
        """The values of a state in the order of the list."""


def lists(dtype: pl.DataType, starts: Index, counts: Index, column: Column) -> Column:
    """The column of lists of the entries of another, which it does not keep; null where a list would be empty."""
    some = counts > 0
    return column_of(dtype, Lists(starts, counts, column).packed(), None if some.all() else some)


def _with_nulls(values: Array, dtype: pl.DataType) -> Column:
    """The column of Python values, None for null."""
    valid = np.array([value is not None for value in values], dtype=np.bool_)
    out = Column.nulls(len(values), dtype).values
    out[valid] = values[valid]
    return Column(dtype, out, valid)
