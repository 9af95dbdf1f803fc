"""Saved training sets: the same bytes ever after, and what differs between two."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import nowthen as nt
from nowthen.engine.errors import Conflict, Corrupt, Invalid, NotFound, UnknownColumn
from nowthen.store.store import Store
from nowthen.store.training_sets.saved_training_set import SavedTrainingSet

from . import shop


def saved(store: Store, name: str = "shop/1", labels: pl.DataFrame | None = None, **how: Any) -> SavedTrainingSet:
    made = store.training_set(shop.labels() if labels is None else labels, "shop", at="t", **how).save(name)
    assert isinstance(made, SavedTrainingSet)
    return made


def test_it_holds_what_was_collected_and_what_it_was_made_from(store: Store, tx: nt.Source) -> None:
    train = store.training_set(shop.labels(), "shop", at="t")
    made = train.save("shop/1")
    assert_frame_equal(made.collect(), train.collect(), check_exact=True)
    assert (made.rows, made.entry, made.service.name) == (20, store.here.ledger.head().number - 1, "shop")
    assert made.service.version == store.service("shop").version
    assert made.schema == train.schema
    assert made.note["upto"] == {"sales": 0}
    assert made.note["features"]["big_2d"][:2] == ["customer_spend", "big_2d"]
    assert "20 rows, 6 features" in repr(made)


def test_a_number_opens_what_is_named_like_it(store: Store, tx: nt.Source) -> None:
    made = store.training_set(shop.labels(), "shop", at="t").save("3")
    number: Any = 3
    assert store.open_training_set(number).digest == made.digest


def test_it_is_the_same_bytes_whatever_happens_to_the_store(store: Store, tx: nt.Source) -> None:
    made = saved(store)
    before, content = made.collect(), made.path().read_bytes()
    store.push(tx, [shop.row(900, 1.5, place="p0")])
    store.ingest(shop.source(shop.sales(80)))
    store.replace(tx, shop.sales(3), shop.START, shop.START + timedelta(hours=20))
    store.compact("sales")
    store.cleanup(keep="0s", versions=1)
    again = Store.at(store.root).open_training_set("shop/1")
    assert again.path().read_bytes() == content
    assert again.collect().equals(before)
    assert not store.training_set(shop.labels(), "shop", at="t").collect().equals(before)


def test_corrections_do_not_reach_it(store: Store) -> None:
    rows = shop.sales().with_columns(known=pl.col("when"))
    source = shop.source(rows, known_time="known")
    store.apply(shop.service(source))
    store.ingest(source)
    made = saved(store)
    before = made.collect()
    better = rows.with_columns(amount=pl.col("amount") + 1, known=pl.col("known") + pl.duration(minutes=1))
    store.ingest(source.spec.reading(nt.Frame(better)))
    assert store.open_training_set("shop/1").collect().equals(before)


def test_what_is_forgotten_is_not_in_it_and_it_says_so(store: Store, tx: nt.Source) -> None:
    made = saved(store)
    before = made.collect()
    store.forget(shop.CUSTOMER, {"customer_id": [3]})
    left = before.filter(pl.col("customer_id") != 3)
    for one in (made, Store.at(store.root).open_training_set("shop/1")):
        assert_frame_equal(one.collect(), left, check_exact=True)
        assert one.erased == before.height - left.height > 0
        assert "forgotten since" in repr(one)


def test_the_same_under_the_same_name_is_saved_once(store: Store, tx: nt.Source) -> None:
    saved(store)
    number = store.here.ledger.head().number
    saved(store)
    assert store.here.ledger.head().number == number
    with pytest.raises(Conflict, match="already, of 20 rows"):
        saved(store, labels=shop.labels(10))
    assert store.open_training_set("shop/1").rows == 20


def test_parts_of_a_split_can_be_saved(store: Store, tx: nt.Source) -> None:
    early, late = store.training_set(shop.labels(), "shop", at="t").split(["2026-01-02"])
    assert (early.save("early").rows, late.save("late").rows) == (8, 12)
    assert [one.name for one in store.training_sets()] == ["early", "late"]


def test_types_of_labels_come_back(store: Store, tx: nt.Source) -> None:
    odd = shop.labels().with_columns(
        kind=pl.Series(["a", "b"] * 10, dtype=pl.Enum(["a", "b"])),
        parts=pl.Series([[1.0, None]] * 20),
        day=pl.col("t").dt.date(),
        t=pl.col("t").dt.convert_time_zone("Asia/Tokyo"),
    )
    made = saved(store, labels=odd)
    assert made.collect().select(odd.columns).equals(odd)
    assert made.collect(["kind"]).schema == {"kind": pl.Enum(["a", "b"])}


def test_statuses_can_be_saved_too(store: Store, tx: nt.Source) -> None:
    made = store.training_set(shop.labels(), "shop", at="t").save("shop/1", status=True)
    assert "count_1d__status" in made.schema
    assert made.collect(["count_1d__status"]).width == 1


def test_a_set_that_reads_sources_cannot_be_saved(tx: nt.Source) -> None:
    with pytest.raises(Invalid, match=r"store\.training_set"):
        nt.training_set(shop.labels(), shop.service(tx), at="t").save("shop/1")


@pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 300, 7, "\x1b[31m"])
def test_names_that_are_none_are_refused(store: Store, tx: nt.Source, name: Any) -> None:
    with pytest.raises(Invalid, match="a training set cannot be named"):
        saved(store, name)


def test_a_name_is_never_a_path(store: Store, tx: nt.Source) -> None:
    assert saved(store, "../../outside").collect().height == 20
    assert not (store.root.parent / "outside").exists()


def test_an_unknown_name_or_column_names_the_nearest(store: Store, tx: nt.Source) -> None:
    made = saved(store)
    with pytest.raises(NotFound, match="Did you mean 'shop/1'"):
        store.open_training_set("shop/2")
    with pytest.raises(UnknownColumn, match="Did you mean 'big_2d'"):
        made.collect(["big_3d"])


@pytest.mark.fault
@pytest.mark.parametrize("place", [0, 100, -5])
def test_damage_is_never_read(store: Store, tx: nt.Source, place: int) -> None:
    made = saved(store)
    content = bytearray(made.path().read_bytes())
    content[place] ^= 1
    made.path().parent.joinpath(made.path().name).write_bytes(content)
    with pytest.raises(Corrupt, match="shop/1"):
        made.collect()
    assert not store.scrub().whole


def test_a_lost_file_is_named(store: Store, tx: nt.Source) -> None:
    made = saved(store)
    made.path().unlink()
    with pytest.raises(Corrupt, match="is missing"):
        made.collect()


# -- the same question again, and what differs ----------------------------------------------------------------------------


def test_the_same_question_can_be_asked_again(store: Store, tx: nt.Source) -> None:
    made = saved(store, known_at="latest")
    assert_frame_equal(made.again().collect(), made.collect(), check_exact=True)
    store.push(tx, [shop.row(900, 1.5, place="p0")])
    store.drain("sales")
    wanted = store.training_set(shop.labels(), "shop", at="t", known_at="latest").collect()
    assert_frame_equal(made.again().collect(), wanted, check_exact=True)
    assert_frame_equal(made.again(as_of=made.entry).collect(), made.collect(), check_exact=True)
    assert made.again().save("shop/2").entry == store.here.ledger.head().number - 1


def test_nothing_differs_from_itself(store: Store, tx: nt.Source) -> None:
    made = saved(store)
    found = made.diff(made)
    assert not found
    assert (found.both, found.gone, found.new) == (20, 0, 0)
    assert "the same in all 6 columns" in str(found)


def test_values_that_differ_are_counted_and_shown(store: Store, tx: nt.Source) -> None:
    before = saved(store)
    store.push(tx, [shop.row(900, 2.5, amount=1000.0)])
    after = before.again().save("shop/2")
    found = before.diff(after)
    changed = {column.name: column for column in found.columns}
    differ = (before.collect()["count_1d"] != after.collect()["count_1d"]).arg_true().to_list()
    assert changed["count_1d"].rows == len(differ) > 0
    assert changed["count_1d"].examples[0][0] == differ[0]
    assert changed["count_1d"].most == 1.0
    assert found
    assert f"count_1d     {len(differ)} of 20 differ; at most by 1;" in str(found)


def test_rows_are_matched_by_what_was_asked(store: Store, tx: nt.Source) -> None:
    before = saved(store, labels=pl.concat([shop.labels(10), shop.labels(1)]))
    after = saved(store, "shop/2", labels=shop.labels(20)[2:].reverse())
    found = before.diff(after)
    assert (found.both, found.gone, found.new) == (8, 3, 10)
    assert all(column.rows == 0 for column in found.columns)


def test_definitions_differ_by_expression(store: Store, tx: nt.Source) -> None:
    def view(name: str, **features: Any) -> SavedTrainingSet:
        made = nt.feature_view("spend", entity=shop.CUSTOMER, features=features)
        kept: SavedTrainingSet = store.training_set(shop.labels(), made, at="t").save(name)
        return kept

    before = view("1", n=tx.count().over("1d"), gone=tx.count().over("3d"))
    after = view("2", n=tx["amount"].mean().over("1d"), new=tx.count().over("2d"))
    found = before.diff(after)
    assert [(one.name, one.before is None, one.after is None) for one in found.definitions] == [
        ("n", False, False),
        ("gone", False, True),
        ("new", True, False),
    ]
    assert "sales.count().over(1d) -> sales.amount.mean().over(1d)" in str(found).replace("'", "")
    assert found.columns[0].types == ("Int64", "Float64")


def test_a_difference_is_json(store: Store, tx: nt.Source) -> None:
    before = saved(store)
    store.push(tx, [shop.row(900, 2.5, amount=float("nan"))])
    after = before.again().save("shop/2")
    said = json.loads(json.dumps(before.diff(after).as_json(), allow_nan=False))
    assert said["rows"] == {"both": 20, "gone": 0, "new": 0}
    assert said["values"]["mean_3d"]["examples"][0]["after"] == "nan"


def test_three_clocks_can_be_asked_together(store: Store) -> None:
    rows = shop.sales().with_columns(known=pl.col("when") + pl.duration(hours=5))
    source = shop.source(rows[:40], known_time="known")
    store.apply(shop.service(source))
    store.ingest(source)
    first = store.here.ledger.head()
    store.ingest(source.spec.reading(nt.Frame(rows)))
    then = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=first.at)
    known = shop.START + timedelta(hours=20)
    by: Any = {"at": "t", "known_at": known, "as_of": then}
    found = store.training_set(shop.labels(), "shop", **by).collect()
    wanted = nt.training_set(shop.labels(), shop.service(source), at="t", known_at=known).collect()
    assert_frame_equal(found, wanted, check_exact=True)
    assert not found.equals(store.training_set(shop.labels(), "shop", at="t", as_of=then).collect())
    assert (
        not store.training_set(shop.labels(), "shop", at="t")
        .collect()
        .equals(store.training_set(shop.labels(), "shop", at="t", as_of=first.number).collect())
    )
