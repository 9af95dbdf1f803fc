"""Where clocks go back, a day by the clock on the wall ends earlier than that of the question before. The compiled search went on from
where it was and counted from there.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

import nowthen as nt
from nowthen.engine.folds import compiled

BEGIN = datetime(2020, 10, 25, tzinfo=UTC)  # the night in which the clocks of Berlin went back
QUARTER = timedelta(minutes=15)


@pytest.mark.parametrize("loops", ["numpy", "compiled"])
def test_days_that_begin_earlier_again_count_what_is_in_them(loops: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = compiled.warm() if loops == "compiled" else None
    monkeypatch.setattr(compiled, "kernels", lambda work: found)
    rows = pl.DataFrame({"key": [1] * 400, "time": [BEGIN - 2 * timedelta(days=1) + i * QUARTER for i in range(400)]})
    entity = nt.Entity("entity", keys={"key": pl.Int64})
    source = nt.Source("rows", nt.Frame(rows), event_time="time", entities=[entity])
    day = source.count().over(nt.hopping("1d", "30m", tz="Europe/Berlin"))
    view = nt.feature_view("view", entity=entity, features={"day": day})
    spine = pl.DataFrame({"key": [1] * 8, "at": [BEGIN + i * QUARTER for i in range(8)]})
    counted = nt.training_set(spine, view, at="at").collect(engine="local")["day"].to_list()
    assert counted == [96, 96, 96, 96, 100, 100, 100, 100]
