"""Commits: whole or not at all, and whoever writes at the same time, the same end."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import nowthen as nt
from nowthen.engine.errors import NotFound
from nowthen.store.ledger.entries import Entries
from nowthen.store.rows.source_note import state_of
from nowthen.store.store import Store
from nowthen.store.tables.tables import Tables

from . import shop


class Crash(BaseException):
    """The process is gone."""


def crash(*_: object, **__: object) -> Any:
    raise Crash


def sold(store: Store, source: nt.Source | None = None) -> list[int]:
    return sorted(
        store.events(shop.source(shop.sales()) if source is None else source).read(["sale"])["sale"].to_list()
    )


def rows_of(store: Store, source: str) -> int:
    state = state_of(store.history()[-1], store.here.notes, source)
    return 0 if state is None else state.rows


@pytest.mark.parametrize(
    "rows", [lambda n: shop.sales(60), lambda n: shop.sales(10, first=10 * n)], ids=["equal", "different"]
)
def test_many_ingests_at_once_lose_nothing_and_repeat_nothing(
    store: Store, rows: Callable[[int], pl.DataFrame]
) -> None:
    def run(n: int) -> None:
        nt.connect(store.root).ingest(shop.source(rows(n)))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(run, range(4)))
    assert sold(store) == sorted({sale for n in range(4) for sale in rows(n)["sale"]})


def test_ingests_of_different_sources_at_once_both_stand(store: Store) -> None:
    def run(name: str) -> None:
        nt.connect(store.root).ingest(shop.source(shop.sales(), name))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(run, ["a", "b", "c", "d"]))
    assert {name: rows_of(store, name) for name in "abcd"} == dict.fromkeys("abcd", 60)


@pytest.mark.parametrize("step", ["the second table", "the ledger"])
def test_an_ingest_that_dies_half_way_is_not_seen(store: Store, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    store.ingest(shop.source(shop.sales(20)))
    with monkeypatch.context() as patch:
        if step == "the ledger":
            patch.setattr(Entries, "commit", crash)
        else:
            plain = Tables.version
            patch.setattr(
                Tables,
                "version",
                lambda tables, place, *args: plain(tables, place, *args) if place.endswith("customer") else crash(),
            )
        with pytest.raises(Crash):
            store.ingest(shop.source(shop.sales(60)))
    assert sold(store) == list(range(20))
    assert store.ingest(shop.source(shop.sales(60))).new == 40
    assert sold(store) == list(range(60))


def test_an_ingest_whose_acknowledgement_was_lost_can_be_repeated(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = Entries.commit
    with monkeypatch.context() as patch:
        patch.setattr(Entries, "commit", lambda ledger, *args: (plain(ledger, *args), crash()))
        with pytest.raises(Crash):
            store.ingest(shop.source(shop.sales()))
    assert (store.ingest(shop.source(shop.sales())).new, sold(store)) == (0, list(range(60)))


@pytest.mark.parametrize("step", ["before the commit", "after the commit"])
def test_a_drain_that_dies_takes_every_pushed_row_in_once(
    store: Store, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    tx = shop.source(None, schema=dict(shop.sales().schema))
    store.push(tx, shop.sales(5))
    plain = Entries.commit
    with monkeypatch.context() as patch:
        patch.setattr(
            Entries, "commit", lambda ledger, *args: (step == "after the commit" and plain(ledger, *args), crash())
        )
        with pytest.raises(Crash):
            store.drain(tx)
    assert sold(store, tx) == list(range(5))
    store.drain(tx)
    assert sold(store, tx) == list(range(5))
    assert rows_of(store, "sales") == 5


def _ingest_until_killed(root: Path) -> None:
    plain = Tables.version

    def version(tables: Tables, *args: Any) -> Any:
        plain(tables, *args)
        os.kill(os.getpid(), 9)

    pytest.MonkeyPatch().setattr(Tables, "version", version)
    nt.connect(root).ingest(shop.source(shop.sales()))


def test_a_killed_ingest_leaves_the_store_as_it_was(store: Store) -> None:
    store.ingest(shop.source(shop.sales(10)))
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=_ingest_until_killed, args=(store.root,))
    process.start()
    process.join(60)
    assert (process.exitcode, sold(store)) == (-9, list(range(10)))
    assert store.ingest(shop.source(shop.sales())).new == 50


def test_a_reader_keeps_the_version_it_was_made_at(store: Store) -> None:
    store.ingest(shop.source(shop.sales(10)))
    before = store.events(shop.source(shop.sales()))
    store.ingest(shop.source(shop.sales(20)))
    assert before.read(["sale"]).height == 10


def test_a_store_can_be_read_as_of_a_version_or_a_time(store: Store) -> None:
    tx = shop.source(shop.sales(10))
    store.ingest(tx)
    between = datetime.now(UTC)
    store.ingest(shop.source(shop.sales(20)))
    moments = (1, 2, between, between.isoformat())
    assert [store.events(tx, as_of=moment).read(["sale"]).height for moment in moments] == [10, 20, 10, 10]


@pytest.mark.parametrize("moment", [7, datetime(2020, 1, 1, tzinfo=UTC), datetime.now(UTC) - timedelta(days=1)])
def test_a_moment_before_the_first_commit_is_refused(store: Store, moment: Any) -> None:
    store.ingest(shop.source(shop.sales(10)))
    with pytest.raises(NotFound, match=r"has no such version. It has 1 to 1, the first from"):
        store.events(shop.source(shop.sales()), as_of=moment)
