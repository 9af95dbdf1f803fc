"""Tasks: they open their inputs themselves, so a copy that travelled gives the same answers."""

from __future__ import annotations

import pickle
from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

import nowthen as nt
from nowthen.engine.running.answering import jobs
from nowthen.engine.running.task import AtTask
from nowthen.engine.running.training_set import TrainingSet

from .plans import asked
from .shop import NOON, ROWS, SHOP, sales, spine


def tasks(training_set: TrainingSet) -> list[AtTask]:
    plan = training_set.plan()
    return [AtTask(side, plan.input.spine, with_status=True) for side in plan.input.sides]


def test_a_pickled_task_gives_the_same_answers() -> None:
    for task in tasks(asked()):
        copy = pickle.loads(pickle.dumps(task))
        mine, its = (one.run(one.spine.reader, one.source) for one in (task, copy))
        assert mine.keys() == its.keys()
        for slot, answer in mine.items():
            assert its[slot].value.to_series().equals(answer.value.to_series())
            assert repr(its[slot].found) == repr(answer.found)


def test_a_task_run_twice_gives_the_same_answers() -> None:
    (task, *_) = tasks(asked())
    first, second = (task.run(task.spine.reader, task.source) for _ in range(2))
    assert all(second[slot].value.to_series().equals(answer.value.to_series()) for slot, answer in first.items())


def test_latest_rows_of_several_sources_pass_by_questions_that_are_sorted_once() -> None:
    other = nt.Source("other", nt.Frame(ROWS.filter(pl.col("items") < 4)), event_time="time", entities=[SHOP])
    latest = {"last": sales().amount.last().over("1d"), "other": other.amount.last().over("forever")}
    both = nt.training_set(spine(), nt.feature_view("latest", entity=SHOP, features=latest), at="asked")
    (_, made) = jobs(both.plan(engine="local"))
    assert sum(step.name.startswith("ask ") for job in made for step in job.begin()) == 1
    found = both.collect(engine="local", status=True)
    assert found.select("last", "other").to_dicts() == [{"last": None, "other": 20.0}, {"last": 5.0, "other": 5.0}]
    assert found["last__status"].to_list() == ["null", "present"]


def test_a_definition_travels_without_its_data() -> None:
    spec = pickle.loads(pickle.dumps(sales().spec))
    assert spec.reader is None
    assert spec.schema == sales().spec.schema
    with pytest.raises(nt.Invalid, match="has no reader"):
        spec.open()


def test_rows_from_a_file_and_from_a_frame_give_the_same_answers(tmp_path: Path) -> None:
    ROWS.write_parquet(tmp_path / "sales.parquet")
    filed = nt.Source(
        "sales", nt.Parquet(tmp_path / "sales.parquet"), event_time="time", entities=sales().spec.entities
    )
    assert asked(filed).collect(engine="local").equals(asked().collect(engine="local"))


@pytest.mark.parametrize("known_at, count", [(None, 1), ("latest", 2), ("seen", 1), (NOON.replace(hour=13), 2)])
def test_what_was_known_decides_which_rows_exist(known_at: str | datetime | None, count: int) -> None:
    rows = pl.DataFrame({"shop_id": [1, 1], "time": [NOON, NOON], "known": [NOON, NOON.replace(hour=13)]})
    source = nt.Source("sales", nt.Frame(rows), event_time="time", entities=SHOP, known_time="known")
    view = nt.feature_view("view", entity=SHOP, features={"count": source.count()})
    made = nt.training_set(spine(shop_id=[1, 1], seen=[NOON, NOON]), view, at="asked", known_at=known_at)
    assert made.collect(engine="local")["count"].to_list() == [count, count]
