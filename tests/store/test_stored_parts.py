"""Rows of a store where they lie: stretches of files, and buckets by keys that are answered without an exchange."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

import nowthen as nt
from nowthen.engine.folds.hashing import bucket
from nowthen.engine.folds.rows import SEQUENCE
from nowthen.engine.plan.pieces import layout, pieces
from nowthen.engine.plan.way import Resources
from nowthen.engine.rules import optimize
from nowthen.store.rows.event_table import EventTable
from nowthen.store.store import Store

START = datetime(1985, 1, 1, tzinfo=UTC)
CARD = nt.Entity("card", keys={"card": pl.Int64})
SHOP = nt.Entity("shop", keys={"town": pl.String, "door": pl.Int32})
KINDS = pl.Enum(["cash", "chip"])


def payments(n: int = 400, first: int = 0) -> pl.DataFrame:
    """Payments with cards in shops, several at the same time, over thirty years; some without a card or a town."""
    ids = range(first, first + n)
    return pl.DataFrame(
        {
            "payment": pl.Series(ids, dtype=pl.Int64),
            "when": pl.Series(
                [START + timedelta(days=(i * 7 % 500) * 25) for i in ids], dtype=pl.Datetime("us", "UTC")
            ),
            "card": pl.Series([None if i % 17 == 16 else i * i % 23 for i in ids], dtype=pl.Int32),
            "town": pl.Series([None if i % 19 == 18 else ["Ulm", "Köln", ""][i % 3] for i in ids], dtype=pl.String),
            "door": pl.Series([i % 4 for i in ids], dtype=pl.Int32),
            "amount": pl.Series([float(i * 37 % 101) for i in ids], dtype=pl.Float64),
            "kind": pl.Series([["cash", "chip", None][i % 3] for i in ids], dtype=KINDS),
        }
    )


def source(rows: pl.DataFrame | None = None, **options: Any) -> nt.Source:
    """The source; without rows it only takes pushes."""
    reader = None if rows is None else nt.Frame(rows)
    given: dict[str, Any] = {"entities": [CARD, SHOP], "schema": dict(payments(0).schema)}
    return nt.Source("payments", reader, event_time="when", **given | options)


def labels(n: int = 150) -> pl.DataFrame:
    """Questions about cards and shops, at times of payments among others; some about nobody."""
    times = [START + timedelta(days=(i * 11 % 520) * 25) for i in range(n)]
    return pl.DataFrame(
        {
            "card": pl.Series([None if i % 13 == 12 else i * 5 % 29 for i in range(n)], dtype=pl.Int64),
            "town": pl.Series([["Köln", "Ulm", "", "Bonn", None][i % 5] for i in range(n)], dtype=pl.String),
            "door": pl.Series([i % 4 for i in range(n)], dtype=pl.Int64),
            "t": pl.Series(times, dtype=pl.Datetime("us", "UTC")),
        }
    )


def views(tx: nt.Source, folds: Mapping[str, Any] | None = None) -> list[Any]:
    """The same folds by card, by shop, by both and of all rows."""
    features = folds or {
        "mean": tx["amount"].mean().over("4000d"),
        "count": tx.count().over("900d", delay="1d"),
        "last": tx["kind"].last(),
        "first": tx["amount"].first().over("9000d"),
    }
    by: dict[str, Any] = {"by_card": CARD, "by_shop": SHOP, "by_both": [CARD, SHOP], "of_all": []}
    return [
        nt.feature_view(name, entity=keys, features={f"{name}_{fold}": made for fold, made in features.items()})
        for name, keys in by.items()
    ]


def ways(made: Any) -> list[str]:
    """How each At is answered."""
    return [side.way.kind for side in made.plan().input.sides]


@pytest.fixture
def ingested(store: Store) -> nt.Source:
    tx = source(payments())
    store.ingest(tx)
    return tx


@pytest.fixture
def pushed(store: Store) -> nt.Source:
    """A source that only takes pushes; some were taken in by tables."""
    tx = source()
    store.push(tx, payments(250))
    store.drain(tx)
    store.push(tx, payments(150, 250))
    return tx


@pytest.fixture(params=["ingested", "pushed"])
def events(request: pytest.FixtureRequest, store: Store) -> EventTable:
    return store.events(request.getfixturevalue(request.param))


def test_stretches_hold_every_row_once(events: EventTable) -> None:
    parts = [part.read(["payment", SEQUENCE]) for _, part in pieces(events, 50)]
    assert len(parts) > 3
    assert pl.concat(parts).sort(SEQUENCE).equals(events.read(["payment", SEQUENCE]))


def test_the_number_of_rows_is_known_without_reading_them(events: EventTable) -> None:
    assert events.cuts()[-1] == 400


def test_rows_that_were_pushed_are_the_last_stretch(store: Store, pushed: nt.Source) -> None:
    _, last = pieces(store.events(pushed), 1)[-1]
    assert last.read(["payment"])["payment"].to_list() == list(range(250, 400))


@pytest.mark.parametrize("keys", [{"card": pl.Int64()}, {"town": pl.String(), "door": pl.Int32()}])
def test_buckets_hold_the_rows_of_their_keys(events: EventTable, keys: dict[str, pl.DataType]) -> None:
    found = layout(events, keys)
    assert found is not None
    assert found.keys == tuple(keys)
    buckets = [found.bucket([number], None).read(["payment", *keys]) for number in range(len(found.sizes))]
    places = [set(bucket(rows.select(list(keys)), len(buckets)).tolist()) for rows in buckets]
    assert [place for number, place in enumerate(places) if not place <= {number}] == []
    assert sorted(pl.concat(buckets)["payment"]) == list(range(400))


def test_batches_are_the_rows_that_are_read(events: EventTable) -> None:
    found = layout(events, {"card": pl.Int64()})
    assert found is not None
    part: Any = found.bucket([1, 2, 5], None)
    assert pl.concat(part.batches(["amount", "payment"])).equals(part.read(["amount", "payment"]))


def test_of_several_tables_the_one_by_most_of_the_keys_is_read(store: Store, ingested: nt.Source) -> None:
    found = layout(store.events(ingested), {"door": pl.Int32(), "card": pl.Int64(), "town": pl.String()})
    assert found is not None
    assert found.keys == ("town", "door")


def test_keys_that_no_table_lies_by_have_no_layout(store: Store, ingested: nt.Source) -> None:
    assert layout(store.events(ingested), {"door": pl.Int32()}) is None
    assert layout(store.events(ingested), {}) is None


def test_one_file_for_each_slab_says_itself_which_row_is_later(store: Store, ingested: nt.Source) -> None:
    found = layout(store.events(ingested), {"card": pl.Int64()})
    assert found is not None
    assert SEQUENCE not in found.bucket([0], None).schema()


def test_rows_of_several_ingests_carry_their_sequence(store: Store, ingested: nt.Source) -> None:
    store.ingest(source(payments(500)))
    found = layout(store.events(ingested), {"card": pl.Int64()})
    assert found is not None
    assert SEQUENCE in found.bucket(range(8), None).schema()


@pytest.mark.usefixtures("loops", "bucketed")
def test_stored_buckets_give_what_the_source_gives(store: Store, ingested: nt.Source) -> None:
    made = store.training_set(labels(), views(ingested), at="t")
    assert ways(made) == ["stored", "stored", "stored", "whole"]
    wanted = nt.training_set(labels(), views(ingested), at="t").collect(engine="local", status=True)
    assert made.collect(engine="local", status=True).equals(wanted)


@pytest.mark.usefixtures("loops", "bucketed")
@pytest.mark.parametrize("fold", ["last", "mean"])
def test_rows_with_a_row_id_and_one_version_each_come_from_stored_buckets(store: Store, fold: str) -> None:
    rows = payments().with_columns(gone=pl.lit(False), payment=pl.when(pl.col("payment") > 9).then("payment"))
    tx = source(rows, row_id="payment", deleted="gone", schema=None)
    store.ingest(tx)
    folds = {"amount": getattr(tx["amount"], fold)(), "id": tx["payment"].last()}
    made = store.training_set(labels(), views(tx, folds), at="t")
    assert ways(made)[:3] == ["stored"] * 3
    wanted = nt.training_set(labels(), views(tx, folds), at="t").collect(engine="local", status=True)
    assert made.collect(engine="local", status=True).equals(wanted)


@pytest.mark.usefixtures("loops", "bucketed")
def test_the_latest_rows_come_from_stored_buckets_too(store: Store, ingested: nt.Source) -> None:
    latest = {"last": ingested["amount"].last(), "kind": ingested["kind"].last().over("100d")}
    made = store.training_set(labels(), views(ingested, latest), at="t")
    assert ways(made) == ["stored", "stored", "stored", "streamed"]
    wanted = nt.training_set(labels(), views(ingested, latest), at="t").collect(engine="local", status=True)
    assert made.collect(engine="local", status=True).equals(wanted)


@pytest.mark.usefixtures("loops", "bucketed")
def test_rows_of_several_ingests_and_pushes_are_answered_as_one_table(store: Store) -> None:
    tx = source()
    for first, n in ((100, 120), (0, 100), (220, 90), (310, 90)):
        store.push(tx, payments(n, first))
        if first != 310:
            store.drain(tx)
    made = store.training_set(labels(), views(tx), at="t")
    assert ways(made)[:3] == ["stored"] * 3
    came = pl.concat([payments(120, 100), payments(100), payments(180, 220)])
    wanted = nt.training_set(labels(), views(tx), sources={"payments": came}, at="t").collect(engine="local")
    assert made.collect(engine="local").equals(wanted)


@pytest.mark.usefixtures("loops", "bucketed")
def test_pushed_rows_that_correct_none_leave_buckets_as_they_are_stored(store: Store) -> None:
    tx = source(payments(300), row_id="payment")
    store.ingest(tx)
    store.push(tx, payments(150, 250))  # fifty of them are there already
    made = store.training_set(labels(), views(tx), at="t")
    assert ways(made)[:3] == ["stored"] * 3
    wanted = nt.training_set(labels(), views(source(payments())), at="t").collect(engine="local", status=True)
    assert made.collect(engine="local", status=True).equals(wanted)


@pytest.mark.usefixtures("bucketed")
def test_the_store_as_it_stood_is_answered_from_its_buckets(store: Store, ingested: nt.Source) -> None:
    before = store.training_set(labels(), views(ingested), at="t").collect(engine="local")
    store.ingest(source(payments(800)))
    made = store.training_set(labels(), views(ingested), as_of=1, at="t")
    assert made.collect(engine="local").equals(before)


@pytest.mark.usefixtures("bucketed")
def test_rows_with_several_versions_are_exchanged(store: Store) -> None:
    tx = source(payments(), row_id="payment")
    store.ingest(tx)
    corrected = payments().with_columns(amount=pl.col("amount") + (pl.col("payment") % 3 == 0), card=pl.lit(5))
    store.push(tx, corrected[::2])
    made = store.training_set(labels(), views(tx), at="t")
    assert ways(made)[0] == "bucketed"
    both = pl.concat([payments(), corrected[::2].cast({"card": pl.Int32})])
    wanted = nt.training_set(labels(), views(source(both, row_id="payment")), at="t").collect(engine="local")
    assert made.collect(engine="local").equals(wanted)


@pytest.mark.usefixtures("bucketed")
def test_buckets_and_slabs_that_no_question_reaches_are_not_opened(store: Store, ingested: nt.Source) -> None:
    last = START + timedelta(days=7000)
    asked = labels(1).with_columns(t=pl.lit(last).cast(pl.Datetime("us", "UTC")))
    count = nt.feature_view("v", entity=CARD, features={"n": ingested.count().over("900d")})
    made = store.training_set(asked, count, at="t")
    wanted = made.collect(engine="local")
    slabs = {int(end.timestamp() * 1e6) // store.events(ingested).slab_us for end in (last, last - timedelta(days=900))}
    reached = {f"b{bucket(asked.select('card'), 8)[0]:04d}.s{slab}" for slab in slabs}
    data = store.root / "tables" / "payments" / "card" / "data"
    opened = [path for path in data.iterdir() if ".".join(path.name.split(".")[:2]) not in reached]
    assert len(opened) > 20
    for path in opened:
        path.unlink()
    assert wanted["n"][0] > 0
    assert made.collect(engine="local").equals(wanted)


@pytest.mark.usefixtures("bucketed")
@pytest.mark.parametrize("memory, kind", [(2**20, "stored"), (2**14, "bucketed")])
def test_stored_buckets_that_do_not_fit_are_exchanged_for_smaller_ones(
    store: Store, ingested: nt.Source, memory: int, kind: str
) -> None:
    made = store.training_set(labels(), views(ingested), at="t")
    plan = optimize(replace(made.plan(), resources=Resources(memory, slots=8)))
    assert plan.input.sides[0].way.kind == kind


@pytest.mark.usefixtures("bucketed")
def test_no_questions_are_no_error(store: Store, ingested: nt.Source) -> None:
    made = store.training_set(labels(0), views(ingested), at="t").collect(engine="local")
    assert made.schema == store.training_set(labels(), views(ingested), at="t").collect(engine="local").schema


@pytest.mark.ray
@pytest.mark.usefixtures("ray_cluster", "bucketed")
@pytest.mark.parametrize("fold", ["last", "mean"])
def test_ray_answers_from_stored_buckets_as_this_process_does(store: Store, ingested: nt.Source, fold: str) -> None:
    made = store.training_set(labels(), views(ingested, {fold: getattr(ingested["amount"], fold)()}), at="t")
    assert "stored" in ways(made)
    assert made.collect(engine="ray").equals(made.collect(engine="local"))
