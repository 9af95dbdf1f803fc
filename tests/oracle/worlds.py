"""Small adversarial worlds: few keys, few distinct times, so that ties and exact window edges abound."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from .naive import Ask, Row, Window, at, micros

HOUR, DAY = 3_600_000_000, 86_400_000_000
SPRING = micros(datetime(2020, 3, 27, tzinfo=UTC))  # two days before the clocks of Berlin go forward
AUTUMN = micros(datetime(2020, 10, 24, tzinfo=UTC))  # and one before they go back


@dataclass(frozen=True)
class TimeKind:
    """How a column writes instants: unit, the zone of its type, or the zone its naive times are local to."""

    unit: str = "us"
    zone: str | None = "UTC"
    local: str | None = None


KINDS = (
    TimeKind(),
    TimeKind("us", None),
    TimeKind("ms", None),
    TimeKind("ms", "UTC"),
    TimeKind("ns", "UTC"),
    TimeKind("us", "Europe/Berlin"),
    TimeKind("us", None, "Europe/Berlin"),
)


@dataclass(frozen=True)
class Question:
    """A row of the spine."""

    keys: dict[str, Any]
    time: int
    known: int


@dataclass(frozen=True)
class World:
    """A source, a spine and features, all in plain values."""

    rows: list[Row]
    questions: list[Question]
    asks: list[Ask]
    key_type: str = "Int64"
    source_time: TimeKind = field(default_factory=TimeKind)
    spine_time: TimeKind = field(default_factory=TimeKind)
    known_time: bool = False
    row_id: bool = False
    known_at: str | int | None = None  # None, "latest", "column" or an instant

    def known(self, question: Question) -> int | None:
        """What was known for a question; None: what was known at its time."""
        if self.known_at == "latest":
            return 2**61
        return question.known if self.known_at == "column" else self.known_at if isinstance(self.known_at, int) else None


def is_flagged(row: Row) -> bool | None:
    """The rows with a true flag."""
    flag: bool | None = row.values["flag"]
    return flag


def has_many(row: Row) -> bool | None:
    """The rows with n > 0."""
    n: int | None = row.values["n"]
    return None if n is None else n > 0


FLOATS = (1.0, 2.5, 0.1, -3.0, 0.0, None, math.nan, math.inf, -math.inf, 1e16, -1e16)
WHOLE = (0, 1, 2, -5, 2**53 + 1, None)
TEXT = ("", "a", "b", "é", None)
MOMENTS = tuple(at(SPRING + k * HOUR) for k in range(3))
COLUMNS: dict[str, tuple[str, ...]] = {
    "x": ("count", "sum", "mean", "min", "max", "first", "last", "first_known", "last_known"),
    "n": ("count", "sum", "mean", "min", "max", "first", "last", "first_known", "last_known"),
    "s": ("count", "min", "max", "first", "last", "last_known"),
    "d": ("count", "min", "max", "first", "last", "last_known"),
    "flag": ("count", "sum", "mean", "min", "max", "last", "last_known"),
}
FOLDS = [(fold, column) for column, folds in COLUMNS.items() for fold in folds]
WHERE: tuple[Callable[[Row], bool | None] | None, ...] = (None, None, is_flagged, has_many)
KEYS: tuple[tuple[str, ...], ...] = (("a",), ("b",), ("a", "b"), ())


def default_of(fold: str, column: str | None) -> Any:
    """A default that fits the type of the fold."""
    if fold == "count" or (fold == "sum" and column != "x"):
        return -1
    return {"x": 0.5, "n": 0.5 if fold == "mean" else -1, "s": "none", "flag": 0.5 if fold == "mean" else False}.get(
        str(column)
    )


def windows(step: int, zones: bool) -> st.SearchStrategy[Window]:
    """Windows whose ends fall on the times of the world."""
    steps = st.sampled_from([step, 2 * step, 3 * step])
    delay = st.sampled_from([0, 0, step])
    sliding = st.builds(
        Window, st.one_of(st.none(), steps), delay, st.sampled_from(["right", "left"])
    )
    offset = st.sampled_from([0, 0, step // 2, -step, 5 * step])
    grid = st.builds(
        lambda w, h, d, p, o: Window(w, d, hop=h, partial=p, offset=o), steps, steps, delay, st.booleans(), offset
    )
    days = st.sampled_from([DAY, 2 * DAY])
    zoned = st.builds(
        lambda w, d, p: Window(w, d, hop=w, partial=p, tz="Europe/Berlin"), days, delay, st.booleans()
    )
    return st.one_of(sliding, sliding, grid, zoned) if zones else st.one_of(sliding, sliding, grid)


@st.composite
def asked(draw: st.DrawFn, step: int, zones: bool) -> Ask:
    """One feature."""
    fold, column = draw(st.sampled_from([("count", None), *FOLDS]))
    clocks = st.sampled_from([None, None, None, step, 2 * step])
    default = default_of(fold, column) if draw(st.booleans()) else None
    return Ask(
        fold,
        column,
        draw(windows(step, zones)),
        draw(st.sampled_from(KEYS)),
        draw(st.sampled_from(WHERE)),
        draw(clocks),
        draw(clocks),
        default,
    )


@st.composite
def keys(draw: st.DrawFn) -> dict[str, Any]:
    """A key of both entities, one of them hot, any part perhaps null."""
    return {
        "a": draw(st.sampled_from([1, 1, 1, 2, 90_000_000, None])),
        "b": draw(st.sampled_from(["x", "x", "y", "", None])),
    }


@st.composite
def row(draw: st.DrawFn, base: int, step: int, jitter: int, versions: tuple[bool, bool]) -> Row:
    """One row; its sequence is set later."""
    known_time, row_id = versions
    time = base + draw(st.integers(0, 6)) * step + draw(st.sampled_from([0, 0, 0, 0, jitter, -jitter]))
    values = {
        "x": draw(st.sampled_from(FLOATS)),
        "n": draw(st.sampled_from(WHOLE)),
        "s": draw(st.sampled_from(TEXT)),
        "d": draw(st.sampled_from([*MOMENTS, None])),
        "flag": draw(st.sampled_from([True, False, None])),
    }
    known = time + draw(st.sampled_from([0, 0, step, -step, 3 * step])) if known_time else None
    number = draw(st.sampled_from([1, 2, 3, 4, 5, None])) if row_id else None
    return Row(time, draw(keys()), values, 0, known, number, bool(row_id and draw(st.integers(0, 3)) == 0))


@st.composite
def worlds(draw: st.DrawFn, *, bare: bool = False, most: int = 14) -> World:
    """A world; `bare` ones have plain UTC times and known_at None, as serving has."""
    step = draw(st.sampled_from([HOUR, 6 * HOUR]))
    source_time = TimeKind() if bare else draw(st.sampled_from(KINDS))
    spine_time = TimeKind() if bare else draw(st.sampled_from(KINDS[:-1]))
    base = draw(st.sampled_from([SPRING, AUTUMN])) if source_time.local is None else SPRING
    jitter = 1000 if "ms" in (source_time.unit, spine_time.unit) else 1
    versions = (draw(st.booleans()), draw(st.booleans()))
    drawn = draw(st.lists(row(base, step, jitter, versions), max_size=most))
    rows = [
        Row(r.event_time, r.keys, r.values, n, r.known_time, r.row_id, r.deleted) for n, r in enumerate(drawn)
    ]
    known_at = None if bare else draw(st.sampled_from([None, None, "latest", "column", base + 3 * step]))
    question = st.builds(
        lambda k, n, j, known: Question(k, base + n * step + j, base + known * step),
        keys(),
        st.integers(-1, 9),
        st.sampled_from([0, 0, 0, jitter, -jitter]),
        st.integers(-1, 9),
    )
    return World(
        rows,
        draw(st.lists(question, max_size=most // 2)),
        draw(st.lists(asked(step, True), min_size=1, max_size=6)),
        draw(st.sampled_from(["Int64", "Int32", "UInt32"])),
        source_time,
        spine_time,
        *versions,
        known_at,
    )
