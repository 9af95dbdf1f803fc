"""A saved training set goes where one that is not saved goes, whole and in parts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import nowthen as nt
from nowthen.engine.errors import Conflict, Invalid, WrongType
from nowthen.engine.running.training_set import TrainingSet
from nowthen.store.store import Store
from nowthen.store.training_sets import saved_training_set
from nowthen.store.training_sets.saved_training_set import SavedTrainingSet

from . import shop

CUTS = [shop.START + timedelta(hours=18), shop.START + timedelta(hours=40)]


@pytest.fixture
def train(store: Store, tx: nt.Source) -> TrainingSet:
    return store.training_set(shop.labels(), "shop", at="t")


@pytest.fixture
def made(train: TrainingSet) -> SavedTrainingSet:
    saved: SavedTrainingSet = train.save("shop/1")
    return saved


def test_it_streams_as_the_training_set_it_was(train: TrainingSet, made: SavedTrainingSet) -> None:
    assert list(made.to_batches(7)) == list(train.to_batches(7))


def test_its_batches_are_no_greater_than_asked(made: SavedTrainingSet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saved_training_set, "_HELD", 8)
    frames = list(made.batches(3))
    assert max(frame.height for frame in frames) == 3
    assert_frame_equal(pl.concat(frames), made.collect(), check_exact=True)


def test_one_without_rows_has_a_batch_with_its_columns(store: Store, tx: nt.Source) -> None:
    empty = store.training_set(shop.labels().clear(), "shop", at="t").save("none")
    assert [frame.schema for frame in empty.batches()] == [pl.Schema(empty.schema)]
    assert empty.to_batches().read_all().num_rows == 0


@pytest.mark.parametrize("rows", [0, True, 2.5])
def test_a_batch_of_no_rows_is_refused_before_it_is_read(made: SavedTrainingSet, rows: Any) -> None:
    with pytest.raises(Invalid, match="one row or more"):
        made.to_batches(rows)


def test_arrow_takes_it_as_it_is(made: SavedTrainingSet) -> None:
    pa = pytest.importorskip("pyarrow")
    assert pa.table(made).equals(made.to_arrow())
    assert pa.schema(made) == made.to_arrow().schema


def test_duckdb_holds_its_rows(made: SavedTrainingSet) -> None:
    duckdb = pytest.importorskip("duckdb")
    relation = made.to_duckdb(duckdb.connect()).select("customer_id", "count_1d")
    assert relation.fetchall() == made.collect(["customer_id", "count_1d"]).rows()
    with pytest.raises(WrongType, match="connection"):
        made.to_duckdb(":memory:")  # type: ignore[arg-type]


@pytest.mark.ray
@pytest.mark.usefixtures("ray_cluster")
@pytest.mark.filterwarnings("ignore::DeprecationWarning:ray")  # Ray Data warns of settings of its own
def test_ray_data_has_it_in_blocks(made: SavedTrainingSet) -> None:
    from nowthen.engine.running.ray_data import rows

    dataset = made.to_ray(7)
    assert dataset.num_blocks() == 3
    assert rows(dataset).equals(made.to_arrow())


def test_tensors_are_of_its_features_and_numbers(made: SavedTrainingSet) -> None:
    pytest.importorskip("torch", reason="torch is an extra: pip install 'nowthen[torch]'")
    batches = list(made.to_torch(batch_size=8, fill_null=0))
    assert [len(batch["count_1d"]) for batch in batches] == [8, 8, 4]
    assert "place" not in batches[0]


def test_what_is_no_number_becomes_no_tensor(made: SavedTrainingSet) -> None:
    with pytest.raises(WrongType, match="place"):
        made.to_torch(["place"])


@pytest.mark.parametrize("gap", ["0s", "5h"])
def test_it_is_split_as_the_training_set_it_was(train: TrainingSet, made: SavedTrainingSet, gap: str) -> None:
    parts = made.split(CUTS, gap=gap)
    for part, whole in zip(parts, train.split(CUTS, gap=gap), strict=True):
        assert_frame_equal(part.collect(), whole.collect(), check_exact=True)
    assert f"{parts[0].rows} of 20 rows" in repr(parts[0])


def test_a_part_has_the_same_ways_out(made: SavedTrainingSet) -> None:
    for part in made.split(CUTS):
        assert_frame_equal(pl.concat(part.batches(4)), part.collect(), check_exact=True)
        assert pl.DataFrame(part).equals(part.collect())
        assert part.collect(["t"]).columns == ["t"]


def test_a_part_before_all_rows_has_a_batch_with_its_columns(made: SavedTrainingSet) -> None:
    first, _ = made.split([shop.START])
    assert [frame.shape for frame in first.batches(4)] == [(0, len(made.schema))]


def test_cuts_that_fall_are_refused(made: SavedTrainingSet) -> None:
    with pytest.raises(Invalid, match="must be in increasing order"):
        made.split(CUTS[::-1])


def test_a_part_ends_when_rows_are_forgotten(store: Store, made: SavedTrainingSet) -> None:
    part, *_ = made.split(CUTS)
    store.forget(shop.CUSTOMER, {"customer_id": [3]})
    for ask in (part.collect, part.to_arrow, lambda: list(part.batches())):
        with pytest.raises(Conflict, match="Split it again"):
            ask()
