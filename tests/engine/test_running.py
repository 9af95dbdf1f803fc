"""Running a plan in parts: batches, files, journals, budgets; the answers are those of a run at once."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import nowthen as nt
from nowthen.engine.plan.way import Resources
from nowthen.engine.running import shelf, work
from nowthen.engine.running.training_set import TrainingSet

from .shop import NOON, SELLER, SHOP

pytestmark = pytest.mark.usefixtures("bucketed")


def rows(n: int = 400) -> pl.DataFrame:
    """Sales of eleven shops and five sellers, some without a seller."""
    rng = np.random.default_rng(7)
    sellers = ["ann", "bob", "cid", "dot", None]
    return pl.DataFrame(
        {
            "shop_id": rng.integers(0, 11, n),
            "seller": [sellers[k] for k in rng.integers(0, 5, n)],
            "time": NOON + pl.Series(rng.integers(0, 10**9, n)).cast(pl.Duration("us")),
            "amount": rng.normal(size=n),
            "note": [None if k == 0 else f"n{k}" for k in rng.integers(0, 4, n)],
        }
    )


def asked(source: Any, spine: Any, **more: Any) -> TrainingSet:
    """Folds by two keys, of numbers and of text; some streamed, some by buckets."""
    tx = nt.Source("sales", source, event_time="time", entities=[SHOP, SELLER], **more)
    mean = nt.feature(tx.amount.mean().over("2m"), default=0.0)
    shop = nt.feature_view(
        "shop",
        entity=SHOP,
        ttl="1h",
        features={
            "n": tx.count().over("5m"),
            "mean": mean,
            "note": tx.note.min(),
        },
    )
    seller = nt.feature_view("seller", entity=SELLER, features={"last_note": tx.note.last(), "total": tx.amount.sum()})
    made: TrainingSet = nt.training_set(spine, [shop, seller], at="time")
    return made


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """The sales in two files of several row groups, and questions about them."""
    folder = tmp_path / "sales"
    folder.mkdir()
    rows()[:250].write_parquet(folder / "a.parquet", row_group_size=60)
    rows()[250:].write_parquet(folder / "b.parquet", row_group_size=60)
    rows(150).select("shop_id", "seller", "time").write_parquet(tmp_path / "spine.parquet")
    return folder, tmp_path / "spine.parquet"


@pytest.fixture
def training_set(files: tuple[Path, Path]) -> TrainingSet:
    """Asked of files."""
    return asked(nt.Parquet(files[0]), nt.Parquet(files[1]))


@pytest.fixture
def expected(training_set: TrainingSet) -> pl.DataFrame:
    """What a run on one core, whole, gives."""
    return training_set.collect(engine="local", workers=1, status=True)


def test_parts_and_pieces_give_what_a_whole_run_gives(training_set: TrainingSet, expected: pl.DataFrame) -> None:
    assert "bucketed" in str(training_set.plan(engine="local"))
    assert training_set.collect(engine="local", status=True).equals(expected)


@pytest.mark.parametrize("size", [1, 7, 150, 1000])
def test_batches_are_the_whole_in_order(training_set: TrainingSet, expected: pl.DataFrame, size: int) -> None:
    frames = list(training_set.batches(size, engine="local", status=True))
    assert pl.concat(frames).equals(expected)
    assert [frame.height for frame in frames[:-1]] == [size] * (len(frames) - 1)


def test_what_waits_in_files_comes_back_as_it_was(
    training_set: TrainingSet, expected: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelf.Shelf, "__init__", _no_memory(shelf.Shelf.__init__))
    assert training_set.collect(engine="local", status=True).equals(expected)
    assert pl.concat(list(training_set.batches(40, engine="local", status=True))).equals(expected)


def _no_memory(made: Any) -> Any:
    def empty(self: shelf.Shelf, memory: int) -> None:
        made(self, 0)

    return empty


def test_groups_of_buckets_are_answered_one_after_another(
    training_set: TrainingSet, expected: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Resources, "of_shelf", 10_000)
    assert " groups, pieces" in str(training_set.plan(engine="local"))
    assert training_set.collect(engine="local", status=True).equals(expected)


def test_a_file_holds_what_collect_gives(training_set: TrainingSet, expected: pl.DataFrame, tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    assert training_set.sink_parquet(out, rows=40, engine="local", status=True) == expected.height
    assert pl.read_parquet(out).equals(expected)


def test_a_file_that_was_not_finished_is_not_there(tmp_path: Path) -> None:
    broken = rows().with_columns(time=pl.when(pl.int_range(pl.len()) != 300).then("time"))
    out = tmp_path / "out.parquet"
    with pytest.raises(nt.Invalid, match=r"sales\.time is null in row 300"):
        asked(nt.Frame(broken), rows().select("shop_id", "seller", "time")).sink_parquet(out, engine="local")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_to_its_end_is_not_there(
    training_set: TrainingSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pyarrow.parquet as pq

    written = []

    def full(self: Any, table: Any) -> None:
        written.append(table)
        if len(written) == 2:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(pq.ParquetWriter, "write_table", full)
    with pytest.raises(OSError, match="No space left"):
        training_set.sink_parquet(tmp_path / "out.parquet", rows=40, engine="local")
    assert len(written) == 2
    assert not list(tmp_path.glob("*out.parquet*"))


def test_an_empty_spine_gives_an_empty_table_of_the_same_columns(expected: pl.DataFrame) -> None:
    empty = asked(nt.Frame(rows()), rows().select("shop_id", "seller", "time").clear())
    assert empty.collect(engine="local", status=True).schema == expected.schema
    (frame,) = empty.batches(10, engine="local", status=True)
    assert frame.schema == expected.schema


def test_a_file_that_changes_while_it_is_read_is_a_conflict(
    files: tuple[Path, Path], training_set: TrainingSet
) -> None:
    frames = training_set.plan(engine="local")
    reader = frames.input.sides[0].scan.reader
    rows(10).write_parquet(files[0] / "a.parquet")
    with pytest.raises(nt.Conflict, match="was written while it was read"):
        reader.read(["time"])


def test_files_whose_columns_are_of_unlike_types_are_refused(tmp_path: Path) -> None:
    rows()[:200].write_parquet(tmp_path / "a.parquet")
    rows()[200:].with_columns(pl.col("amount").cast(pl.Int64)).write_parquet(tmp_path / "b.parquet")
    with pytest.raises(nt.Invalid, match=r"'amount' is Float64 in .*a\.parquet' and Int64 in .*b\.parquet'"):
        asked(nt.Parquet(tmp_path), rows().select("shop_id", "seller", "time")).collect(engine="local")


def test_files_may_have_their_columns_in_any_order(files: tuple[Path, Path], expected: pl.DataFrame) -> None:
    second = files[0] / "b.parquet"
    frame = pl.read_parquet(second)
    frame.select(reversed(frame.columns)).write_parquet(second, row_group_size=60)
    assert asked(nt.Parquet(files[0]), nt.Parquet(files[1])).collect(engine="local", status=True).equals(expected)


def test_an_error_of_the_driver_leaves_no_thread_though_it_is_kept() -> None:
    spine = rows().select("shop_id", "seller", time=pl.when(pl.int_range(pl.len()) != 3).then("time"))
    with pytest.raises(nt.Invalid, match="null in row 3") as kept:
        asked(nt.Frame(rows()), spine).collect(engine="local")
    assert str(kept.value)
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("nowthen-step")]


class TestResume:
    """Runs that are taken up again."""

    @pytest.fixture
    def dies(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """The sixth bucket that is answered kills the run, unless it runs again; names what was answered."""
        answered: list[str] = []
        run = work.Bucket.__call__

        def counted(self: work.Bucket, *given: Any) -> Any:
            if len(answered) >= 5 and "again" not in answered:
                raise KeyboardInterrupt
            made = run(self, *given)
            answered.append(f"{self.first}")
            return made

        monkeypatch.setattr(work.Bucket, "__call__", counted)
        return answered

    def test_a_run_that_died_is_taken_up_where_it_ended(
        self, training_set: TrainingSet, tmp_path: Path, dies: list[str]
    ) -> None:
        folder = tmp_path / "resume"
        with pytest.raises(KeyboardInterrupt):
            training_set.collect(engine="local", resume=folder)
        noted = len(list(folder.glob("* answer *.json")))
        del dies[:]
        dies.append("again")
        resumed = training_set.collect(engine="local", resume=folder)
        repeated = len(dies) - 1
        del dies[1:]
        assert resumed.equals(training_set.collect(engine="local"))
        assert noted >= 1
        assert repeated == len(dies) - 1 - noted
        assert not folder.exists()

    def test_columns_that_are_brought_to_other_types_can_be_resumed(
        self, files: tuple[Path, Path], tmp_path: Path
    ) -> None:
        schema = {**rows().schema, "shop_id": pl.Int32}
        found = asked(nt.Parquet(files[0]), nt.Parquet(files[1]), schema={**schema, "amount": pl.Float64})
        plain = asked(nt.Parquet(files[0]), nt.Parquet(files[1]))
        assert found.collect(engine="local", resume=tmp_path / "resume").equals(plain.collect(engine="local"))
        assert not (tmp_path / "resume").exists()

    def test_another_plan_takes_nothing_from_the_folder(
        self, training_set: TrainingSet, files: tuple[Path, Path], tmp_path: Path, dies: list[str]
    ) -> None:
        folder = tmp_path / "resume"
        with pytest.raises(KeyboardInterrupt):
            training_set.collect(engine="local", resume=folder)
        dies.append("again")
        other = asked(nt.Parquet(files[0]), rows(99).select("shop_id", "seller", "time"))
        assert other.collect(engine="local", resume=folder).equals(other.collect(engine="local"))

    def test_a_torn_file_is_made_again(self, training_set: TrainingSet, tmp_path: Path, dies: list[str]) -> None:
        folder = tmp_path / "resume"
        with pytest.raises(KeyboardInterrupt):
            training_set.collect(engine="local", resume=folder)
        for path in folder.glob("*.arrow"):
            os.truncate(path, path.stat().st_size // 2)
        dies.append("again")
        assert training_set.collect(engine="local", resume=folder).equals(training_set.collect(engine="local"))

    def test_two_runs_never_share_a_folder(self, training_set: TrainingSet, tmp_path: Path) -> None:
        batches = training_set.batches(10, engine="local", resume=tmp_path / "resume")
        next(batches)
        with pytest.raises(nt.Conflict, match="another run has"):
            training_set.collect(engine="local", resume=tmp_path / "resume")
        batches.close()

    def test_a_folder_that_holds_anything_else_is_refused_and_left_alone(
        self, training_set: TrainingSet, tmp_path: Path
    ) -> None:
        folder = tmp_path / "mine"
        folder.mkdir()
        (folder / "thesis.tex").write_text("dear")
        with pytest.raises(nt.Invalid, match=r"holds 'thesis\.tex', which no run left there"):
            training_set.collect(engine="local", resume=folder)
        assert [path.name for path in folder.iterdir()] == ["thesis.tex"]

    def test_a_folder_of_the_users_stays_when_the_run_is_done(self, training_set: TrainingSet, tmp_path: Path) -> None:
        (tmp_path / "mine").mkdir()
        training_set.collect(engine="local", resume=tmp_path / "mine")
        assert list((tmp_path / "mine").iterdir()) == []

    def test_a_mistake_in_the_call_locks_no_folder(self, training_set: TrainingSet, tmp_path: Path) -> None:
        with pytest.raises(nt.Invalid) as kept:
            training_set.collect(engine="local", resume=tmp_path / "resume", deadline="soon")
        assert str(kept.value)
        training_set.collect(engine="local", resume=tmp_path / "resume")

    def test_rows_that_may_change_unseen_cannot_be_resumed(self, tmp_path: Path) -> None:
        rows().write_csv(tmp_path / "sales.csv")
        schema = {
            "shop_id": pl.Int64(),
            "seller": pl.String(),
            "time": pl.Datetime("us", "UTC"),
            "amount": pl.Float64(),
            "note": pl.String(),
        }
        made = asked(nt.Csv(tmp_path / "sales.csv"), rows().select("shop_id", "seller", "time"), schema=schema)
        with pytest.raises(nt.Invalid, match="may change between two runs"):
            made.collect(engine="local", resume=tmp_path / "resume")
