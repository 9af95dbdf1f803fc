"""A shard answers what training would, and what it acknowledged stays."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import nowthen as nt
from nowthen.serve.published import StorePublication
from nowthen.serve.shard import Shard

from . import bank


def count(shard: Shard, customer: int = 3, **options: Any) -> int:
    """How many transactions of the last day a customer has at NOW."""
    keys = {"customer_id": customer, "shop": "bar"}
    answer = shard.get("risk", keys, request={"amount": 1.0}, at=bank.NOW, **options)
    return int(answer.row(0)["count_1d"])


def stored(store: Any) -> int:
    """How many rows were pushed."""
    frames, _ = store.log("tx").read()
    return sum(frame.height for frame in frames)


def test_served_is_what_training_gives(shard: Shard) -> None:
    keys, options = bank.question(bank.asked())
    answer = shard.get("risk", keys, **options)
    assert_frame_equal(answer.to_polars(), bank.offline(bank.transactions(), bank.asked()), check_exact=True)


def test_one_by_one_is_what_all_at_once_gives(shard: Shard) -> None:
    asked = bank.asked()
    keys, options = bank.question(asked)
    together = shard.get("risk", keys, **options).to_polars()
    single = []
    for i in range(asked.height):
        keys, options = bank.question(asked[i : i + 1])
        single.append(shard.get("risk", keys, **options).to_polars())
    assert_frame_equal(pl.concat(single), together, check_exact=True)


def test_no_questions_have_no_answers(shard: Shard) -> None:
    answer = shard.get("risk", {"customer_id": [], "shop": []}, request={"amount": []})
    assert len(answer) == 0
    assert answer.to_polars().columns == list(bank.service(bank.transactions())[0].features)


def test_a_push_is_seen_by_the_next_read(shard: Shard) -> None:
    before = count(shard)
    shard.push("tx", [bank.row()])
    assert count(shard) == before + 1


def test_a_push_is_seen_by_the_features_of_every_key(shard: Shard) -> None:
    asked = bank.asked(1).with_columns(customer_id=pl.lit(3, pl.Int64), shop=pl.lit("bar"), at=pl.lit(bank.NOW))
    old = bank.row(id=10_001, time=bank.NOW - timedelta(days=8), fraud=True)
    shard.push("tx", [old])
    rows = pl.concat(
        [bank.transactions(), pl.DataFrame([old]).select(bank.transactions().columns)], how="vertical_relaxed"
    )
    keys, options = bank.question(asked)
    assert_frame_equal(shard.get("risk", keys, **options).to_polars(), bank.offline(rows, asked), check_exact=True)


def test_what_was_pushed_is_there_after_a_restart(shard: Shard, store: Any) -> None:
    shard.push("tx", [bank.row(), bank.row(id=10_001)])
    expected = count(shard)
    assert count(Shard(StorePublication(store))) == expected


def test_what_another_process_pushes_is_seen(shard: Shard, store: Any) -> None:
    before = count(shard)
    store.push("tx", [bank.row()])
    assert count(shard) == before + 1
    shard.push("tx", [bank.row(id=10_001)])
    store.push("tx", [bank.row(id=10_002)])
    assert count(shard) == before + 3


def test_a_newer_snapshot_changes_no_answer(shard: Shard, store: Any) -> None:
    shard.push("tx", [bank.row()])
    expected = count(shard)
    store.snapshot("risk")
    assert shard.reload()
    assert count(shard) == expected
    assert not shard.reload()


def test_a_service_published_later_is_found(shard: Shard, store: Any, tmp_path: Path) -> None:
    _, tx = bank.service(bank.transactions())
    shop = nt.Entity("shop", keys={"shop": pl.String})

    class Sales(nt.FeatureView, entity=shop):
        count_1d = tx.count().over("1d")

    second = nt.FeatureService("sales", [Sales])
    store.apply(second)
    store.snapshot(second)
    assert shard.get("sales", {"shop": "bar"}, at=bank.NOW).row(0)["count_1d"] > 0
    assert set(shard.services()) == {"risk", "sales"}


def test_the_same_key_again_stores_nothing(shard: Shard, store: Any) -> None:
    first = shard.push("tx", [bank.row()], "once")
    again = shard.push("tx", [bank.row()], "once")
    assert first == again
    assert stored(store) == 1


def test_a_key_used_for_other_rows_is_a_conflict(shard: Shard, store: Any) -> None:
    shard.push("tx", [bank.row()], "once")
    with pytest.raises(nt.Conflict, match="once"):
        shard.push("tx", [bank.row(), bank.row(id=10_001)], "once")
    assert stored(store) == 1


def test_a_correction_replaces_its_row_for_old_and_new_key(shard: Shard) -> None:
    before = count(shard, 3), count(shard, 4)
    shard.push("tx", [bank.row()])
    shard.push("tx", [bank.row(customer_id=4)])
    assert (count(shard, 3), count(shard, 4)) == (before[0], before[1] + 1)


def test_rows_with_the_question_count_for_its_answer_alone(shard: Shard, store: Any) -> None:
    before = count(shard)
    assert count(shard, with_rows={"tx": [bank.row()]}) == before + 1
    assert count(shard) == before
    assert stored(store) == 0


def test_rows_with_the_question_can_be_pushed_first(shard: Shard, store: Any) -> None:
    before = count(shard)
    assert count(shard, with_rows={"tx": [bank.row()]}, push=True) == before + 1
    assert count(shard) == before + 1
    assert stored(store) == 1


def test_a_wrong_question_pushes_nothing(shard: Shard, store: Any) -> None:
    with pytest.raises(nt.Invalid, match="'shop' is missing"):
        shard.get("risk", {"customer_id": 3}, request={"amount": 1.0}, with_rows={"tx": [bank.row()]}, push=True)
    assert stored(store) == 0


def test_the_token_of_a_push_is_answered_after_it(shard: Shard) -> None:
    before = count(shard)
    assert count(shard, after=shard.push("tx", [bank.row()])) == before + 1


def test_a_token_of_the_future_is_unavailable(shard: Shard) -> None:
    with pytest.raises(nt.Unavailable, match="has been read only up to"):
        count(shard, after=f"tx@{2**62}")


def test_what_is_no_token_is_refused(shard: Shard) -> None:
    with pytest.raises(nt.Invalid, match="is not a token"):
        count(shard, after="yesterday")


def test_a_source_that_takes_no_pushes_is_served_all_the_same(tmp_path: Path) -> None:
    customer = nt.Entity("customer", keys={"customer_id": pl.Int64})
    tx = nt.Source("tx", nt.Frame(bank.transactions()), event_time="time", entities=[customer])

    class Spend(nt.FeatureView, entity=customer):
        count_1d = tx.count().over("1d")

    made = nt.FeatureService("spend", [Spend])
    store = nt.connect(tmp_path / "store")
    store.apply(made)
    store.ingest(tx)
    store.snapshot(made)
    shard = Shard(StorePublication(store))
    assert shard.get("spend", {"customer_id": 3}, at=bank.NOW).row()["count_1d"] >= 0
    with pytest.raises(nt.Invalid, match="row_id"):
        shard.push("tx", [bank.row(fraud=None)])


def test_an_unknown_service_gets_the_nearest_name(shard: Shard) -> None:
    with pytest.raises(nt.NotFound, match=r"'rsik' is not published\. Did you mean 'risk'"):
        shard.get("rsik", {})


def test_an_unknown_source_gets_the_nearest_name(shard: Shard) -> None:
    with pytest.raises(nt.NotFound, match="'txx'"):
        shard.push("txx", [bank.row()])
    with pytest.raises(nt.NotFound, match="'txx'"):
        count(shard, with_rows={"txx": [bank.row()]})


@pytest.mark.parametrize(
    "rows, error, words",
    [
        ([{"id": 1}], nt.UnknownColumn, "lacks column"),
        ([{**bank.row(), "colour": "red"}], nt.UnknownColumn, "colour"),
        ([bank.row(amount="much")], nt.WrongType, "amount"),
        ([bank.row(), bank.row(id=10_001, time=None)], nt.Invalid, "null"),
        ([bank.row(time="2999-01-01T00:00:00Z")], nt.Invalid, "ahead of the clock"),
        ([bank.row(time="soon")], nt.WrongType, "soon"),
        (7, nt.WrongType, "int"),
    ],
)
def test_wrong_rows_are_refused_whole(shard: Shard, store: Any, rows: Any, error: type[Exception], words: str) -> None:
    before = count(shard)
    with pytest.raises(error, match=words):
        shard.push("tx", rows)
    with pytest.raises(error, match=words):
        count(shard, with_rows={"tx": rows}, push=True)
    assert (count(shard), stored(store)) == (before, 0)


def test_a_time_before_what_is_held_is_refused(shard: Shard) -> None:
    with pytest.raises(nt.Invalid, match="history="):
        shard.get("risk", {"customer_id": 1, "shop": "bar"}, request={"amount": 1.0}, at=bank.NOW - timedelta(days=30))


def test_status_says_why_a_value_is_missing(shard: Shard) -> None:
    answer = shard.get("risk", {"customer_id": [3, 999, None], "shop": "bar"}, request={"amount": 1.0}, at=bank.NOW)
    assert answer.status("last_shop") == ["present", "not_found", "not_found"]
    assert answer.status("usual") == ["present", "not_found", "not_found"]
    assert answer.to_polars()["usual"].to_list()[1:] == [0.0, 0.0]


def test_an_answer_says_what_it_stands_on(shard: Shard) -> None:
    made, _ = bank.service(bank.transactions())
    token = shard.push("tx", [bank.row()])
    answer = shard.get("risk", {"customer_id": 3, "shop": "bar"}, request={"amount": 1.0}, at=bank.NOW)
    assert answer.versions == {"risk": made.version}
    assert answer.token == token
    assert answer.watermark == max(bank.transactions()["time"].max(), bank.row()["time"])


def test_many_pushes_at_once_all_count(shard: Shard, store: Any) -> None:
    before = count(shard)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: shard.push("tx", [bank.row(id=20_000 + i)]), range(40)))
    assert count(shard) == before + 40
    assert stored(store) == 40


def test_a_read_that_meets_a_write_does_not_take_it_for_seen(shard: Shard) -> None:
    """A mark taken while rows were written but not durable once hid them until the next push: 25 of 200 rounds."""
    expected = count(shard)
    for turn in range(12):
        with ThreadPoolExecutor(6) as pool:
            pushes = [pool.submit(shard.push, "tx", [bank.row(id=40_000 + 100 * turn + i)]) for i in range(8)]
            reads = [pool.submit(count, shard) for _ in range(8)]
            for push in pushes:
                push.result()
            for read in reads:
                read.result()
        expected += 8
        assert count(shard) == expected


def test_reads_meanwhile_see_a_push_for_all_keys_or_for_none(shard: Shard) -> None:
    ended = threading.Event()
    keys = {"customer_id": [3, 4], "shop": "bar"}

    def push() -> None:
        for i in range(20):
            shard.push("tx", [bank.row(id=30_000 + 2 * i), bank.row(id=30_001 + 2 * i, customer_id=4)])
        ended.set()

    first = shard.get("risk", keys, request={"amount": 1.0}, at=bank.NOW).to_polars()["count_1d"]
    writer = threading.Thread(target=push)
    writer.start()
    while not ended.is_set():
        seen = shard.get("risk", keys, request={"amount": 1.0}, at=bank.NOW).to_polars()["count_1d"] - first
        assert seen[0] == seen[1]
    writer.join()


def test_rows_pushed_by_an_older_definition_are_served(tmp_path: Path) -> None:
    rows = bank.transactions(5).with_columns(extra=pl.lit(1))
    tx, old = bank.service(rows)[1], bank.service(rows.drop("extra"))[1]
    view = nt.feature_view("extras", entity=[], features={"n": tx.count(), "extra": tx.extra.sum()})
    store = nt.connect(tmp_path / "store")
    store.apply(nt.FeatureService("extras", [view]))
    store.ingest(tx)
    store.snapshot("extras")
    store.push(old, [bank.row(fraud=None)])
    store.push(tx, [bank.row(id=10_001, fraud=None, extra=7)])
    assert Shard(StorePublication(store)).get("extras", {}, at=bank.NOW).row(0) == {"n": 7, "extra": 12}


def test_the_name_of_a_view_leads_to_its_service(shard: Shard) -> None:
    with pytest.raises(nt.NotFound, match="It is a view; ask for a service that has it: risk"):
        shard.get("spend", {"customer_id": [1]})
