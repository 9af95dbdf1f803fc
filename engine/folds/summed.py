"""Values that are sums over ranges, or sums over lengths: count, sum and mean. Their plain form lets `fused` take many in one pass."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

import polars as pl

from ..record import record
from .column import Array, Column, Index, physical
from .ranges import Over, divided, sums


class Sums:
    """Sums of ranges of values, prepared when they are first asked for: folds that sum the same share them."""

    def __init__(self, values: Array, offsets: Index) -> None:
        self._values, self._offsets = values, offsets

    @cached_property
    def over(self) -> Over:
        """The sums."""
        return sums(self._values, self._offsets)

    @property
    def same(self) -> tuple[int, int]:
        """Equal for sums of the same arrays, as long as these are held."""
        return id(self._values), id(self._offsets)


Held = dict[tuple[int, int], tuple[Sums, Over]]


@record(eq=False)
class Summed:
    """A function from ranges to sums of type `dtype`, or to sums over lengths, null where a range is empty."""

    of: Sums | Over
    dtype: pl.DataType
    per_row: bool = False

    @property
    def over(self) -> Over:
        """The sums, or the lengths."""
        return self.of.over if isinstance(self.of, Sums) else self.of

    def sharing(self, held: Held) -> Summed:
        """The same with its sums prepared: those of the same arrays that are held, else its own, which are held from now on."""
        if not isinstance(self.of, Sums):
            return self
        if self.of.same not in held:
            held[self.of.same] = self.of, self.of.over
        return replace(self, of=held[self.of.same][1])

    def __call__(self, start: Index, stop: Index) -> Column:
        """The value of each range."""
        summed = self.over(start, stop)
        if self.per_row:
            return Column(self.dtype, *divided(summed, start, stop))
        return Column(self.dtype, summed.astype(physical(self.dtype), copy=False))
