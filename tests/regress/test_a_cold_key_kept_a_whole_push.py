"""Keys pushed together shared their arrays, so that a key nobody pushed again kept those of all the others alive, push after push."""

from __future__ import annotations

import numpy as np
import polars as pl

import nowthen as nt
from nowthen.engine.folds.online import Online
from nowthen.engine.folds.rows import SEQUENCE
from nowthen.engine.folds.timeline import Timeline
from nowthen.engine.language.service import named


def test_what_is_held_after_many_pushes_is_what_keys_have() -> None:
    entity = nt.Entity("entity", keys={"key": pl.Int64})
    source = nt.Source("rows", nt.Frame(frame([], 0).drop(SEQUENCE)), event_time="time", entities=[entity])
    (side,) = Online(named([nt.feature_view("view", entity=entity, features={"n": source.count()})])).sides
    timeline = Timeline.load(side, frame([], 0))
    for push in range(50):
        timeline.append(frame([0, push + 1], 2 * push))  # one key every time, and one that never comes again
    layers = {id(stretch.layer): stretch.layer for stretch in timeline.later.values()}
    assert sum(len(layer.events.time) for layer in layers.values()) == 100
    asked = [0, 1, 50, 51]
    assert timeline.ask(asked, np.full(4, 10**9))["f0"].value.values.tolist() == [50, 1, 1, 0]


def frame(keys: list[int], sequence: int) -> pl.DataFrame:
    time = pl.Series([sequence] * len(keys), dtype=pl.Int64).cast(pl.Datetime("us", "UTC"))
    numbers = pl.Series(range(sequence, sequence + len(keys)), dtype=pl.Int64)
    return pl.DataFrame({"key": pl.Series(keys, dtype=pl.Int64), "time": time, SEQUENCE: numbers})
