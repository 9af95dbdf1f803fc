"""Many folds asked at once, over columns with nulls, filters and numbers that are not finite, have the values of their definitions."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from nowthen.engine.folds.ask import Ask
from nowthen.engine.folds.at import Asked, Driver
from nowthen.engine.folds.column import Array, Column
from nowthen.engine.folds.events import Events
from nowthen.engine.folds.ready import Ready
from nowthen.engine.language.fold import Fold
from nowthen.engine.language.registry import operators
from nowthen.engine.language.window import Window, rounded, tumbling, window

RANDOM = np.random.default_rng(13)
GROUPS, EVENTS, QUESTIONS = 9, 500, 60
FOLDS = ("count", "sum", "mean", "std", "var", "min", "max", "first", "last")
WINDOWS: list[tuple[Window, tuple[int, ...], int | None]] = [
    (window("40us"), (), None),
    (window("40us", "20us", closed="left"), (30,), None),
    (window("forever"), (), None),
    (window("forever", "7us"), (), 60),
    (tumbling("50us"), (), None),
]

pytestmark = pytest.mark.usefixtures("loops")


def some(share: float) -> Array:
    return RANDOM.random(EVENTS) < share


def events() -> Events:
    group = np.sort(RANDOM.integers(0, GROUPS - 1, EVENTS))  # the last group is empty
    time = RANDOM.integers(0, 400, EVENTS)
    plain = RANDOM.normal(size=EVENTS)
    columns = {
        "plain": Column(pl.Float64(), plain),
        "wild": Column(pl.Float64(), np.where(some(0.05), RANDOM.choice([np.nan, np.inf, -np.inf, -0.0, 1e16], EVENTS), plain)),
        "sparse": Column(pl.Float64(), plain, some(0.6)),
        "pieces": Column(pl.Int16(), RANDOM.integers(-5, 50, EVENTS).astype(np.int16), some(0.8)),
        "whole": Column(pl.Int64(), RANDOM.integers(-(2**40), 2**40, EVENTS)),
        "large": Column(pl.UInt64(), RANDOM.integers(0, 2**63, EVENTS).astype(np.uint64) * np.uint64(2)),
        "kept": Column(pl.Boolean(), some(0.5), some(0.9)),
    }  # fmt: skip
    return Events(time[np.lexsort((time, group))], np.searchsorted(group, np.arange(GROUPS + 1)), columns)


def asks(held: Events) -> list[Ask]:
    found = []
    for name in FOLDS:
        kind = operators()[name]
        assert isinstance(kind, type)
        fold = kind()
        assert isinstance(fold, Fold)
        for column in ("plain", "wild", "sparse", "pieces", "whole", "large"):
            if name == "sum" and column == "large":
                continue  # beyond 64 bits
            for kept in (None, "kept"):
                for number, (over, clocks, ttl) in enumerate(WINDOWS):
                    dtype = fold.result(held.columns[column].dtype)
                    found.append(Ask(f"{name} {column} {kept} {number}", fold, column, kept, over, dtype, clocks, ttl))
    return found


def meant(ask: Ask, held: Events, group: int, time: int) -> tuple[Any, list[Any]]:
    """The value by the definition, and the values that are inside."""
    after, upto = (end()[0] for end in ask.span.ends(rounded(np.array([time]), ask.clocks)))
    rows = np.arange(held.offsets[group], held.offsets[group + 1])
    rows = rows[(held.time[rows] > after) & (held.time[rows] <= upto)]
    if ask.kept:
        kept = held.columns[ask.kept]
        rows = rows[kept.values[rows] & kept.is_valid()[rows]]
    values = held.columns[ask.column or ""].take(rows).to_series().to_list()
    seen = values if ask.fold.sees_nulls else [value for value in values if value is not None]
    return ask.fold.meaning(seen), seen


def near(got: Any, wanted: Any, inside: list[Any], name: str) -> bool:
    if got is None or wanted is None or name in ("count", "min", "max", "first", "last"):
        return bool(got == wanted or (got != got and wanted != wanted))
    if not np.isfinite(float(wanted)):
        return repr(float(got)) == repr(float(wanted))
    sizes = sum(abs(float(value)) for value in inside)
    spread = name in ("std", "var")
    return bool(abs(got - wanted) <= (1e-9 * abs(wanted) if spread else 1e-12 * max(sizes, abs(wanted))))


@pytest.mark.parametrize("by_group", [True, False])
def test_folds_asked_together_have_the_values_of_their_definitions(by_group: bool) -> None:
    held = events()
    group, time = RANDOM.integers(0, GROUPS, QUESTIONS), RANDOM.integers(-20, 460, QUESTIONS)
    order = np.lexsort((time, group)) if by_group else np.arange(QUESTIONS)
    group, time = group[order], time[order]
    answered = dict(Driver(Ready.of(held, asks(held)), Asked(group, time)).answers())
    assert len(answered) == len(asks(held))
    for ask, answer in answered.items():
        for question, got in enumerate(answer.value.to_series().to_list()):
            wanted, inside = meant(ask, held, group[question], time[question])
            assert near(got, wanted, inside, ask.fold.name), (ask.name, question, got, wanted, inside)


def test_folds_that_see_the_same_rows_share_what_is_prepared() -> None:
    held = events()
    ready = Ready.of(held, [ask for ask in asks(held) if ask.column == "sparse" and ask.kept is None])
    positions = {id(ranged.position) for _, ranged in ready.single if hasattr(ranged, "position")}
    assert len(positions) == 1
