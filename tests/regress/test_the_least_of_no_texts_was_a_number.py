"""The least or greatest of texts that are all null had the number 0 beneath the null: comparing it, or keeping it in a file, was a TypeError."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import nowthen as nt

NOON = datetime(2020, 1, 1, 12)
USER = nt.Entity("user", keys={"user": pl.Int64})
ROWS = pl.DataFrame({"user": [1, 1], "time": [NOON] * 2, "note": pl.Series([None, None], dtype=pl.String)})
TX = nt.Source("rows", nt.Frame(ROWS), event_time="time", entities=USER)
SPINE = pl.DataFrame({"user": [1, 2], "time": [NOON] * 2})


@pytest.mark.parametrize("least", [TX.note.min(), TX.note.max()], ids=["min", "max"])
@pytest.mark.parametrize("compared", [False, True])
def test_the_least_of_no_texts_is_null(least: Any, compared: bool, tmp_path: Path) -> None:
    expr = least < "x" if compared else least
    train = nt.training_set(SPINE, nt.feature_view("view", entity=USER, features={"note": expr}), at="time")
    assert train.collect(engine="local")["note"].to_list() == [None, None]
    assert train.collect(engine="local", resume=tmp_path / "resume")["note"].to_list() == [None, None]
    assert [batch["note"].to_list() for batch in train.batches(1, engine="local")] == [[None], [None]]
