"""How an At is answered: whole where that is enough, in buckets where it is not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest

import nowthen as nt
from nowthen.engine.plan.budget import bytes_of
from nowthen.engine.plan.plan import Plan
from nowthen.engine.plan.way import Resources, Way
from nowthen.engine.rules import optimize

from .shop import NOON, SHOP

MB = 2**20


def planned(rows: int, memory: int, *, slots: int = 2, keys: object = SHOP) -> Plan:
    """The plan of one mean over so many rows, asked about as often."""
    frame = pl.DataFrame({"shop_id": np.arange(rows) % 7, "amount": np.ones(rows)}).with_columns(time=NOON)
    source = nt.Source("sales", nt.Frame(frame), event_time="time", entities=SHOP)
    view = nt.feature_view("view", entity=keys, features={"mean": source.amount.mean().over("1h")})  # type: ignore[arg-type]
    made = nt.training_set(nt.Frame(frame.select("shop_id", asked="time")), view, at="asked")
    return optimize(replace(made.plan(), resources=Resources(memory, slots)))


def test_what_is_small_is_answered_whole() -> None:
    (side,) = planned(1000, 1024 * MB).input.sides
    assert side.way.kind == "whole"


def test_what_does_not_fit_goes_to_buckets_that_do() -> None:
    (side,) = planned(200_000, 4 * MB).input.sides
    assert side.way.kind == "bucketed"
    assert side.way.steps >= 4
    assert side.way.buckets >= side.way.steps
    assert side.way.memory * 2 <= 4 * MB


def test_one_large_at_gives_work_to_all_cores() -> None:
    (side,) = planned(1_000_000, 4096 * MB).input.sides
    assert (side.way.kind, side.way.steps) == ("bucketed", 4)


def test_a_step_may_take_what_lets_no_core_wait_and_has_room() -> None:
    way = Way("bucketed", even=4, room=1000)
    assert [way.fair(size) for size in (2000, 4000, 9000, 1)] == [500, 1000, 1000, 1]


def test_on_one_core_what_fits_stays_whole() -> None:
    (side,) = planned(1_000_000, 4096 * MB, slots=1).input.sides
    assert side.way.kind == "whole"


def test_without_keys_there_is_nothing_to_split_by() -> None:
    (side,) = planned(200_000, 4 * MB, keys=[]).input.sides
    assert side.way.kind == "whole"


def test_a_plan_says_how_it_will_be_carried_out() -> None:
    assert "At by shop_id: 1 folds, bucketed into" in str(planned(200_000, 4 * MB))


@pytest.mark.parametrize("wrong", ["much", "12 parsecs", "1KB", 1024])
def test_memory_that_is_no_size_is_refused(wrong: str | int) -> None:
    with pytest.raises(nt.Invalid, match="memory="):
        bytes_of(wrong)


@pytest.mark.parametrize("wrong", [1.5e9, True])
def test_memory_that_is_no_whole_number_is_refused_saying_what_to_pass(wrong: Any) -> None:
    with pytest.raises(nt.WrongType, match="pass bytes as an int, or text such as '4GiB'"):
        bytes_of(wrong)
