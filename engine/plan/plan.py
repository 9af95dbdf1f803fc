"""The plan: what is read, folded and put together to answer a training set. Frozen nodes; rules make new ones.

Select(outputs) <- Join(spine, At, At, ...) <- At(asks) <- Scan(source)
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import numpy as np
import polars as pl

from ..folds.ask import Ask
from ..folds.column import Index
from ..language.duration import written
from ..language.expr import Expr
from ..language.instant import instants, written_instant
from ..language.nodes import FoldOver
from ..language.source import SourceSpec
from ..record import record
from .reader import Reader, TimeBound
from .way import WHOLE, Resources, Way

SELECT, JOIN, SPINE = "Select", "Join", "Spine"  # the names of a plan's nodes


def at_name(number: int) -> str:
    """The name of a plan's At, by its place among the sides."""
    return f"At {number + 1}"


def scan_name(number: int) -> str:
    """The name of the scan beneath it."""
    return f"Scan {number + 1}"


@record
class Spine:
    """The questions: a table with keys, the column that holds the time asked at, and request fields."""

    reader: Reader
    schema: Mapping[str, pl.DataType]
    time: str
    request: Mapping[str, str]  # request field -> spine column
    known: str | int | None = None  # a column, one instant (microseconds UTC), or None: as known at the time asked

    def times(self, frame: pl.DataFrame) -> Index:
        """When each row of the spine asks, microseconds UTC."""
        return instants(frame[self.time], f"the spine's {self.time!r}")

    def known_times(self, frame: pl.DataFrame) -> Index | None:
        """What is known to each row, microseconds UTC; None: what was known at the time it asks at."""
        if isinstance(self.known, str):
            return instants(frame[self.known], f"known_at column {self.known!r}")
        return None if self.known is None else np.full(frame.height, self.known)

    def describe(self) -> str:
        """One line for people."""
        known = f", known_at={self.known}" if self.known is not None else ""
        return f"Spine {self.reader.describe()} at={self.time}{known}"


@record(eq=False)  # by identity: == of filters is an expression and no answer
class Scan:
    """Rows of a source: some columns, perhaps within a time bound, perhaps those alone that pass a filter."""

    source: SourceSpec
    reader: Reader
    columns: tuple[str, ...]
    bound: TimeBound | None = None
    kept: Expr | None = None

    @property
    def may_leave_out(self) -> bool:
        """Whether rows can be left out before versions are settled: none that is left out may end one that is not."""
        return self.source.row_id is None or getattr(self.reader, "settled", False)

    def describe(self) -> str:
        """One line for people."""
        columns = ", ".join(self.columns) + (f"; {self.within}" if self.within else "")
        return " ".join(filter(None, (f"Scan {self.source.name} from {self.reader.describe()}: {columns}", self.where)))

    @property
    def within(self) -> str:
        """The time bound in words, "" where there is none."""
        bound = self.bound
        return "" if bound is None else f"{bound.column} in [{moment(bound.first)}, {moment(bound.last)}]"

    @property
    def where(self) -> str:
        """The filter in words, "" where there is none."""
        return "" if self.kept is None else f"where {self.kept!r}"


@record
class Folding:
    """One fold of an At: the slot it fills, the expression, and the clocks and ttl of the view it stands in."""

    slot: str
    node: FoldOver
    clocks: tuple[int, ...]
    ttl: int | None

    @property
    def same(self) -> tuple[object, ...]:
        """Equal for foldings that always have equal values."""
        return (self.node.identity, id(self.node.source), self.clocks, self.ttl)

    @property
    def reach(self) -> int | None:
        """How far before the time asked a row can matter, in microseconds; None is for ever."""
        back = self.node.window.reach
        return None if back is None else back + sum(self.clocks)

    def ask(self) -> Ask:
        """The fold as the driver takes it."""
        node = self.node
        arg, kept = (None if part is None else part.identity for part in (node.arg, node.kept))
        return Ask(self.slot, node.fold, arg, kept, node.window, node.dtype, self.clocks, self.ttl)

    def describe(self) -> str:
        """One line for people."""
        clocks = "".join(f" every {written(step)}" for step in self.clocks)
        ttl = f" ttl {written(self.ttl)}" if self.ttl is not None else ""
        return f"{self.slot} = {self.node!r}{clocks}{ttl}"


@record
class At:
    """Folds over one source by one set of keys, at the spine's times."""

    scan: Scan
    keys: tuple[tuple[str, pl.DataType], ...]
    foldings: tuple[Folding, ...]
    way: Way = WHOLE

    @cached_property
    def asks(self) -> tuple[Ask, ...]:
        """The folds as the driver takes them."""
        return tuple(folding.ask() for folding in self.foldings)

    @cached_property
    def parts(self) -> dict[str, Expr]:
        """What is folded or filtered by, by content key: the columns computed on the source's rows."""
        return {child.identity: child for folding in self.foldings for child in folding.node.children}

    @property
    def reach(self) -> int | None:
        """How far before the time asked a row can matter, in microseconds; None is for ever."""
        reaches = [folding.reach for folding in self.foldings]
        return None if None in reaches else max(reach for reach in reaches if reach is not None)

    def describe(self) -> str:
        """One line for people."""
        keys = ", ".join(name for name, _ in self.keys) or "nothing (global)"
        way = "" if self.way == WHOLE else f", {self.way.describe()}"
        return f"At by {keys}: {len(self.foldings)} folds{way}"


@record
class Join:
    """The spine with the slots of every At beside it, row by row."""

    spine: Spine
    sides: tuple[At, ...]


@record
class Output:
    """One feature column: its expression over slots and request fields, and the slots that it reads or that tell its status."""

    name: str
    expr: Expr
    default: object
    slots: tuple[str, ...]


@record
class Plan:
    """The Select on top: the output columns, in order; and whether statuses are asked beside the values.

    A status tells whether any row was in a window, whatever filter a fold has. Without statuses a plan may leave out more.
    """

    input: Join
    outputs: tuple[Output, ...]
    statuses: bool = True
    resources: Resources | None = None  # what the run may use; None while nobody asks for a run

    def __str__(self) -> str:
        lines = ["Select"]
        lines += [f"  {output.name} = {output.expr!r}" for output in self.outputs]
        lines += ["  Join", f"    {self.input.spine.describe()}"]
        for side in self.input.sides:
            lines += [f"    {side.describe()}"]
            lines += [f"      {folding.describe()}" for folding in side.foldings]
            lines += [f"      {side.scan.describe()}"]
        return "\n".join(lines)


def moment(instant: int | None) -> str:
    """An end of a bound in words; an open one is a dash."""
    return "-" if instant is None else written_instant(instant)
