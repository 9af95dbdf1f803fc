"""Versions that a correction had ended came back in memory, when later rows touched only the key they had stood at.

A key's rows are arranged anew when it takes rows. The correction that moved one of them away stood at another key (or at none, its key being
null) and was not read again, so the old version looked alive. Found by tests/oracle/test_online_equals_offline.py.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import polars as pl
import pytest

import nowthen as nt
from nowthen.engine.folds.online import Online
from nowthen.engine.folds.rows import SEQUENCE
from nowthen.engine.folds.timeline import Timeline
from nowthen.engine.language.service import named

DAY = datetime(2020, 1, 1, tzinfo=UTC)
SCHEMA: dict[str, Any] = {
    "row": pl.Int64,
    "key": pl.Int64,
    "time": pl.Datetime("us", "UTC"),
    "known": pl.Datetime("us", "UTC"),
    "gone": pl.Boolean,
}
Version = tuple[int | None, int | None, int, bool]  # row_id, key, the hour it was known, deleted


def counts(pushes: list[list[Version]]) -> list[int]:
    """How many rows keys 1 and 2 have in the evening, after all pushes; the first is the snapshot."""
    entity = nt.Entity("key", keys={"key": pl.Int64})
    source = nt.Source(
        "rows", event_time="time", entities=[entity], row_id="row", known_time="known", deleted="gone", schema=SCHEMA
    )
    view = nt.feature_view("view", entity=entity, features={"rows": source.count()})
    online = Online(named(view))
    sequence, timeline = 0, None
    for push in pushes:
        rows = [(row, key, DAY, DAY.replace(hour=hour), gone) for row, key, hour, gone in push]
        frame = pl.DataFrame(rows, SCHEMA, orient="row").with_columns(
            pl.Series(SEQUENCE, range(sequence, sequence + len(rows)), dtype=pl.Int64)
        )
        sequence += len(rows)
        if timeline is None:
            timeline = Timeline.load(online.sides[0], frame)
        else:
            timeline.append(frame)
    assert timeline is not None
    at = np.full(2, int(DAY.replace(hour=23).timestamp()) * 1_000_000)
    answers = online.fold([timeline], {"key": [1, 2]}, at)
    found: list[int] = online.finish(answers, {}, at).columns[0].values.tolist()
    return found


@pytest.mark.parametrize("elsewhere", [2, None])
def test_a_row_moved_away_stays_away_when_its_old_key_takes_another_row(elsewhere: int | None) -> None:
    moved: list[list[Version]] = [[(1, 1, 0, False)], [(1, elsewhere, 3, False)], [(7, 1, 1, False)]]
    assert counts(moved) == [1, 1 if elsewhere else 0]


def test_a_version_that_arrives_late_is_ended_by_one_that_went_to_a_null_key() -> None:
    assert counts([[(1, 1, 0, False)], [(1, None, 3, False)], [(1, 2, 1, False)]]) == [0, 0]


def test_a_deletion_with_a_null_key_ends_a_version_that_arrives_later() -> None:
    assert counts([[(1, None, 3, True)], [(1, 1, 0, False)]]) == [0, 0]


def test_a_correction_is_seen_when_it_comes_together_with_a_row_without_row_id() -> None:
    assert counts([[(1, 1, 0, False), (2, 1, 0, False)], [(1, 2, 3, False), (None, 1, 1, False)]]) == [2, 1]
