"""`resume=`: what was kept went before the file was there, a stranger in the folder cost the result, and columns that nobody reads were hashed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import nowthen as nt
from nowthen.engine.running import sinking
from nowthen.engine.running.training_set import TrainingSet

NOON = datetime(2020, 1, 1, 12, tzinfo=UTC)
USER = nt.Entity("user", keys={"user": pl.Int64})
ROWS = pl.DataFrame({"user": [1, 1, 2], "time": [NOON] * 3, "amount": [1.0, 2.0, 3.0]})


def made(rows: pl.DataFrame = ROWS, **more: Any) -> TrainingSet:
    """Sums of a user."""
    source = nt.Source("rows", nt.Frame(rows), event_time="time", entities=USER, **more)
    view = nt.feature_view("view", entity=USER, features={"total": source.amount.sum()})
    found: TrainingSet = nt.training_set(rows.select("user", "time"), view, at="time")
    return found


@pytest.mark.usefixtures("bucketed")
def test_what_is_kept_stays_until_the_file_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(sinking, "_flush", full)
    with pytest.raises(OSError, match="no space left"):
        made().sink_parquet(tmp_path / "out.parquet", engine="local", resume=tmp_path / "kept")
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    assert list((tmp_path / "kept").glob("* answer *.arrow"))


@pytest.mark.usefixtures("bucketed")
def test_a_stranger_that_came_meanwhile_stays(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    for _ in made().batches(1, engine="local", resume=folder):
        (folder / ".DS_Store").touch()
    assert [path.name for path in folder.iterdir()] == [".DS_Store"]


@pytest.mark.parametrize(
    "beside",
    [pl.Series("far", [2**62] * 3).cast(pl.Datetime("ms")), pl.Series("large", [2**100] * 3, dtype=pl.Int128)],
    ids=lambda column: column.name,
)
def test_columns_that_nobody_reads_may_hold_anything(beside: pl.Series, tmp_path: Path) -> None:
    train = made(ROWS.with_columns(beside))
    assert train.collect(engine="local", resume=tmp_path / "kept")["total"].to_list() == [3.0, 3.0, 3.0]


@pytest.mark.parametrize("plan", ["[]", "{}", '{"a": 1}', "no json"])
def test_a_plan_that_says_nothing_is_none(plan: str, tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text(plan)
    assert made().collect(engine="local", resume=tmp_path)["total"].to_list() == [3.0, 3.0, 3.0]


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for wrong in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(nt.Invalid, match="resume="):
            made().collect(engine="local", resume=wrong)
    with pytest.raises(nt.WrongType, match="resume=3"):
        made().collect(engine="local", resume=3)  # type: ignore[arg-type]
