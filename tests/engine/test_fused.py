"""Folds answered together have the values of folds answered one by one."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from nowthen.engine.folds import compiled
from nowthen.engine.folds.ask import Ask
from nowthen.engine.folds.at import Asked, Driver
from nowthen.engine.folds.column import Column
from nowthen.engine.folds.events import Events
from nowthen.engine.folds.ready import Ready
from nowthen.engine.language.fold import Fold
from nowthen.engine.language.registry import operators
from nowthen.engine.language.window import window

RANDOM = np.random.default_rng(3)
GROUPS, EVENTS, QUESTIONS = 30, 2000, 3000
WINDOWS = {
    "sliding": window("50us"),
    "delayed": window("50us", "20us"),
    "strictly before": window("50us", closed="left"),
    "forever": window("forever"),
    "forever, delayed": window("forever", "7us"),
}


@pytest.fixture(autouse=True)
def warm() -> None:
    compiled.warm()


def events() -> Events:
    group = np.sort(RANDOM.integers(0, GROUPS - 2, EVENTS))  # the last groups are empty
    time = RANDOM.integers(0, 500, EVENTS)
    columns = {
        "amount": Column(pl.Float64(), RANDOM.normal(size=EVENTS)),
        "rate": Column(pl.Float64(), RANDOM.random(EVENTS)),
        "pieces": Column(pl.Int32(), RANDOM.integers(-5, 50, EVENTS).astype(np.int32)),
        "fraud": Column(pl.Boolean(), RANDOM.random(EVENTS) < 0.1),
        "lent": Column(pl.Duration("us"), RANDOM.integers(0, 9, EVENTS)),
    }
    offsets = np.searchsorted(group, np.arange(GROUPS + 1))
    return Events(time[np.lexsort((time, group))], offsets, columns)


def asked(by_group: bool) -> Asked:
    group, time = RANDOM.integers(0, GROUPS, QUESTIONS), RANDOM.integers(-20, 560, QUESTIONS)
    order = np.lexsort((time, group)) if by_group else np.arange(QUESTIONS)
    return Asked(group[order], time[order])


def asks(events: Events) -> list[Ask]:
    made = []
    for name in ("count", "sum", "mean"):
        kind = operators()[name]
        assert isinstance(kind, type)
        for column in [None] if name == "count" else events.columns:
            if name == "mean" and column == "lent":
                continue
            made += [ask(kind(), column, events, which, clocks) for which in WINDOWS for clocks in ((), (30,))]
    return made


def ask(fold: Fold, column: str | None, events: Events, which: str, clocks: tuple[int, ...]) -> Ask:
    dtype = fold.result(pl.Datetime("us") if column is None else events.columns[column].dtype)
    return Ask(f"{fold} {column} {which} {clocks}", fold, column, None, WINDOWS[which], dtype, clocks)


@pytest.mark.parametrize("by_group", [True, False])
def test_fused_folds_have_the_values_of_single_ones(by_group: bool) -> None:
    held = events()
    questions, ready = asked(by_group), Ready.of(held, asks(held))
    assert ready.fused is not None
    assert not ready.single
    one_by_one = {ask.name: answer for ask, answer in Driver(singly(held), questions).answers()}
    for each, together in Driver(ready, questions).answers():
        alone = one_by_one[each.name]
        assert together.value.to_series().equals(alone.value.to_series()), each.name
        assert together.found is not None
        assert alone.found is not None
        assert together.found.tolist() == alone.found.tolist()


def singly(held: Events) -> Ready:
    """The same asks without compiled loops, which fuses none of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiled, "kernels", lambda work: None)
        ready = Ready.of(held, asks(held))
    assert ready.fused is None
    return ready


def test_what_is_no_sum_over_a_sliding_window_is_answered_singly() -> None:
    held = events()
    minimum = operators()["min"]
    assert isinstance(minimum, type)
    mixed = [*asks(held)[:2], ask(minimum(), "amount", held, "sliding", ())]
    ready = Ready.of(held, mixed)
    assert [each.name for each, _ in ready.single] == [mixed[2].name]
    assert {each.name for each, _ in Driver(ready, asked(True)).values()} == {each.name for each in mixed}
