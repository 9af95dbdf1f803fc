"""Compaction: one file a place again, the same rows, sorted; and nothing that was computed of them is stale."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import polars as pl
import pytest

from nowthen.engine.errors import NotFound
from nowthen.engine.folds.rows import SEQUENCE
from nowthen.store.rows.source_note import SourceState, state_of
from nowthen.store.store import Store

from . import shop


def grown(store: Store, times: int = 4) -> Any:
    for n in range(1, times + 1):
        store.ingest(shop.source(shop.sales(20 * n)))
    return shop.source(shop.sales(20 * times))


def state(store: Store) -> SourceState:
    found = state_of(store.here.ledger.head(), store.here.notes, "sales")
    assert found is not None
    return found


def test_each_place_has_one_file_again(store: Store) -> None:
    tx = grown(store)
    (done,) = store.compact("sales")
    files = [file for table in store.events(tx).tables for file in table.files]
    assert done.before > done.after == len(files)
    assert len({(file.bucket, file.slab) for file in store.events(tx).tables[0].files}) == len(
        store.events(tx).tables[0].files
    )


def test_the_rows_stay_as_they_are_also_in_older_versions(store: Store) -> None:
    tx = grown(store)
    before = store.events(tx).read([*tx.spec.schema, SEQUENCE])
    store.compact("sales")
    assert store.events(tx).read([*tx.spec.schema, SEQUENCE]).equals(before)
    assert store.events(tx, as_of=2).read(["sale"]).height == 40


def test_a_compacted_file_is_sorted_by_key_and_time(store: Store) -> None:
    tx = shop.source(shop.sales(80).reverse(), entities=[shop.CUSTOMER])
    store.ingest(shop.source(shop.sales(40), entities=[shop.CUSTOMER]))
    store.ingest(tx)
    store.compact("sales")
    events = store.events(tx)
    for file in events.tables[0].files:
        rows = events.stored(["customer_id", "when"], events.tables[0], [file])
        assert rows.drop_nulls().equals(rows.drop_nulls().sort("customer_id", "when"))


def test_it_does_not_make_answers_stale(store: Store) -> None:
    grown(store)
    before = state(store)
    store.compact("sales")
    assert (state(store).turn, state(store).firsts) == (before.turn, before.firsts)


def test_repeating_it_changes_nothing(store: Store) -> None:
    grown(store)
    (first,), (again,) = store.compact("sales"), store.compact("sales")
    assert (again.before, again.after, again.version) == (first.after, first.after, first.version)


def test_a_source_that_is_not_there_is_named(store: Store) -> None:
    with pytest.raises(NotFound, match="'sales' has no rows"):
        store.compact("sales")


def test_a_turn_says_from_when_answers_may_differ(store: Store) -> None:
    store.ingest(shop.source(shop.sales(20)))
    store.ingest(shop.source(shop.sales(30)))
    hour = [int((shop.START + timedelta(hours=n)).timestamp() * 1_000_000) for n in range(31)]
    found = state(store)
    assert [
        found.changed_before(1, hour[19]),
        found.changed_before(1, hour[20]),
        found.changed_before(2, hour[30]),
    ] == [False, True, False]


def test_a_correction_changes_answers_from_its_old_time_on(store: Store) -> None:
    rows = shop.sales(20)
    store.ingest(shop.source(rows))
    late = shop.START + timedelta(hours=50)
    store.ingest(shop.source(rows.with_columns(when=pl.when(pl.col("sale") == 7).then(pl.lit(late)).otherwise("when"))))
    hour = [int((shop.START + timedelta(hours=n)).timestamp() * 1_000_000) for n in range(9)]
    assert [state(store).changed_before(1, hour[n]) for n in (6, 7, 8)] == [False, True, True]


def test_many_small_files_become_one_by_themselves_and_the_rows_stay(store: Store) -> None:
    for n in range(1, 40):
        store.ingest(shop.source(shop.sales(n), entities=[]))
    tx = shop.source(shop.sales(39), entities=[])
    assert len(store.events(tx).tables[0].files) <= 8
    assert store.events(tx).read(["sale"])["sale"].to_list() == list(range(39))
    assert [store.events(tx, as_of=n).read(["sale"]).height for n in (7, 20, 39)] == [7, 20, 39]


def test_large_files_are_not_written_again_for_a_few_rows(store: Store) -> None:
    def paths() -> list[str]:
        (table,) = state(store).tables.values()
        return [one.parts[0].path for one in store.here.tables.opened("tables/sales/_all", table.version)[1]]

    store.ingest(shop.source(shop.sales(6_000), entities=[]))
    (large,) = paths()
    for n in range(1, 12):
        store.ingest(shop.source(shop.sales(6_000 + n), entities=[]))
    assert large in paths()
    assert len(paths()) <= 8
