"""What is served at t from position q is what a training set says at t over the rows up to q."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nowthen.engine.folds import compiled, timeline
from nowthen.engine.folds.online import Online
from nowthen.engine.folds.rows import SEQUENCE
from nowthen.engine.folds.timeline import Timeline
from nowthen.engine.language.service import named
from nowthen.engine.language.status import NAMES

from .asking import differences, event_frame, expected, training_set, views
from .naive import Row
from .worlds import World, moving_worlds, worlds

SHORT = settings(
    max_examples=80, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
LONG = settings(SHORT, max_examples=3000, derandomize=False)


@dataclass
class Served:
    """The world's features held in memory."""

    world: World
    online: Online
    timelines: list[Timeline]

    @staticmethod
    def load(world: World, rows: Sequence[Row]) -> Served:
        """The state of a snapshot of these rows."""
        online = Online(named(views(world)))
        return Served(world, online, [Timeline.load(side, numbered(world, rows)) for side in online.sides])

    def push(self, rows: Sequence[Row]) -> None:
        """Take rows."""
        for each in self.timelines:
            each.append(numbered(self.world, rows))

    def branch(self) -> Served:
        """The state to try rows on."""
        return replace(self, timelines=[timeline.branch() for timeline in self.timelines])

    def get(self) -> pl.DataFrame:
        """Values and statuses of all questions, asked together."""
        keys = {name: [q.keys[name] for q in self.world.questions] for name in ("a", "b")}
        at = np.array([q.time for q in self.world.questions], dtype=np.int64)
        served = self.online.finish(self.online.fold(self.timelines, keys, at), {}, at)
        columns: list[pl.Series] = []
        for name, column, status in zip(served.names, served.columns, served.status, strict=True):
            columns += [column.to_series(name), pl.Series(f"{name}__status", NAMES[status], dtype=pl.String)]
        return pl.DataFrame(columns)


def numbered(world: World, rows: Sequence[Row]) -> pl.DataFrame:
    """Rows as the log of a store has them."""
    return event_frame(world, rows).with_columns(pl.Series(SEQUENCE, [row.sequence for row in rows], dtype=pl.Int64))


def chunks(rows: Sequence[Row], cuts: Sequence[int]) -> list[Sequence[Row]]:
    """The rows in pieces, ends at the cuts; the first is the snapshot and may be empty."""
    ends = [*sorted(min(cut, len(rows)) for cut in cuts), len(rows)]
    return [rows[low:high] for low, high in zip([0, *ends], ends)]


def one_by_one(world: World) -> World:
    """The world with its first question alone, which is answered without copying."""
    return replace(world, questions=world.questions[:1])


CUTS = st.lists(st.integers(0, 30), min_size=1, max_size=5)


def follows(world: World, cuts: Sequence[int]) -> None:
    """Assert that after every push the served values are those of the rows so far."""
    compiled.warm()
    first, *rest = chunks(world.rows, cuts)
    served, seen = Served.load(world, first), list(first)
    for chunk in rest:
        served.push(chunk)
        seen += chunk
        assert differences(world, served.get(), expected(world, seen)) == []
        alone = replace(served, world=one_by_one(world))
        assert differences(alone.world, alone.get(), expected(alone.world, seen)) == []
        with pytest.MonkeyPatch.context() as patch:  # as if every key had many events
            patch.setattr(timeline, "_SMALL", 1)
            assert differences(world, served.get(), expected(world, seen)) == []


@SHORT
@given(worlds(bare=True), CUTS)
def test_pushed_rows_give_what_the_law_of_time_says_after_every_push(world: World, cuts: list[int]) -> None:
    follows(world, cuts)


@SHORT
@given(moving_worlds())
def test_corrections_and_deletions_that_arrive_in_any_order_of_knowledge_are_followed(world: World) -> None:
    follows(world, range(len(world.rows)))


@pytest.mark.slow
@LONG
@given(st.one_of(worlds(bare=True), moving_worlds()), CUTS)
def test_pushed_rows_give_what_the_law_of_time_says_in_many_worlds(world: World, cuts: list[int]) -> None:
    follows(world, cuts)


@SHORT
@given(worlds(bare=True), CUTS)
def test_served_values_equal_the_training_set_over_the_same_rows(world: World, cuts: list[int]) -> None:
    first, *rest = chunks(world.rows, cuts)
    served = Served.load(world, first)
    for chunk in rest:
        served.push(chunk)
    offline: dict[str, list[Any]] = training_set(world).collect(engine="local", status=True).to_dict(as_series=False)
    online = served.get().to_dict(as_series=False)
    for n, ask in enumerate(world.asks):
        assert online[f"f{n}__status"] == offline[f"f{n}__status"]
        if ask.fold not in ("sum", "mean", "var", "std"):
            assert repr(online[f"f{n}"]) == repr(offline[f"f{n}"])


@SHORT
@given(worlds(bare=True), CUTS)
def test_rows_on_a_branch_are_seen_there_and_nowhere_else(world: World, cuts: list[int]) -> None:
    first, *rest = chunks(world.rows, cuts)
    served, seen = Served.load(world, first), list(first)
    for chunk in rest:
        branch = served.branch()
        branch.push(chunk)
        assert differences(world, branch.get(), expected(world, [*seen, *chunk])) == []
        assert differences(world, served.get(), expected(world, seen)) == []
        served.push(chunk)
        seen += chunk
