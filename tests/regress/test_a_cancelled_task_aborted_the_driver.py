"""After every run the Ray executor cancelled its tasks, done or not. Ray 2.60 aborts the whole process (exit code 1, no traceback) when a
cancellation meets the reply of a task that has just finished, which happened once in some dozens of runs.
"""

from __future__ import annotations

from datetime import datetime

import polars as pl
import pytest

import nowthen as nt


@pytest.mark.ray
@pytest.mark.usefixtures("ray_cluster")
def test_many_runs_in_a_row_leave_the_driver_alive() -> None:
    rows = pl.DataFrame({"key": [1, 1], "time": [datetime(2026, 1, 1), datetime(2026, 1, 2)], "x": [1.0, 2.0]})
    entity = nt.Entity("entity", keys={"key": pl.Int64})
    source = nt.Source("rows", nt.Frame(rows), event_time="time", entities=[entity])
    view = nt.feature_view("view", entity=entity, features={"total": source.x.sum().over("7d")})
    training = nt.training_set(rows.select("key", "time"), view, at="time")
    assert all(training.collect(engine="ray")["total"].to_list() == [1.0, 3.0] for _ in range(40))
