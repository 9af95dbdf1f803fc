"""Small adversarial worlds: few keys, few distinct times, so that ties and exact window edges abound."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
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
        return (
            question.known if self.known_at == "column" else self.known_at if isinstance(self.known_at, int) else None
        )


def is_flagged(row: Row) -> bool | None:
    """The rows with a true flag."""
    flag: bool | None = row.values["flag"]
    return flag


def has_many(row: Row) -> bool | None:
    """The rows with n > 0."""
    n: int | None = row.values["n"]
    return None if n is None else n > 0


FLOATS = (1.0, 0.1, None, -3.0, 0.0, 2.5, math.nan, math.inf, -math.inf, 1e16, -1e16)
WHOLE = (0, 1, 2, -5, 2**53 + 1, None)
TEXT = ("", "a", "b", "é", None)
MOMENTS = tuple(at(SPRING + k * HOUR) for k in range(3))
_NUMBER = ("count", "sum", "mean", "var", "std", "min", "max", "first", "last", "n_unique", "median", "quantile")
LISTS = ("first_k", "last_k", "last_k_seen", "top_k", "bottom_k")
COLUMNS: dict[str, tuple[str, ...]] = {
    "x": (*_NUMBER, "first_known", "last_known", *LISTS),
    "n": (*_NUMBER, "first_known", "last_known", "first_k", "top_k"),
    "s": ("count", "min", "max", "first", "last", "last_known", "n_unique", "last_k_seen", "bottom_k"),
    "d": ("count", "min", "max", "first", "last", "last_known", "n_unique", "last_k"),
    "flag": ("count", "sum", "mean", "std", "min", "max", "last", "last_known", "n_unique", "last_k"),
}
FOLDS = [(fold, column) for column, folds in COLUMNS.items() for fold in folds]
WHERE: tuple[Callable[[Row], bool | None] | None, ...] = (None, None, is_flagged, has_many)
KEYS: tuple[tuple[str, ...], ...] = (("a",), ("b",), ("a", "b"), ())


def default_of(fold: str, column: str | None) -> Any:
    """A default that fits the type of the fold."""
    if fold in ("count", "n_unique") or (fold == "sum" and column != "x"):
        return -1
    if fold in ("mean", "var", "std", "median", "quantile"):
        return 0.5
    one = {"x": 0.5, "n": -1, "s": "none", "flag": False}.get(str(column))
    return [one] if fold in LISTS else one


def window(random: Random, step: int) -> Window:
    """A window whose ends fall on the times of the world."""
    width, delay = random.choice([1, 2, 3]) * step, random.choice([0, 0, step])
    kind = random.choice(["forever", "sliding", "sliding", "grid", "zoned"])
    if kind == "grid":
        offset = random.choice([0, 0, step // 2, -step, 5 * step])
        return Window(width, delay, hop=random.choice([1, 2, 3]) * step, partial=random.random() < 0.3, offset=offset)
    if kind == "zoned":
        days = random.choice([DAY, 2 * DAY])
        return Window(days, delay, hop=days, partial=random.random() < 0.3, tz="Europe/Berlin")
    return Window(None if kind == "forever" else width, delay, random.choice(["right", "right", "left"]))


def ask(seed: int, step: int) -> Ask:
    """One feature."""
    random = Random(seed)
    fold, column = random.choice([("count", None), *FOLDS])
    every, ttl = (random.choice([None, None, step, 2 * step]) for _ in range(2))
    default = default_of(fold, column) if random.random() < 0.4 else None
    keys = random.choice(KEYS)
    return Ask(fold, column, window(random, step), keys, random.choice(WHERE), every, ttl, default)


def key(random: Random) -> dict[str, Any]:
    """A key of both entities, one of them hot, any part perhaps null."""
    return {"a": random.choice([1, 1, 1, 2, 90_000_000, None]), "b": random.choice(["x", "x", "y", "", None])}


def row(seed: int, sequence: int, clock: Clock, known_time: bool, row_id: bool) -> Row:
    """One row."""
    random = Random(seed)
    time = clock.base + random.randint(0, 6) * clock.step + random.choice([0, 0, 0, 0, clock.jitter, -clock.jitter])
    values = {
        "x": random.choice(FLOATS[: random.choice([4, 6, 6, len(FLOATS)])]),
        "n": random.choice(WHOLE),
        "s": random.choice(TEXT),
        "d": random.choice([*MOMENTS, None]),
        "flag": random.choice([True, False, None]),
    }
    known = time + random.choice([0, 0, 1, -1, 3]) * clock.step if known_time else None
    number = random.choice([1, 1, 2, 3, None]) if row_id else None
    return Row(time, key(random), values, sequence, known, number, row_id and random.random() < 0.1)


def question(seed: int, clock: Clock) -> Question:
    """One row of the spine."""
    random = Random(seed)
    time = clock.base + random.randint(-1, 9) * clock.step + random.choice([0, 0, 0, clock.jitter, -clock.jitter])
    return Question(key(random), time, clock.base + random.randint(-1, 9) * clock.step)


@dataclass(frozen=True)
class Clock:
    """The first time of a world, the distance between its times, and how far some are off."""

    base: int
    step: int
    jitter: int


# A seed a row: hypothesis leaves out rows and features to make a failure small, the rest stays cheap to draw.
SEED = st.integers(0, 2**32 - 1)


@st.composite
def worlds(draw: st.DrawFn, *, bare: bool = False, most: int = 16) -> World:
    """A world; `bare` ones have plain UTC times and no known_at, as serving has."""
    source_time = TimeKind() if bare else draw(st.sampled_from(KINDS))
    spine_time = TimeKind() if bare else draw(st.sampled_from(KINDS[:-1]))
    base = draw(st.sampled_from([SPRING, AUTUMN])) if source_time.local is None else SPRING
    step = draw(st.sampled_from([HOUR, 6 * HOUR]))
    clock = Clock(base, step, 1000 if "ms" in (source_time.unit, spine_time.unit) else 1)
    known_time, row_id = draw(st.booleans()), draw(st.booleans())
    rows, questions = (
        draw(st.lists(SEED, min_size=draw(st.sampled_from([0, most // 2])), max_size=size))
        for size in (most, most // 2)
    )
    return World(
        [row(seed, n, clock, known_time, row_id) for n, seed in enumerate(rows)],
        [question(seed, clock) for seed in questions],
        [ask(seed, step) for seed in draw(st.lists(SEED, min_size=1, max_size=8))],
        draw(st.sampled_from(["Int64", "Int32", "UInt32"])),
        source_time,
        spine_time,
        known_time,
        row_id,
        None if bare else draw(st.sampled_from([None, None, "latest", "column", base + 3 * step])),
    )


def version(seed: int, sequence: int) -> Row:
    """A version of one of few rows, at one of few keys; the feature below shows which of them exist."""
    random = Random(seed)
    known = SPRING + random.randint(0, 5) * HOUR
    values = {"x": float(sequence), "n": sequence, "s": "a", "d": None, "flag": True}
    keys = {"a": random.choice([1, 1, 2, 2, None]), "b": "x"}
    return Row(SPRING, keys, values, sequence, known, random.choice([1, 2, 3, 4, 5, None]), random.random() < 0.15)


@st.composite
def moving_worlds(draw: st.DrawFn) -> World:
    """A world whose rows are corrected, moved between keys and deleted, in any order of knowledge."""
    rows = [version(seed, n) for n, seed in enumerate(draw(st.lists(SEED, min_size=3, max_size=10)))]
    questions = [Question({"a": a, "b": "x"}, SPRING + hour * HOUR, 0) for a in (1, 2) for hour in (2, 6)]
    asks = [Ask(fold, "n", Window(None), ("a",)) for fold in ("sum", "last", "count")]
    return World(rows, questions, asks, known_time=True, row_id=True)
