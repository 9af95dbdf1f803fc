"""Rows that are known late are listed for every question. A run that did so went on for a minute after its deadline, and after Ctrl-C."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl
import pytest

import nowthen as nt
from nowthen.engine.folds import at
from nowthen.engine.folds.stopping import may_stop, stopped_by

USER = nt.Entity("user", keys={"user": pl.Int64})


class Enough(Exception):
    """Nobody waits any longer."""


def after(times: int) -> Iterator[None]:
    """So many times nothing happens, then it is enough."""
    yield from [None] * times
    raise Enough


def test_work_is_stopped_where_it_is_asked_for_inside() -> None:
    asked = after(1)
    with stopped_by(lambda: next(asked)):
        may_stop()
        with pytest.raises(Enough):
            may_stop()
    may_stop()


def test_a_run_is_stopped_between_two_lists_of_late_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    n = 200
    time = pl.Series(np.arange(n) * 1_000_000).cast(pl.Datetime("us", "UTC"))
    rows = pl.DataFrame({"user": [1] * n, "time": time}).with_columns(known=pl.col("time").dt.offset_by("50s"))
    source = nt.Source("rows", nt.Frame(rows), event_time="time", known_time="known", entities=USER)
    view = nt.feature_view("view", entity=USER, features={"n": source.count()})
    train = nt.training_set(rows.select("user", asked="time"), view, at="asked")
    seen: list[int] = []
    monkeypatch.setattr(at, "_CHUNK", 1000)
    monkeypatch.setattr(at, "may_stop", lambda: seen.append(1))
    assert train.collect(engine="local")["n"].to_list() == [max(k - 49, 0) for k in range(n)]
    assert len(seen) > 5
