"""What is asked of the driver: a fold over a column, in a window of time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import polars as pl

from ..language.fold import Fold
from ..language.window import End, Sliding, Window
from ..record import record
from .column import Column, Index, Mask


@record
class Span:
    """A window at the clocks of its view, cut off at a ttl. The names of its ends are equal where the ends always are."""

    window: Window
    clocks: tuple[int, ...]
    ttl: int | None

    @cached_property
    def start(self) -> str:
        """Names where it begins."""
        return f"after {self.window} {self.clocks} {self.ttl}"

    @cached_property
    def stop(self) -> str:
        """Names where it ends: windows that differ in width alone end alike."""
        window = self.window
        end = f"{window.delay} {window.closed}" if isinstance(window, Sliding) else str(window)
        return f"upto {end} {self.clocks}"

    @property
    def forever(self) -> bool:
        """Whether it begins with the first row there is."""
        return isinstance(self.window, Sliding) and self.window.width is None and self.ttl is None

    @property
    def may_cross(self) -> bool:
        """Whether it may end before it begins: by a ttl shorter than the delay, or where clocks change."""
        return self.ttl is not None or not isinstance(self.window, Sliding)

    def ends(self, time: Index) -> tuple[End, End]:
        """(after, upto] for each time, which the clocks have rounded down already."""
        after, upto = self.window.ends(time)
        return (after if self.ttl is None else End(time, self.ttl + 1)), upto


@record
class Ask:
    """One fold as it is asked: its column and filter by name, window, and the clocks its time is rounded down to."""

    name: str
    fold: Fold
    column: str | None
    kept: str | None
    window: Window
    dtype: pl.DataType
    clocks: tuple[int, ...] = ()
    ttl: int | None = None

    @property
    def folded(self) -> tuple[object, ...]:
        """Equal for asks that differ in their windows alone: what one prepares of the events serves the other."""
        return self.fold, self.column, self.kept, self.dtype

    @cached_property
    def span(self) -> Span:
        """The stretch of time it sees; ttl counts for folds over "forever" alone."""
        forever = isinstance(self.window, Sliding) and self.window.width is None
        return Span(self.window, self.clocks, self.ttl if forever else None)

    @cached_property
    def whole_span(self) -> Span:
        """The same without the ttl."""
        return Span(self.window, self.clocks, None)


@dataclass(slots=True, eq=False)
class Answer:
    """The value of one fold for every question; and, where it was asked, why there may be none. Nobody changes one."""

    value: Column
    found: Mask | None = None  # some row was in the window
    expired: Mask | None = None  # no row was, but an older one is outside the ttl

    def slice(self, rows: slice) -> Answer:
        """The answers to a stretch of the questions; nothing is copied."""
        found, expired = (None if part is None else part[rows] for part in (self.found, self.expired))
        return Answer(self.value.slice(rows), found, expired)
