"""Options of a run: every way out of a training set takes them, and no others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import nowthen as nt
from nowthen.engine.running.training_set import TrainingSet

from .shop import SHOP, sales, spine

VIEW = nt.feature_view("shop_sales", entity=SHOP, features={"sold": sales().items.sum()})
WAYS_OUT: list[Callable[..., Any]] = [
    TrainingSet.to_arrow,
    TrainingSet.to_pandas,
    TrainingSet.to_duckdb,
    lambda train, **how: train.to_batches(**how).read_all(),
]
every_way_out = pytest.mark.parametrize("way_out", WAYS_OUT)


def asked() -> TrainingSet:
    """Two questions."""
    return nt.training_set(spine(), VIEW, at="asked")


@every_way_out
def test_every_way_out_takes_what_a_run_takes(way_out: Callable[..., Any], tmp_path: Path) -> None:
    made = way_out(asked(), engine="local", memory="1GiB", workers=1, deadline="10m", resume=tmp_path / "resume")
    assert len(made) == 2


@every_way_out
def test_no_way_out_takes_less_memory_than_a_run_needs(way_out: Callable[..., Any]) -> None:
    with pytest.raises(nt.Invalid, match="less than 64MiB"):
        way_out(asked(), memory="1KB")


@pytest.mark.parametrize("way_out", [TrainingSet.batches, TrainingSet.to_batches, TrainingSet.to_duckdb])
def test_an_option_that_no_run_has_is_refused_before_anything_runs(way_out: Callable[..., Any]) -> None:
    with pytest.raises(nt.WrongType, match=r"no option 'memroy'\. Did you mean 'memory'"):
        way_out(asked(), memroy="1GiB")


@every_way_out
@pytest.mark.parametrize(
    "wrong, kind", [("2", nt.WrongType), (True, nt.WrongType), (1.5, nt.WrongType), (0, nt.Invalid)]
)
def test_workers_are_a_whole_number(way_out: Callable[..., Any], wrong: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind, match="workers="):
        way_out(asked(), workers=wrong)


@pytest.mark.usefixtures("bucketed")
def test_a_spine_is_refused_by_the_number_of_its_row_however_it_is_answered() -> None:
    late = sales(known_time="time")
    view = nt.feature_view("late", entity=SHOP, features={"n": late.count()})
    asked = pl.concat([spine()] * 20).with_columns(seen=pl.col("asked"))
    asked = asked.with_columns(seen=pl.when(pl.int_range(pl.len()) == 33).then(None).otherwise("seen"))
    made = nt.training_set(asked, view, at="asked", known_at="seen")
    for workers in (1, 8):
        with pytest.raises(nt.Invalid, match="'seen' is null in row 33;"):
            made.collect(engine="local", workers=workers)
