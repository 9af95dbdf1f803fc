"""Values that are sums over ranges, or sums over lengths: count, sum and mean. Their plain form lets `fused` take many in one pass."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from .column import Column, Index, physical
from .ranges import Over, divided


@dataclass(frozen=True, eq=False)
class Summed:
    """A function from ranges to sums of type `dtype`, or to sums over lengths, null where a range is empty."""

    over: Over
    dtype: pl.DataType
    per_row: bool = False

    def __call__(self, start: Index, stop: Index) -> Column:
        """The value of each range."""
        sums = self.over(start, stop)
        if self.per_row:
            return Column(self.dtype, *divided(sums, start, stop))
        return Column(self.dtype, sums.astype(physical(self.dtype), copy=False))
