"""A Fold: what is known of many rows, as a state that can be merged, and a value read from it.

`lift` makes a state of every row, `merge` joins the states of earlier rows with those of later ones, `value` reads the answer.
`meaning` says the same in plain Python over a list; the laws in tests/ hold every fold to it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

import polars as pl

from ..folds.column import Array, Column, Index
from ..record import record

State = tuple[Array, ...]
Ranged = Callable[[Index, Index], Column]


@record
class Fold(ABC):
    """One way to fold the past. Subclasses are records; their fields are parameters and part of the hash.

    State: a tuple of numpy arrays of equal length, one entry per range. `merge(a, b)` is elementwise and associative, `empty` is its
    identity, and the rows of `a` come before those of `b`.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    sees_nulls: ClassVar[bool] = False  # otherwise the engine drops null entries before the fold sees them
    latest: ClassVar[bool] = False  # True: the value is that of the last row it sees, null where there is none
    longest: ClassVar[int] = 1  # how many values a value holds at most: other than 1 where it is a list
    holds_values: ClassVar[bool] = (
        False  # True: a state holds values it saw, several of them, and not a summary of fixed size
    )
    of_rows: ClassVar[bool] = False  # True: folds rows (`source.count()`); the column given is then the event time

    @abstractmethod
    def result(self, dtype: pl.DataType) -> pl.DataType:
        """The type of the value for a column of this type, or `WrongType`."""

    @abstractmethod
    def lift(self, column: Column) -> State:
        """The state of each single row."""

    @abstractmethod
    def empty(self, n: int, column: Column) -> State:
        """n states of no rows; `column` tells the type."""

    @abstractmethod
    def merge(self, a: State, b: State) -> State:
        """The states of the rows of `a` followed by those of `b`, elementwise."""

    @abstractmethod
    def value(self, state: State, dtype: pl.DataType) -> Column:
        """The value of each state, of type `dtype` (what `result` said); null for what an empty window has no value for."""

    @abstractmethod
    def meaning(self, values: list[Any]) -> Any:
        """The value over a plain list in order (None is null, only seen with `sees_nulls`), by the definition and not by the state."""

    def bulk(self, column: Column, offsets: Index, dtype: pl.DataType) -> Ranged | None:
        """A function from ranges [start, stop) of the column to their values, or None to have the engine fold states.

        What the column needs is prepared here, once; ranges come later, any number of times and in any order, start <= stop. Groups
        begin at `offsets` (the last is the column's end), and no range reaches from one into another.
        """
        return None
