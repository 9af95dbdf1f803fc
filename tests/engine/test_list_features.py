"""Features that are lists are the same however they are computed and whatever they are handed over as."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import nowthen as nt
from nowthen.engine.plan.way import per_question
from nowthen.engine.running import shelf
from nowthen.engine.running.training_set import TrainingSet

from .shop import NOON, SHOP

TYPES: dict[str, pl.DataType] = {
    "amount": pl.Float64(),
    "items": pl.Int16(),
    "note": pl.String(),
    "time": pl.Datetime("us", "UTC"),
}


def rows(n: int = 500) -> pl.DataFrame:
    """Sales of eleven shops, with nulls and NaN."""
    rng = np.random.default_rng(11)
    amount = [None if k % 7 == 0 else float("nan") if k % 13 == 0 else float(k) for k in range(n)]
    return pl.DataFrame(
        {
            "shop_id": rng.integers(0, 11, n),
            "time": NOON + pl.Series(rng.integers(0, 1000, n)).cast(pl.Duration("us")) * 1_000_000,
            "amount": amount,
            "items": pl.Series(rng.integers(0, 50, n), dtype=pl.Int16),
            "note": [None if k == 0 else f"n{k}" for k in rng.integers(0, 9, n)],
        }
    )


def features(tx: Any) -> dict[str, Any]:
    """Lists of every kind of value, with defaults, short and long windows."""
    return {
        "amounts": tx.amount.last_k(5).over("4m"),
        "all_amounts": tx.amount.last_k(3, ignore_nulls=False),
        "notes": nt.feature(tx.note.first_k(2).over("1m"), default=["none", None]),
        "late": nt.feature(tx.note.last_k(2).over("1m", delay="10s"), default=[]),
        "most": tx["items"].top_k(4).over("10m"),
        "least": tx.note.bottom_k(3),
        "times": tx.time.last_k(2).over("10m", closed="left"),
        "mean": tx.amount.mean().over("2m"),
    }


def asked(source: Any, spine: Any) -> TrainingSet:
    """All of them."""
    view = nt.feature_view(
        "view", entity=SHOP, features=features(nt.Source("sales", source, event_time="time", entities=SHOP)), ttl="10m"
    )
    made: TrainingSet = nt.training_set(spine, view, at="time")
    return made


@pytest.fixture
def training_set(tmp_path: Path) -> TrainingSet:
    """Asked of files, in which some shops are not."""
    rows().write_parquet(tmp_path / "sales.parquet", row_group_size=60)
    return asked(nt.Parquet(tmp_path / "sales.parquet"), spine())


def spine() -> pl.DataFrame:
    """Questions about shops, some of which sold nothing."""
    return rows(150).select(pl.col("shop_id") + 2, pl.col("time") + pl.duration(minutes=2))


@pytest.fixture
def expected(training_set: TrainingSet) -> pl.DataFrame:
    """What a run on one core, whole, gives."""
    return training_set.collect(engine="local", workers=1, status=True)


def by_hand(shop: int, time: Any, column: str, seconds: int) -> pl.Series:
    """The values of a column in a window, latest last."""
    inside = pl.col("time").is_between(time - pl.duration(seconds=seconds), time, closed="right")
    return rows().filter(inside, pl.col("shop_id") == shop).sort("time", maintain_order=True)[column]


def test_lists_hold_what_is_in_the_window(expected: pl.DataFrame) -> None:
    for row in expected.iter_rows(named=True):
        amounts = by_hand(row["shop_id"], row["time"], "amount", 240).drop_nulls().reverse()[:5].to_list()
        most = by_hand(row["shop_id"], row["time"], "items", 600).sort(descending=True)[:4].to_list()
        assert repr(row["amounts"]) == repr(amounts or None)
        assert row["most"] == (most or None)


def test_types_are_lists_of_those_of_the_columns(training_set: TrainingSet, expected: pl.DataFrame) -> None:
    found = [expected.schema[name] for name in ("amounts", "notes", "most", "times")]
    assert found == [pl.List(TYPES[name]) for name in ("amount", "note", "items", "time")]
    assert {name: expected.schema[name] for name in training_set.schema} == training_set.schema


def test_a_default_stands_where_no_value_is(expected: pl.DataFrame) -> None:
    nobody = expected.filter(pl.col("shop_id") > 10)
    assert nobody["notes"].to_list() == [["none", None]] * nobody.height
    assert nobody["late"].to_list() == [[]] * nobody.height
    assert set(nobody["late__status"]) == {"not_found"}
    assert nobody["amounts"].null_count() == nobody.height > 0


@pytest.mark.usefixtures("bucketed", "loops")
def test_buckets_give_what_the_whole_gives(training_set: TrainingSet, expected: pl.DataFrame) -> None:
    assert "bucketed" in str(training_set.plan(engine="local"))
    assert training_set.collect(engine="local", status=True).equals(expected)
    assert pl.concat(list(training_set.batches(40, engine="local", status=True))).equals(expected)


@pytest.mark.usefixtures("bucketed")
def test_lists_that_wait_in_files_come_back_as_they_were(
    training_set: TrainingSet, expected: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = shelf.Shelf.__init__
    monkeypatch.setattr(shelf.Shelf, "__init__", lambda self, memory: made(self, 0))
    assert pl.concat(list(training_set.batches(40, engine="local", status=True))).equals(expected)


@pytest.mark.usefixtures("bucketed")
def test_a_run_that_is_taken_up_again_gives_the_same_lists(
    training_set: TrainingSet, expected: pl.DataFrame, tmp_path: Path
) -> None:
    first = training_set.batches(40, engine="local", status=True, resume=tmp_path / "resume")
    next(first)
    first.close()
    assert len(list((tmp_path / "resume").glob("* answer *.arrow"))) > 1
    assert training_set.collect(engine="local", status=True, resume=tmp_path / "resume").equals(expected)


@pytest.mark.ray
@pytest.mark.usefixtures("bucketed", "ray_cluster")
def test_ray_gives_the_same_lists(training_set: TrainingSet, expected: pl.DataFrame) -> None:
    assert training_set.collect(engine="ray", status=True).equals(expected)


def test_lists_are_handed_over(training_set: TrainingSet, expected: pl.DataFrame, tmp_path: Path) -> None:
    wanted = expected.select(list(training_set.schema))
    assert pl.DataFrame(training_set.to_arrow()).equals(wanted)
    training_set.sink_parquet(tmp_path / "out.parquet")
    assert pl.read_parquet(tmp_path / "out.parquet").equals(wanted)
    pandas = training_set.to_pandas()
    assert [None if one is None else list(one) for one in pandas["most"]] == wanted["most"].to_list()


def test_a_function_of_the_users_takes_and_gives_lists(expected: pl.DataFrame) -> None:
    view = nt.feature_view("view", entity=SHOP, features={"amounts": source().amount.last_k(5).over("4m")})
    lengths = nt.feature_view(
        "lengths", entity=SHOP, features={"n": _length(view.amounts), "two": _first_two(view.amounts)}
    )
    found = nt.training_set(spine(), lengths, at="time").collect(engine="local")
    wanted = expected["amounts"].to_list()
    assert found["n"].to_list() == [0 if one is None else len(one) for one in wanted]
    assert repr(found["two"].to_list()) == repr([None if one is None else one[:2] for one in wanted])


@nt.function(returns=pl.Int64)
def _length(values: pl.Series) -> pl.Series:
    return values.list.len().fill_null(0).cast(pl.Int64)


@nt.function(returns=pl.List(pl.Float64))
def _first_two(values: pl.Series) -> pl.Series:
    return values.list.head(2)


def source() -> nt.Source:
    """The sales as a frame."""
    return nt.Source("sales", nt.Frame(rows()), event_time="time", entities=SHOP)


def test_choosing_between_lists_passes_them_through(expected: pl.DataFrame) -> None:
    tx = source()
    amounts, other = tx.amount.last_k(5).over("4m"), tx.amount.top_k(1)
    chosen = {
        "few": nt.when(tx.count().over("4m") > 3).then(amounts).otherwise(other),
        "some": nt.coalesce(amounts, other),
        "none": amounts.is_null(),
        "other": other,
    }
    view = nt.feature_view("view", entity=SHOP, features=chosen | {"n": tx.count().over("4m")})
    found = nt.training_set(spine(), view, at="time").collect(engine="local")
    wanted = [
        (lists if n > 3 else one, one if lists is None else lists, lists is None)
        for lists, one, n in zip(expected["amounts"].to_list(), found["other"].to_list(), found["n"], strict=True)
    ]
    assert repr(found.select("few", "some", "none").rows()) == repr(wanted)


@pytest.mark.usefixtures("loops")
def test_lists_of_a_source_are_counted_and_asked_for_null() -> None:
    tags = [None if k % 3 == 0 else ["a"] * (k % 4) for k in range(500)]
    frame = rows().with_columns(tags=pl.Series(tags, dtype=pl.List(pl.String)), some=pl.Series(tags).is_not_null())
    tx = nt.Source("sales", nt.Frame(frame), event_time="time", entities=SHOP)
    counts = {
        "tags": tx.tags.count().over("4m"),
        "kept": tx.filter(tx.tags.is_not_null()).count().over("4m"),
        "some": tx.filter(tx.some).count().over("4m"),
    }
    view = nt.feature_view("view", entity=SHOP, features=counts)
    found = nt.training_set(spine(), view, at="time").collect(engine="local")
    assert found["tags"].equals(found["some"], check_names=False)
    assert found["kept"].equals(found["some"], check_names=False)
    with pytest.raises(nt.WrongType, match="List"):
        tx.tags.last_k(2)


LISTED = nt.feature_view("listed", entity=SHOP, features={"amounts": source().amount.last_k(2)}).amounts


@pytest.mark.parametrize(
    "mistake",
    [
        lambda: LISTED + 1,
        lambda: LISTED == LISTED,
        lambda: LISTED < LISTED,
        lambda: LISTED.is_in([1]),
        lambda: LISTED.cast(pl.String),
        lambda: LISTED.abs(),
        lambda: nt.when(LISTED.is_null()).then(LISTED).otherwise(1),
        lambda: nt.coalesce(LISTED, 0.0),
        lambda: nt.feature(LISTED, default=1.0),
        lambda: nt.feature(LISTED, default=["a"]),
        lambda: nt.feature(source().note.last_k(2), default="ab"),
    ],
)
def test_operators_that_know_no_lists_refuse_them(mistake: Any) -> None:
    with pytest.raises(nt.WrongType, match="List"):
        mistake()


def test_a_question_brings_no_lists() -> None:
    with pytest.raises(nt.WrongType, match=r"request field 'x' is List\(Int64\); a request holds plain values"):
        nt.Request({"x": pl.List(pl.Int64)})


@pytest.mark.parametrize("k", [0, -1, 10_001, 2.0, True, None])
def test_how_many_values_is_a_number_within_bounds(k: Any) -> None:
    with pytest.raises(
        nt.Invalid, match=r"last_k\(.*\): k is how many values to give, a whole number from 1 to 10,000"
    ):
        source().amount.last_k(k)


def test_how_many_values_is_part_of_the_version() -> None:
    tx = source()
    versions = {
        nt.feature_view("view", entity=SHOP, features={"x": made}).spec.version("x")
        for made in (
            tx.amount.last_k(2),
            tx.amount.last_k(k=3),
            tx.amount.last_k(2, ignore_nulls=False),
            nt.feature(tx.amount.last_k(2), default=[1.0]),
            nt.feature(tx.amount.last_k(2), default=[]),
        )
    }
    assert len(versions) == 5


def test_a_projection_of_memory_knows_how_long_lists_may_be() -> None:
    view = nt.feature_view("view", entity=SHOP, features={"amounts": source().amount.last_k(100)})
    plan = nt.training_set(spine(), view, at="time").plan(engine="local")
    (side,) = plan.input.sides
    (ask,) = side.asks
    short = replace(ask, fold=replace(ask.fold, k=1))  # type: ignore[call-arg]
    assert per_question(8, [ask]) - per_question(8, [short]) == 2 * 99 * 8


def test_lists_that_do_not_fit_go_to_buckets() -> None:
    frame = pl.DataFrame({"shop_id": np.arange(200_000) % 7}).with_columns(time=NOON, amount=1.0)
    tx = nt.Source("sales", nt.Frame(frame), event_time="time", entities=SHOP)
    kinds = []
    for fold in (tx.amount.last_k(1), tx.amount.last_k(1000)):
        view = nt.feature_view("view", entity=SHOP, features={"x": fold})
        plan = nt.training_set(frame.select("shop_id", "time"), view, at="time").plan(memory="256MiB", engine="local")
        kinds.append(plan.input.sides[0].way.kind)
    assert kinds == ["whole", "bucketed"]
