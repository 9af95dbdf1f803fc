"""Windows: which stretch of event time a fold sees when it is asked at t.

A window turns asked times into integer ends (after, upto]: an event is inside iff after < event_time <= upto.
Everything else (closed="left", ttl, grids) is a shift of these integers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from ..errors import Invalid
from ..folds.column import Index
from .duration import Duration, microseconds, not_negative, positive, written
from .instant import DAY_US, checked_zone


class End(NamedTuple):
    """One end of a window for every time asked: an instant less a constant. Ends of many windows share their instants."""

    instants: Index
    less: int = 0

    def __call__(self) -> Index:
        """The end itself, in microseconds."""
        return self.instants - self.less


BEGINNING = -(2**62)  # before any event; far enough from the end of int64 to be shifted


@dataclass(frozen=True)
class Sliding:
    """(t - delay - width, t - delay], or [.., ..) when closed is "left"; width None reaches back for ever."""

    width: int | None
    delay: int = 0
    closed: str = "right"

    def ends(self, asked: Index) -> tuple[End, End]:
        """(after, upto] for each asked time; `after` lies before any event where the window reaches back for ever."""
        after = End(np.full_like(asked, BEGINNING)) if self.width is None else End(asked, self.late + self.width)
        return after, End(asked, self.late)

    @property
    def late(self) -> int:
        """How far before the time asked the window ends, in microseconds."""
        return self.delay + (1 if self.closed == "left" else 0)

    @property
    def reach(self) -> int | None:
        """How far before the asked time an event can matter, in microseconds; None is for ever."""
        return None if self.width is None else self.width + self.delay + 1

    def __str__(self) -> str:
        width = "forever" if self.width is None else written(self.width)
        delay = f", delay='{written(self.delay)}'" if self.delay else ""
        closed = f", closed='{self.closed}'" if self.closed != "right" else ""
        return f"'{width}'{delay}{closed}"


@dataclass(frozen=True)
class Hopping:
    """The last complete bucket (b - width, b], b the last grid point at or before t - delay; partial gives (b, t - delay]."""

    width: int
    hop: int
    delay: int = 0
    partial: bool = False
    offset: int = 0
    tz: str = "UTC"

    def ends(self, asked: Index) -> tuple[End, End]:
        """(after, upto] for each asked time."""
        grid = floor(asked - self.delay, self.hop, self.offset, self.tz)
        if self.partial:
            return End(grid), End(asked, self.delay)
        return End(back(grid - self.offset, self.width, self.hop, self.tz) + self.offset), End(grid)

    @property
    def reach(self) -> int | None:
        """How far before the asked time an event can matter, in microseconds (with an hour and a hop for a change of clocks)."""
        slack = 0 if self.tz == "UTC" else 3_600_000_000 + self.hop
        return self.width + self.hop + self.delay + slack

    def __str__(self) -> str:
        head = (
            f"tumbling('{written(self.width)}'"
            if self.width == self.hop
            else f"hopping('{written(self.width)}', '{written(self.hop)}'"
        )
        extra = [f"delay='{written(self.delay)}'"] if self.delay else []
        extra += ["partial=True"] if self.partial else []
        extra += [f"offset='{written(self.offset)}'"] if self.offset else []
        extra += [f"tz='{self.tz}'"] if self.tz != "UTC" else []
        return ", ".join([head, *extra]) + ")"


Window = Sliding | Hopping


def window(width: Duration | Window, delay: Duration = "0s", closed: str = "right") -> Window:
    """The window meant by `over(width, delay=, closed=)`."""
    lag = not_negative(delay, "delay")  # a negative one would look past the time asked
    if isinstance(width, Hopping):
        return Hopping(width.width, width.hop, width.delay + lag, width.partial, width.offset, width.tz)
    if isinstance(width, Sliding):
        raise Invalid("over() takes a duration, 'forever', nt.tumbling(...) or nt.hopping(...).")
    if closed not in ("left", "right"):
        raise Invalid(
            f"closed={closed!r}; it is 'right' (up to and including t, the default) or 'left' (strictly before)."
        )
    return Sliding(None if width == "forever" else positive(width, "the window"), lag, closed)


def tumbling(width: Duration, *, partial: bool = False, tz: str = "UTC", offset: Duration = "0s") -> Hopping:
    """Buckets of one width side by side; a fold sees the last complete one (or the running one with `partial=True`).

    >>> tumbling("1d")
    Hopping(width=86400000000, hop=86400000000, delay=0, partial=False, offset=0, tz='UTC')
    """
    return hopping(width, width, partial=partial, tz=tz, offset=offset)


def hopping(
    width: Duration, hop: Duration, *, partial: bool = False, tz: str = "UTC", offset: Duration = "0s"
) -> Hopping:
    """Buckets of `width` that end on every multiple of `hop`; the grid is UTC unless `tz` or `offset` say otherwise."""
    lengths = positive(width, "the window"), positive(hop, "the hop")
    if tz != "UTC" and any(length > DAY_US and length % DAY_US for length in lengths):
        raise Invalid(
            f"hopping({width!r}, {hop!r}, tz={tz!r}): in local time a window is whole days, or shorter than one."
        )
    return Hopping(*lengths, 0, partial, microseconds(offset), checked_zone(tz, "tz"))


def floor(instants: Index, step: int, offset: int = 0, tz: str = "UTC") -> Index:
    """The last grid point at or before each instant, in microseconds.

    >>> floor(np.array([90_000_000]), 60_000_000)
    array([60000000])
    """
    if tz == "UTC":
        return instants - (instants - offset) % step
    if step % DAY_US:
        return _truncated(instants - offset, step, tz) + offset
    wall = _wall(instants - offset, tz)
    return _of_wall(wall - wall % step, tz) + offset


def rounded(instants: Index, clocks: Iterable[int]) -> Index:
    """Each instant rounded down to the grids of a chain of clocks in turn.

    >>> rounded(np.array([190_000_000]), (60_000_000, 120_000_000))
    array([120000000])
    """
    for step in clocks:
        instants = floor(instants, step)
    return instants


def _truncated(instants: Index, step: int, tz: str) -> Index:
    """The last time at or before each instant that is a multiple of a step, shorter than a day, on the clock on the wall.

    Where a change of clocks is no multiple of the step, that clock may never have shown the multiple; then the one before counts.
    """
    grid = np.array(_cut_off(instants, step, tz))
    late = np.flatnonzero(grid > instants)
    moved = instants[late]
    while len(late):
        moved = moved - step
        grid[late] = _cut_off(moved, step, tz)
        still = grid[late] > moved
        late, moved = late[still], moved[still]
    return grid


def _cut_off(instants: Index, step: int, tz: str) -> Index:
    local = pl.Series(instants).cast(pl.Datetime("us", "UTC")).dt.convert_time_zone(tz)
    return local.dt.truncate(written(step)).dt.timestamp("us").to_numpy()


def back(grid: Index, width: int, hop: int, tz: str = "UTC") -> Index:
    """Each point of a grid moved back by `width`; whole days are days of the clock on the wall when a time zone is given."""
    if tz == "UTC" or width % DAY_US:
        return grid - width
    wall = _wall(grid, tz)
    return _of_wall((wall if hop % DAY_US else wall - wall % DAY_US) - width, tz)


def _wall(instants: Index, tz: str) -> Index:
    """What the clock on the wall shows, as microseconds."""
    local = pl.Series(instants).cast(pl.Datetime("us", "UTC")).dt.convert_time_zone(tz)
    return local.dt.replace_time_zone(None).dt.timestamp("us").to_numpy()


def _of_wall(shown: Index, tz: str) -> Index:
    """When the clock on the wall shows this: the first time where it does twice, the change of clocks where it never does."""
    wall = pl.Series(shown).cast(pl.Datetime("us"))
    found = wall.dt.replace_time_zone(tz, ambiguous="earliest", non_existent="null").dt.timestamp("us")
    if not found.null_count():
        return found.to_numpy()
    half_a_day = wall.dt.offset_by("-12h").dt.replace_time_zone(tz, ambiguous="earliest", non_existent="null")
    return found.fill_null(half_a_day.dt.timestamp("us") + DAY_US // 2).to_numpy()


def as_json(window: Window) -> dict[str, Any]:
    """The window's parts, for hashes and definitions."""
    return {
        "kind": type(window).__name__.lower(),
        **{name: getattr(window, name) for name in window.__dataclass_fields__},
    }


def from_json(parts: dict[str, Any]) -> Window:
    """The window that `as_json` wrote."""
    kinds: dict[str, type[Sliding] | type[Hopping]] = {"sliding": Sliding, "hopping": Hopping}
    return kinds[parts["kind"]](**{name: value for name, value in parts.items() if name != "kind"})
