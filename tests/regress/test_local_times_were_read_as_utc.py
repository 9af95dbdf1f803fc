"""Expressions read the naive times of a source with `time_zone=` as UTC, though its event times were read right: at noon and a half in
New York `nt.at() - events.time.last()` of an event at noon there was four and a half hours, in training, stores and serving alike.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import nowthen as nt
from nowthen.engine.errors import Invalid

customer = nt.Entity("customer", keys={"customer_id": pl.Int64})
NOON, HALF_PAST = datetime(2026, 7, 1, 12), datetime(2026, 7, 1, 16, 30)  # in New York, in UTC
ASKED = pl.DataFrame({"customer_id": [1], "at": [HALF_PAST]})
EXPECTED = {"quiet": timedelta(minutes=30), "hour": 12, "later": 1, "earlier": 0, "booked": timedelta(hours=2)}


def events(*booked: datetime | None) -> nt.Source:
    n = max(len(booked), 1)
    rows = pl.DataFrame(
        {"customer_id": [1] * n, "time": [NOON] * n, "booked": booked or [None]},
        schema_overrides={"booked": pl.Datetime("ms")},
    )
    return nt.Source("events", nt.Frame(rows), event_time="time", entities=customer, time_zone="America/New_York")


def service(source: Any) -> nt.FeatureService:
    features = {
        "quiet": nt.at() - source.time.last(),
        "hour": source.time.dt.hour().last(),
        "later": source.count(where=source.time >= datetime(2026, 7, 1, 15, tzinfo=UTC)),
        "earlier": source.filter(source.time < datetime(2026, 7, 1, 16)).count(),
        "booked": (source.time - source.booked).last(),
    }
    return nt.FeatureService("quiet", [nt.feature_view("quiet_view", entity=customer, features=features)])


def test_local_times_are_instants_in_training_in_stores_and_online(tmp_path: Path) -> None:
    source = events(datetime(2026, 7, 1, 10))
    made = service(source)
    assert nt.training_set(ASKED, made, at="at").collect().select(list(EXPECTED)).to_dicts() == [EXPECTED]
    store = nt.connect(tmp_path / "store")
    store.apply([made])
    store.ingest(source)
    assert store.training_set(ASKED, "quiet", at="at").collect().select(list(EXPECTED)).to_dicts() == [EXPECTED]
    store.snapshot(made)
    with store.online() as online:
        answer = online.get("quiet", {"customer_id": [1]}, at=HALF_PAST).to_polars()
    assert answer.select(list(EXPECTED)).to_dicts() == [EXPECTED]


def test_a_local_time_that_clocks_showed_twice_is_refused_where_it_is_read() -> None:
    source = events(datetime(2025, 11, 2, 1, 30))
    with pytest.raises(Invalid, match=r"2025-11-02 01:30:00 is ambiguous or does not exist in America/New_York"):
        nt.training_set(ASKED, service(source), at="at").collect()


def test_a_null_local_time_stays_null() -> None:
    assert nt.training_set(ASKED, service(events(None)), at="at").collect()["booked"].to_list() == [None]


def test_columns_of_a_source_in_utc_are_read_as_they_are() -> None:
    rows = pl.DataFrame({"customer_id": [1], "time": [NOON]})
    source = nt.Source("events", nt.Frame(rows), event_time="time", entities=customer, time_zone="UTC")
    assert source.time.dtype == pl.Datetime("us")
