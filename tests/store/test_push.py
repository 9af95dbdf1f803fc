"""Pushed rows: checked before anything is written, durable, seen offline at once, stored once."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import polars as pl
import pytest

import nowthen as nt
from nowthen.engine.errors import CommitUnknown, Invalid, NotFound, Unavailable, UnknownColumn, WrongType
from nowthen.engine.folds.rows import ARRIVAL, SEQUENCE
from nowthen.store.rows.pushed import checked
from nowthen.store.store import Store

from . import shop

SCHEMA = dict(shop.sales().schema)


@pytest.fixture
def tx(store: Store) -> nt.Source:
    """A source of 20 ingested sales."""
    source = shop.source(shop.sales(20))
    store.apply(shop.service(source))
    store.ingest(source)
    return source


def amounts(store: Store, source: Any = "sales") -> dict[int, float]:
    return dict(store.events(source).read(["sale", "amount"]).iter_rows())


def test_a_pushed_row_is_seen_at_once(store: Store, tx: nt.Source) -> None:
    position = store.push("sales", shop.row(100, 30, amount=7.5))
    assert amounts(store)[100] == 7.5
    assert store.events(tx).read([SEQUENCE])[SEQUENCE][-1] == position


@pytest.mark.parametrize(
    "rows",
    [
        shop.row(100, 30),
        [shop.row(100, 30)],
        pl.DataFrame([shop.row(100, 30)]),
        {name: [value] for name, value in shop.row(100, 30).items()},
        pl.DataFrame([shop.row(100, 30)]).to_arrow(),
    ],
    ids=["row", "rows", "polars", "columns", "arrow"],
)
def test_rows_are_pushed_in_any_form(store: Store, tx: nt.Source, rows: Any) -> None:
    store.push(tx, rows)
    assert amounts(store)[100] == 5.0


def test_a_push_repeated_with_its_key_counts_once(store: Store, tx: nt.Source) -> None:
    first = store.push("sales", shop.row(100, 30), key="a")
    again = nt.connect(store.root).push("sales", shop.row(100, 30), key="a")
    assert (first, len(amounts(store))) == (again, 21)


def test_a_push_of_a_row_that_was_ingested_is_no_second_row(store: Store, tx: nt.Source) -> None:
    store.push("sales", shop.sales(5))
    rows = store.events(tx).read(["sale", ARRIVAL])
    assert rows["sale"].to_list() == list(range(20))


def test_a_pushed_row_that_is_then_ingested_is_no_second_row(store: Store, tx: nt.Source) -> None:
    store.push("sales", shop.sales(22)[20:])
    done = store.ingest(shop.source(shop.sales(25)))
    assert (done.new, done.pushed, done.rows) == (5, 2, 25)


def test_a_push_with_a_known_id_is_a_correction(store: Store, tx: nt.Source) -> None:
    store.push("sales", {**shop.sales(1).to_dicts()[0], "amount": 99.0})
    assert store.events(tx).read(["sale", "amount"]).filter(sale=0)["amount"].to_list() == [0.0, 99.0]
    assert not store.events(tx).settled
    assert store.drain("sales").corrections == 1
    assert not store.events(tx).settled


def test_columns_known_only_later_may_be_missing(store: Store, tx: nt.Source) -> None:
    row = shop.row(100, 30)
    del row["returned"]
    store.push("sales", row)
    assert store.events(tx).read(["returned"])["returned"][-1] is None


def test_draining_moves_rows_and_changes_nothing_read(store: Store, tx: nt.Source) -> None:
    store.push("sales", [shop.row(n, n) for n in range(100, 110)])
    columns = [*SCHEMA, ARRIVAL, SEQUENCE]
    before = store.events(tx).read(columns)
    done = store.drain("sales")
    assert (done.new, done.pushed, store.drain("sales").version) == (10, 10, done.version)
    assert store.events(tx).read(columns).equals(before)


def test_what_is_pushed_after_an_ingest_comes_after_it(store: Store, tx: nt.Source) -> None:
    store.push("sales", shop.row(100, 30))
    store.ingest(shop.source(shop.sales(30)))
    store.push("sales", shop.row(101, 31))
    assert store.events(tx).read(["sale"])["sale"].to_list()[-2:] == [29, 101]


def test_a_row_without_a_known_time_is_known_from_its_arrival() -> None:
    source = shop.source(None, schema={**SCHEMA, "known": pl.Datetime("ms")}, known_time="known")
    now = int(datetime(2026, 5, 1, tzinfo=UTC).timestamp() * 1e6)
    assert checked(source.spec, shop.row(1, 0), now)["known"].to_list() == [datetime(2026, 5, 1)]


@pytest.mark.parametrize(
    "when",
    [
        "2026-01-02T00:00:00Z",
        "2026-01-02T01:00:00+01:00",
        "2026-01-02",
        datetime(2026, 1, 2),
        datetime(2026, 1, 2, 5, tzinfo=timezone(timedelta(hours=5))),
    ],
)
def test_times_of_any_zone_are_instants(when: Any) -> None:
    source = shop.source(None, schema=SCHEMA)
    assert checked(source.spec, shop.row(1, 0, when=when), 2**60)["when"].to_list() == [
        datetime(2026, 1, 2, tzinfo=UTC)
    ]


def test_naive_times_are_local_where_the_source_says_so() -> None:
    source = shop.source(None, schema={**SCHEMA, "when": pl.Datetime("us")}, time_zone="Europe/Berlin")
    zoned = checked(source.spec, shop.row(1, 0, when="2026-07-01T10:00:00Z"), 2**60)
    assert zoned["when"].to_list() == [datetime(2026, 7, 1, 12)]


BAD: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "missing column": ({"amount": ...}, UnknownColumn, "lacks column 'amount'"),
    "missing key": ({"customer_id": ...}, UnknownColumn, "lacks column 'customer_id'"),
    "unknown column": ({"amuont": 1.0}, UnknownColumn, "no column 'amuont'. Did you mean 'amount'"),
    "text for a number": ({"amount": "5"}, WrongType, "amount is String; the source says Float64"),
    "fraction for a whole number": ({"customer_id": 1.5}, WrongType, "customer_id is Float64; the source says Int64"),
    "number for a text": ({"place": 5}, WrongType, "place is Int64; the source says String"),
    "truth for a number": ({"amount": True}, WrongType, "amount is Boolean; the source says Float64"),
    "number for a time": ({"when": 5}, WrongType, "when is Int64; the source says Datetime"),
    "no time": ({"when": None}, Invalid, "when is null in row 0"),
    "text that is no time": ({"when": "yesterday"}, WrongType, "when row 0: 'yesterday' is not a time"),
    "event ahead of the clock": ({"when": datetime.now(UTC) + timedelta(hours=1)}, Invalid, "ahead of the clock, more than max_ahead='5m'"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_a_bad_row_is_refused_and_nothing_written(store: Store, tx: nt.Source, case: str) -> None:
    change, kind, message = BAD[case]
    bad = {name: value for name, value in {**shop.row(101, 31), **change}.items() if value is not ...}
    good = {name: shop.row(100, 30).get(name) for name in bad}
    rows = (
        [{**good, **{name: value for name, value in bad.items() if name not in SCHEMA}}, bad] if len(bad) > 6 else bad
    )
    with pytest.raises(kind, match=message):
        store.push("sales", rows)
    assert (len(amounts(store)), store.log("sales").end()) == (20, 0)


def test_one_bad_row_among_good_ones_refuses_all(store: Store, tx: nt.Source) -> None:
    with pytest.raises(Invalid, match="when is null in row 1"):
        store.push("sales", [shop.row(100, 30), shop.row(101, 31, when=None), shop.row(102, 32)])
    assert store.log("sales").end() == 0


def test_nearly_now_is_not_ahead(store: Store, tx: nt.Source) -> None:
    store.push("sales", shop.row(100, 0, when=datetime.now(UTC) + timedelta(minutes=4)))
    assert 100 in amounts(store)


def test_replays_may_be_ahead_of_the_clock(store: Store) -> None:
    source = shop.source(None, schema=SCHEMA, max_ahead=None)
    store.push(source, shop.row(100, 24 * 3650))
    assert 100 in amounts(store, source)


def test_rows_of_an_ingested_source_need_a_row_id_to_be_pushed(store: Store) -> None:
    source = shop.source(shop.sales(), row_id=None)
    store.ingest(source)
    with pytest.raises(Invalid, match="needs row_id="):
        store.push(source, shop.row(100, 30))


def test_a_store_that_has_pushed_pushes_from_another_process_too(store: Store, tx: nt.Source) -> None:
    """It took the numbers of its open files along, which are other files or none in the process it comes to."""
    store.push("sales", shop.row(100, 30))
    code = "import pickle, sys; store, row = pickle.load(sys.stdin.buffer); store.push('sales', row)"
    subprocess.run([sys.executable, "-c", code], input=pickle.dumps((store, shop.row(101, 30))), check=True)
    assert {100, 101} <= set(amounts(store))


def test_whether_a_source_takes_pushes_is_told_without_a_push(store: Store, tx: nt.Source) -> None:
    bare = shop.source(shop.sales(), name="bare", row_id=None)
    store.check_pushable(bare)
    store.ingest(bare)
    store.check_pushable("sales")
    with pytest.raises(Invalid, match="'bare' was ingested"):
        store.check_pushable(bare)


def test_a_pushed_source_needs_a_row_id_to_be_ingested(store: Store) -> None:
    store.push(shop.source(None, schema=SCHEMA, row_id=None), shop.row(100, 30))
    with pytest.raises(nt.Conflict, match="needs row_id="):
        store.ingest(shop.source(shop.sales(), row_id=None))


def test_equal_pushes_without_a_row_id_are_two_rows(store: Store) -> None:
    source = shop.source(None, schema=SCHEMA, row_id=None)
    for _ in range(2):
        store.push(source, shop.row(100, 30))
        store.drain(source)
    assert store.events(source).read(["sale"]).height == 2


def test_a_source_nobody_applied_is_not_known_by_name(store: Store) -> None:
    with pytest.raises(NotFound, match="no source is named 'sales'"):
        store.push("sales", shop.row(1, 1))


def test_while_a_server_holds_the_log_others_are_told(
    store: Store, tx: nt.Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    with store.log("sales").writer(), pytest.raises(Unavailable, match="Push through it"):
        store.push("sales", shop.row(100, 30))


def test_threads_of_one_process_push_side_by_side(store: Store) -> None:
    tx = shop.source(None, schema=SCHEMA)
    others = nt.connect(store.root)
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda sale: (store, others)[sale % 2].push(tx, [shop.row(sale, 1)]), range(64)))
    finally:
        sys.setswitchinterval(before)
    assert sorted(amounts(nt.connect(store.root), tx)) == list(range(64))


def test_after_a_push_whose_end_is_unknown_the_next_one_is_durable(
    store: Store, tx: nt.Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(handle: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr(os, "fdatasync", failing)
        with pytest.raises(CommitUnknown):
            store.push(tx, [shop.row(100, 30)], key="a")
    store.push(tx, [shop.row(100, 30)], key="a")
    store.push(tx, [shop.row(101, 31)])
    assert sorted(amounts(store))[-2:] == [100, 101]


OTHERS: dict[str, tuple[pl.DataFrame, dict[str, Any]]] = {
    "another type": (shop.sales().with_columns(amount=pl.lit("x")), {}),
    "one more column": (shop.sales().with_columns(extra=pl.lit(1)), {}),
    "another row_id": (shop.sales(), {"row_id": "amount"}),
    "another zone": (shop.sales().with_columns(pl.col("when").dt.replace_time_zone(None)), {}),
}


@pytest.mark.parametrize("other", OTHERS)
def test_a_push_that_the_tables_cannot_take_is_refused(store: Store, tx: nt.Source, other: str) -> None:
    rows, options = OTHERS[other]
    with pytest.raises(nt.Conflict, match="sales"):
        store.push(shop.source(rows, **options), rows[:1])
    assert store.log("sales").end() == 0


@pytest.mark.parametrize("other", ["another type", "one more column", "another zone"])
def test_a_push_that_does_not_fit_those_before_it_is_refused(store: Store, other: str) -> None:
    tx = shop.source(None, schema=SCHEMA)
    store.push(tx, shop.row(100, 30))
    rows, _ = OTHERS[other]
    with pytest.raises(nt.Conflict, match=r"sales.*Nothing was written"):
        nt.connect(store.root).push(shop.source(None, schema=dict(rows.schema)), rows[:1])
    assert list(amounts(store, tx)) == [100]


def test_before_there_are_tables_a_push_leaves_no_column_out(store: Store) -> None:
    tx = shop.source(None, schema=SCHEMA)
    store.push(tx, shop.row(100, 30))
    fewer = shop.source(None, schema={name: kind for name, kind in SCHEMA.items() if name != "amount"})
    row = {name: value for name, value in shop.row(101, 31).items() if name != "amount"}
    with pytest.raises(nt.Conflict, match=r"without column 'amount'.*Nothing was written"):
        nt.connect(store.root).push(fewer, row)
    store.drain(tx)
    store.push(fewer, row)
    assert amounts(store, tx) == {100: 5.0, 101: None}


def test_what_a_source_has_new_is_pushed_once_its_tables_have_it(store: Store, tx: nt.Source) -> None:
    rows = shop.sales(21).with_columns(extra=pl.lit(1))
    wide = shop.source(None, schema=dict(rows.schema))
    with pytest.raises(nt.Conflict, match=r"store\.drain"):
        store.push(wide, rows[20:])
    store.drain(wide)
    store.push(wide, rows[20:])
    assert store.events(wide).read(["extra"])["extra"].to_list() == [None] * 20 + [1]


def test_a_forked_process_opens_a_writer_of_its_own(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one it took along shares its lock with its parent. (Polars itself is not sure to work after a fork, so none is made here.)"""
    tx = shop.source(None, schema=SCHEMA)
    store.push(tx, shop.row(0, 1))
    monkeypatch.setattr(os, "getpid", lambda: -1)
    store.push(tx, shop.row(1, 1))
    assert sorted(amounts(store, tx)) == [0, 1]


def test_rows_of_an_erased_key_are_refused_and_not_dropped_later(store: Store, tx: nt.Source) -> None:
    store.forget(shop.CUSTOMER, [1])
    end = store.log("sales").end()
    with pytest.raises(nt.Conflict, match="row 1 is of a key that was erased"):
        store.push(tx, [shop.row(100, 30, customer_id=2), shop.row(101, 30)])
    assert store.log("sales").end() == end
    store.push(tx, shop.row(102, 0, when=datetime.now(UTC) + timedelta(minutes=1)))
    assert store.drain(tx).forgotten == 0
