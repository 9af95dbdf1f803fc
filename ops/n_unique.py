"""How many different values there are."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from ..engine.folds.column import Column, Index
from ..engine.folds.ranks import earlier, keys
from ..engine.folds.wavelet import Wavelet
from ..engine.language.fold import Fold, Ranged, State
from ..engine.language.registry import fold
from ..engine.record import record
from .gathered import distinct, joined, none, single
from .kinds import ANY, accept


@fold
@record
class NUnique(Fold):
    """The number of different values, exactly; nulls do not count. Int64, 0 for an empty window. NaN is one value, -0.0 equals 0.0.

    State: the values. In bulk a value counts where its previous occurrence lies before the range (3 to 16 bytes a row: see `Wavelet`).
    """

    name = "n_unique"
    holds_values = True

    def result(self, dtype: pl.DataType) -> pl.DataType:
        """Int64."""
        accept(self.name, ANY, dtype)
        return pl.Int64()

    def lift(self, column: Column) -> State:
        """The value."""
        return single(column.values)

    def empty(self, n: int, column: Column) -> State:
        """No value."""
        return none(n, column.values)

    def merge(self, a: State, b: State) -> State:
        """The values of both, each once."""
        return joined(a, b, distinct)

    def value(self, state: State, dtype: pl.DataType) -> Column:
        """How many there are."""
        return Column(dtype, np.array([len(values) for values in state[0]], dtype=np.int64))

    def meaning(self, values: list[Any]) -> Any:
        """The size of a set, all NaN being one."""
        return len({"NaN" if value != value else (value,) for value in values})

    def bulk(self, column: Column, offsets: Index, dtype: pl.DataType) -> Ranged:
        """The rows of each range whose value was not there before."""
        before = Wavelet.of(earlier(keys(column.values), offsets), offsets)
        return lambda start, stop: Column(dtype, before.at_most(start, stop, start))
