"""Views that look at the latest rows alone, which are answered while rows pass by, against a linear scan."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given

from nowthen.engine.folds import compiled
from nowthen.engine.running.streamed import can_stream

from .asking import differences, expected, training_set
from .naive import Ask, Window
from .test_law_of_time import SHORT
from .worlds import World, default_of, worlds


@pytest.fixture(scope="module", params=["numpy", "compiled"])
def kernels(request: pytest.FixtureRequest) -> Iterator[None]:
    """Both ways to find the question of a row."""
    loops = compiled.warm() if request.param == "compiled" else None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiled, "kernels", lambda work: loops)
        yield


def of_latest(world: World) -> World:
    """The world with the same questions for the latest rows in sliding windows, of rows that always exist."""
    asks = [latest(n, ask) for n, ask in enumerate(world.asks)]
    return replace(world, asks=asks, rows=[replace(row, known_time=None) for row in world.rows], known_time=False)


def latest(n: int, ask: Ask) -> Ask:
    fold, column = ("last", "last_known")[n % 2], ask.column or "x"
    default = None if ask.default is None else default_of(fold, column)
    return replace(ask, fold=fold, column=column, default=default, window=sliding(ask.window))


def sliding(window: Window) -> Window:
    return window if window.hop is None else Window(window.width, window.delay)


@pytest.mark.usefixtures("kernels")
@SHORT
@given(worlds().map(of_latest))
def test_the_latest_rows_are_those_of_the_law_of_time(world: World) -> None:
    made = training_set(world)
    assert all(can_stream(side, None) for side in made.plan().input.sides)
    assert differences(world, made.collect(engine="local", status=True), expected(world)) == []
