"""`sink_parquet` replaced the spine or a source that it had read, without a word; and memory addresses were written for columns of objects."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

import nowthen as nt
from nowthen.engine.running.training_set import TrainingSet

NOON = datetime(2020, 1, 1, 12)
USER = nt.Entity("user", keys={"user": pl.Int64})
ROWS = pl.DataFrame({"user": [1, 1], "time": [NOON] * 2, "amount": [1.0, 2.0]})
SPINE = pl.DataFrame({"user": [1, 2], "at": [NOON] * 2})


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with the files."""
    monkeypatch.chdir(tmp_path)
    ROWS.write_parquet("rows.parquet")
    ROWS.write_csv("rows.csv")
    SPINE.write_parquet("spine.parquet")
    return tmp_path


def made(source: nt.Parquet | nt.Csv, spine: pl.DataFrame | str = "spine.parquet") -> TrainingSet:
    """Two features of a user."""
    rows = nt.Source("rows", source, event_time="time", entities=USER)
    view = nt.feature_view("view", entity=USER, features={"n": rows.count(), "total": rows.amount.sum()})
    found: TrainingSet = nt.training_set(spine, view, at="at")
    return found


@pytest.mark.parametrize("name", ["rows.parquet", "spine.parquet", "../{}/rows.parquet", "link.parquet"])
def test_what_is_read_is_never_written_over(folder: Path, name: str) -> None:
    (folder / "link.parquet").symlink_to(folder / "rows.parquet")
    before = {path: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(nt.Invalid, match="is read for these rows"):
        made(nt.Parquet("rows.parquet")).sink_parquet(name.format(folder.name), engine="local")
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_nor_is_a_file_of_a_folder_or_of_text(folder: Path) -> None:
    with pytest.raises(nt.Invalid, match="is read for these rows"):
        made(nt.Csv("rows.csv")).sink_parquet("rows.csv", engine="local")
    (folder / "many").mkdir()
    ROWS.with_columns(pl.col("user").cast(pl.Int32)).write_parquet("many/a.parquet")
    with pytest.raises(nt.Invalid, match="is read for these rows"):
        made(nt.Parquet("many")).sink_parquet("many/a.parquet", engine="local")


@pytest.mark.usefixtures("folder")
def test_another_file_is_replaced() -> None:
    for _ in range(2):
        assert made(nt.Parquet("rows.parquet")).sink_parquet("out.parquet", engine="local") == 2
    assert pl.read_parquet("out.parquet")["n"].to_list() == [2, 0]


@pytest.mark.parametrize("path, kind", [(".", nt.Invalid), ("nowhere/out.parquet", nt.Invalid), (3, nt.WrongType)])
@pytest.mark.usefixtures("folder")
def test_what_is_no_file_to_write_is_refused(path: str, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        made(nt.Parquet("rows.parquet")).sink_parquet(path, engine="local")


@pytest.mark.usefixtures("folder")
def test_objects_are_refused_wherever_arrow_would_hold_them() -> None:
    spine = SPINE.with_columns(pl.Series("what", [object(), object()], dtype=pl.Object))
    train = made(nt.Parquet("rows.parquet"), spine)
    with pytest.raises(nt.WrongType, match="column 'what' is Object"):
        train.sink_parquet("out.parquet", engine="local")
    with pytest.raises(nt.WrongType, match="column 'what' is Object"):
        train.to_arrow(engine="local")
    assert train.collect(engine="local")["n"].to_list() == [2, 0]
