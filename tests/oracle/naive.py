"""The law of time as a linear scan in plain Python, written from CONTRACT.md sections 2 and 3 alone.

Nothing here is fast and nothing is shared with the engine: every question looks at every row.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

NOTHING = "not_found"
EPOCH = datetime(1970, 1, 1)
QUANTILES = {"median": 0.5, "quantile": 0.7}
K = 3  # of folds that give several values


@dataclass(frozen=True)
class Row:
    """One version of a row; times in microseconds UTC, `values` by column, a null as None."""

    event_time: int
    keys: dict[str, Any]
    values: dict[str, Any]
    sequence: int
    known_time: int | None = None  # None: the source has none
    row_id: Any = None  # None: it stands for itself
    deleted: bool = False


@dataclass(frozen=True)
class Window:
    """`width` None is for ever; `hop` makes it hopping (tumbling where hop == width)."""

    width: int | None
    delay: int = 0
    closed: str = "right"
    hop: int | None = None
    partial: bool = False
    offset: int = 0
    tz: str | None = None

    def holds(self, event_time: int, t: int) -> bool:
        """Whether a row of that time is in the window asked at t."""
        end = t - self.delay
        if self.hop is not None:
            return self._holds_on_grid(event_time, end)
        if self.closed == "left":
            return event_time < end and (self.width is None or event_time >= end - self.width)
        return event_time <= end and (self.width is None or event_time > end - self.width)

    def _holds_on_grid(self, event_time: int, end: int) -> bool:
        assert self.hop is not None
        assert self.width is not None
        if self.tz is None:
            last = self.offset + (end - self.offset) // self.hop * self.hop
            return last < event_time <= end if self.partial else last - self.width < event_time <= last
        last = local_grid(end, self.hop, self.tz)
        return last < event_time <= end if self.partial else days_before(last, self.width, self.tz) < event_time <= last


@dataclass(frozen=True)
class Ask:
    """One feature: a fold of a column (None: of rows) over a window, in a view with its clocks."""

    fold: str
    column: str | None
    window: Window
    keys: tuple[str, ...]
    where: Callable[[Row], bool | None] | None = None
    every: int | None = None
    ttl: int | None = None
    default: Any = None


@dataclass(frozen=True)
class Answer:
    """The value, its status, and the values folded (for the tolerance of sums)."""

    value: Any
    status: str
    folded: list[Any]


def answer(rows: Sequence[Row], ask: Ask, keys: dict[str, Any], t: int, known: int | None = None) -> Answer:
    """The feature for a key at t, as known at `known` (None: at t)."""
    s = t if known is None else known
    if ask.every is not None:
        t = t - t % ask.every
        s = min(s, t)
    mine = [row for row in existing(rows, s) if is_key(row, keys, ask.keys) and row.event_time <= t]
    inside = [row for row in mine if ask.window.holds(row.event_time, t)]
    finite = ask.window.width is not None
    alive = [row for row in inside if finite or ask.ttl is None or t - row.event_time <= ask.ttl]
    kept = [row for row in in_order(alive) if ask.where is None or ask.where(row) is True]
    folded = [True if ask.column is None else row.values[ask.column] for row in kept]
    plain = fold(ask.fold, folded)
    if not alive:
        status = "outside_ttl" if inside else NOTHING
    elif plain is None:
        status = "null" if ask.default is None else "default"
    else:
        status = "present"
    return Answer(ask.default if plain is None else plain, status, [value for value in folded if value is not None])


def existing(rows: Sequence[Row], s: int) -> list[Row]:
    """The rows that exist for whoever knows what was known at s."""
    known = [row for row in rows if row.known_time is None or row.known_time <= s]
    last = [
        row
        for row in known
        if row.row_id is None
        or all(rank(other) <= rank(row) for other in known if other.row_id is not None and other.row_id == row.row_id)
    ]
    return [row for row in last if not row.deleted]


def rank(row: Row) -> tuple[int, int]:
    """Which of several versions counts: the greatest."""
    return (row.known_time or 0, row.sequence)


def is_key(row: Row, keys: dict[str, Any], names: Sequence[str]) -> bool:
    """Whether the row is of the key; a null is an unknown key and equals none."""
    return all(keys[name] is not None and row.keys[name] == keys[name] for name in names)


def in_order(rows: Sequence[Row]) -> list[Row]:
    """By (event_time, known_time, sequence)."""
    return sorted(rows, key=lambda row: (row.event_time, row.known_time or 0, row.sequence))


def fold(name: str, values: list[Any]) -> Any:
    """The fold over the values in order, by its meaning."""
    if name == "first":
        return values[0] if values else None
    if name == "last":
        return values[-1] if values else None
    if name == "last_k_seen":
        return values[: -K - 1 : -1] or None
    present = [value for value in values if value is not None]
    if name in ("first_k", "last_k", "top_k", "bottom_k"):
        return several(name, present) or None
    if name == "last_known":
        return present[-1] if present else None
    if name == "first_known":
        return present[0] if present else None
    if name == "count":
        return len(present)
    if name == "sum":
        return total(present)
    if name == "n_unique":
        return len({"NaN" if value != value else (value,) for value in present})
    if not present:
        return None
    if name in ("var", "std"):
        return spread(name, present)
    if name == "mean":
        whole = total(present)
        return float(Fraction(whole) / len(present)) if math.isfinite(whole) else whole
    if any(value != value for value in present):
        return math.nan
    if name in QUANTILES:
        return quantile([float(value) for value in present], QUANTILES[name])
    return min(present) if name == "min" else max(present)


def several(name: str, values: list[Any]) -> list[Any]:
    """The first K values in the order that the name says; NaN is greater than all else."""
    if name == "first_k":
        return values[:K]
    if name == "last_k":
        return values[::-1][:K]
    ordered = sorted(values, key=lambda value: (value != value, value))
    return ordered[:K] if name == "bottom_k" else ordered[::-1][:K]


def spread(name: str, values: list[Any]) -> float | None:
    """The variance of a sample, or its root."""
    if len(values) < 2:
        return None
    if any(not math.isfinite(value) for value in values):
        return math.nan
    exact = [Fraction(value) for value in values]
    mean = sum(exact) / len(exact)
    variance = float(sum((one - mean) ** 2 for one in exact) / (len(exact) - 1))
    return variance if name == "var" else math.sqrt(variance)


def quantile(values: list[float], q: float) -> float:
    """The quantile between the two values that it lies between."""
    place = (len(values) - 1) * q
    low, high = (sorted(values)[round_(place)] for round_ in (math.floor, math.ceil))
    return low if low == high else low + (place - math.floor(place)) * (high - low)


def total(values: list[Any]) -> Any:
    """The sum without rounding (one at the end)."""
    if all(isinstance(value, int) for value in values):
        return sum(values)
    if any(not math.isfinite(value) for value in values):
        return sum(value for value in values if not math.isfinite(value))
    return float(sum((Fraction(value) for value in values), Fraction(0)))


def local_grid(instant: int, step: int, tz: str) -> int:
    """The last instant at or before this one where the clock on the wall shows a multiple of `step` since 1970."""
    wall = (at(instant).astimezone(ZoneInfo(tz))).replace(tzinfo=None)
    since = (wall - EPOCH) // timedelta(microseconds=1)
    return of_wall(EPOCH + timedelta(microseconds=since - since % step), tz)


def days_before(instant: int, width: int, tz: str) -> int:
    """The instant at which the clock on the wall showed the same, whole days earlier."""
    wall = at(instant).astimezone(ZoneInfo(tz)).replace(tzinfo=None)
    return of_wall(wall - timedelta(microseconds=width), tz)


def of_wall(wall: datetime, tz: str) -> int:
    """Microseconds UTC of a time on the wall."""
    return micros(wall.replace(tzinfo=ZoneInfo(tz)).astimezone(UTC))


def at(instant: int) -> datetime:
    """The instant as a datetime."""
    return EPOCH.replace(tzinfo=UTC) + timedelta(microseconds=instant)


def micros(moment: datetime) -> int:
    """Microseconds since 1970 UTC."""
    return (moment - EPOCH.replace(tzinfo=UTC)) // timedelta(microseconds=1)
