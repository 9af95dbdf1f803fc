"""UInt64 keys above 2^63, as hashes are, ended in an OverflowError when few of them were asked about."""

from __future__ import annotations

from datetime import datetime

import polars as pl

import nowthen as nt

NOON = datetime(2020, 1, 1, 12)


def test_keys_above_int64_are_keys() -> None:
    user = nt.Entity("user", keys={"user": pl.UInt64})
    rows = pl.DataFrame({"user": pl.Series([2**64 - 1, 2**64 - 1, 0, None], dtype=pl.UInt64), "time": [NOON] * 4})
    source = nt.Source("rows", nt.Frame(rows), event_time="time", entities=user)
    spine = pl.DataFrame({"user": pl.Series([2**64 - 1, None, 2**64 - 2], dtype=pl.UInt64), "time": [NOON] * 3})
    view = nt.feature_view("view", entity=user, features={"count": source.count()})
    assert nt.training_set(spine, view, at="time").collect(engine="local")["count"].to_list() == [2, 0, 0]
