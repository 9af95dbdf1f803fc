"""A column that is made stretch by stretch."""

from __future__ import annotations

from typing import cast

import numpy as np
import polars as pl

from ..language.dtype import inner_of
from .column import Array, Column, Index, Mask, physical
from .lists import Room
from .memory import fresh, nowhere
from .positions import put_at


class Filling:
    """The places of n values; any number of threads may fill different ones."""

    def __init__(self, dtype: pl.DataType, n: int) -> None:
        self.dtype = dtype
        lists = isinstance(dtype, pl.List)
        self.values: Array = cast("Array", Room(n, inner_of(dtype))) if lists else fresh(n, physical(dtype))
        self.missing: Mask = nowhere(n)
        self.nullable = False  # until something is missing

    def put(self, rows: slice, column: Column) -> None:
        """Write a stretch."""
        self.values[rows] = column.values
        if column.valid is not None:
            self.nullable = True
            np.logical_not(column.valid, out=self.missing[rows])

    def scatter(self, rows: Index, column: Column) -> None:
        """Write the values of some rows."""
        put_at(column.values, rows, self.values)
        if column.valid is not None:
            self.nullable = True
            put_at(~column.valid, rows, self.missing)

    def column(self) -> Column:
        """All of it, once it is filled."""
        if not self.nullable:
            return Column(self.dtype, self.values)
        return Column(self.dtype, self.values, np.logical_not(self.missing, out=self.missing))
