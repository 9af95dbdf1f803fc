"""Frames in memory with a text column could not be sent to Ray, which cannot serialize Arrow's string views."""

from __future__ import annotations

from datetime import datetime

import polars as pl
import pytest

import nowthen as nt


@pytest.mark.ray
@pytest.mark.usefixtures("ray_cluster")
def test_a_frame_with_text_travels_to_ray() -> None:
    rows = pl.DataFrame(
        {
            "name": ["ann", "bob"],
            "time": [datetime(2020, 1, 1)] * 2,
            "kind": pl.Series(["x", None], dtype=pl.Categorical),
        }
    )
    name = nt.Entity("name", keys={"name": pl.String})
    source = nt.Source("rows", nt.Frame(rows), event_time="time", entities=name)
    view = nt.feature_view("view", entity=name, features={"last_kind": source.kind.last()})
    found = nt.training_set(rows.select("name", "time"), view, at="time").collect(engine="ray")
    assert found["last_kind"].to_list() == ["x", None]
