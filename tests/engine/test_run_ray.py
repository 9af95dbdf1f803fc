"""The Ray executor: the same answers as this process, the same errors, frames moved and files opened where the task runs."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import ray

import nowthen as nt
from nowthen.engine.plan.way import Resources
from nowthen.engine.running import run_ray
from nowthen.engine.running.ray_workers import Workers

from .plans import asked
from .shop import NOON, ROWS, SELLER, SHOP, sales, spine

pytestmark = [pytest.mark.ray, pytest.mark.usefixtures("ray_cluster")]


def test_ray_and_this_process_give_the_same_table() -> None:
    assert asked().collect(engine="ray", status=True).equals(asked().collect(engine="local", status=True))


def test_auto_is_ray_where_a_cluster_is_connected() -> None:
    assert asked().collect(engine="auto", status=True).equals(asked().collect(engine="local", status=True))


def test_every_kind_of_fold_and_column_travels(tmp_path: Path) -> None:
    ROWS.write_parquet(tmp_path / "sales.parquet")
    tx = nt.Source(
        "sales", nt.Parquet(tmp_path / "sales.parquet"), event_time="time", entities=[SHOP, SELLER], row_id="sale_id"
    )
    features: dict[str, Any] = {
        "last_seller": tx.seller.last(),
        "first_time": tx.time.min(),
        "mean": nt.feature(tx.amount.mean().over("1h"), default=1.5),
        "frauds": tx.count(where=tx.fraud).over(nt.tumbling("1d", tz="Europe/Berlin")),
        "share": tx.fraud.mean().over("1d", delay="1h"),
    }
    view = nt.feature_view("view", entity=SHOP, features=features, ttl="1h")
    everybody = nt.feature_view("everybody", entity=[], features={"most": tx.amount.max()})
    training_set = nt.training_set(spine(shop_id=[1, None]), [view, everybody], at="asked", known_at="latest")
    assert training_set.collect(engine="ray", status=True).equals(training_set.collect(engine="local", status=True))


def test_a_source_that_is_its_own_spine_travels() -> None:
    view = nt.feature_view("view", entity=SHOP, features={"count": sales().count().over("1d", closed="left")})
    training_set = nt.training_set(ROWS, view, at="time")
    assert training_set.collect(engine="ray")["count"].to_list() == [0, 1, 0, 2]


def test_an_error_of_a_task_is_raised_as_it_is() -> None:
    rows = pl.DataFrame({"shop_id": [1, 1], "time": [NOON, None]})
    source = nt.Source("sales", nt.Frame(rows), event_time="time", entities=SHOP)
    view = nt.feature_view("view", entity=SHOP, features={"count": source.count()})
    with pytest.raises(nt.Invalid, match=r"sales\.time is null in row 1"):
        nt.training_set(spine(), view, at="asked").collect(engine="ray")


@pytest.mark.usefixtures("bucketed")
def test_buckets_in_groups_and_streams_give_the_same_on_ray(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = pl.DataFrame(
        {
            "shop_id": [n % 7 for n in range(200)],
            "time": [NOON + timedelta(seconds=37 * n % 5000) for n in range(200)],
            "amount": [float(n) for n in range(200)],
        }
    )
    rows.write_parquet(tmp_path / "sales.parquet", row_group_size=30)
    tx = nt.Source("sales", nt.Parquet(tmp_path / "sales.parquet"), event_time="time", entities=SHOP)
    mean = nt.feature_view(
        "mean", entity=SHOP, features={"mean": tx.amount.mean().over("10m"), "most": tx.amount.max()}
    )
    last = nt.feature_view("last", entity=SHOP, features={"last": tx.amount.last()})
    for view, way in ((mean, "groups"), (last, "streamed")):
        training_set = nt.training_set(rows.select("shop_id", "time"), view, at="time")
        monkeypatch.setattr(Resources, "of_shelf", 3_000)
        assert way in str(training_set.plan(engine="ray"))
        assert training_set.collect(engine="ray", status=True).equals(
            training_set.collect(engine="local", workers=1, status=True)
        )


def test_workers_of_another_connection_are_not_taken_over(monkeypatch: pytest.MonkeyPatch) -> None:
    resting = Workers()
    monkeypatch.setattr(resting, "session", "another")
    monkeypatch.setattr(run_ray._Resting, "_workers", resting)
    taken = run_ray._Resting.taken()
    run_ray._Resting.ended(taken, stop=True)
    assert taken is not resting


@pytest.mark.parametrize("said", [None, "500"])
def test_a_ray_that_is_started_frees_soon_unless_told_otherwise(
    said: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, seen = "RAY_free_objects_period_milliseconds", []
    monkeypatch.setattr(os, "environ", {} if said is None else {name: said})
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", lambda **_: seen.append(os.environ[name]))
    run_ray.connect()
    assert seen == [said or "10"]
