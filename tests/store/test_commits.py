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
from nowthen.store.event_files import EventFiles
from nowthen.store.ledger import Commit, Ledger, SourceState
from nowthen.store.store import Store

from . import shop


class Crash(BaseException):
    """The process is gone."""


def crash(*_: object, **__: object) -> Any:
    raise Crash


def sold(store: Store, source: nt.Source | None = None) -> list[int]:
    return sorted(
        store.events(shop.source(shop.sales()) if source is None else source).read(["sale"])["sale"].to_list()
    )


def test_of_two_commits_of_one_number_one_wins(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "commits")
    commit = Commit().following("test", "s", SourceState({}, 8, 1), {})
    assert [ledger.append(commit), ledger.append(commit)] == [True, False]


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
    head = store.history()[-1]
    assert {name: state.rows for name, state in head.sources.items()} == dict.fromkeys("abcd", 60)


@pytest.mark.parametrize("step", ["the second table", "the ledger"])
def test_an_ingest_that_dies_half_way_is_not_seen(store: Store, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    store.ingest(shop.source(shop.sales(20)))
    with monkeypatch.context() as patch:
        if step == "the ledger":
            patch.setattr(Ledger, "append", crash)
        else:
            plain = EventFiles.commit
            patch.setattr(
                EventFiles,
                "commit",
                lambda files, *args: plain(files, *args) if files.folder.name == "customer" else crash(),
            )
        with pytest.raises(Crash):
            store.ingest(shop.source(shop.sales(60)))
    assert sold(store) == list(range(20))
    assert store.ingest(shop.source(shop.sales(60))).new == 40
    assert sold(store) == list(range(60))


def test_an_ingest_whose_acknowledgement_was_lost_can_be_repeated(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = Ledger.append
    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "append", lambda ledger, commit: (plain(ledger, commit), crash()))
        with pytest.raises(Crash):
            store.ingest(shop.source(shop.sales()))
    assert (store.ingest(shop.source(shop.sales())).new, sold(store)) == (0, list(range(60)))


@pytest.mark.parametrize("step", ["before the commit", "after the commit"])
def test_a_drain_that_dies_takes_every_pushed_row_in_once(
    store: Store, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    tx = shop.source(None, schema=dict(shop.sales().schema))
    store.push(tx, shop.sales(5))
    plain = Ledger.append
    with monkeypatch.context() as patch:
        patch.setattr(
            Ledger, "append", lambda ledger, commit: (step == "after the commit" and plain(ledger, commit), crash())
        )
        with pytest.raises(Crash):
            store.drain(tx)
    assert sold(store, tx) == list(range(5))
    store.drain(tx)
    assert sold(store, tx) == list(range(5))
    assert store.history()[-1].sources["sales"].rows == 5


def _ingest_until_killed(root: Path) -> None:
    plain = EventFiles.commit

    def commit(files: EventFiles, base: int | None, rows: pl.DataFrame) -> int:
        version = plain(files, base, rows)
        os.kill(os.getpid(), 9)
        return version

    pytest.MonkeyPatch().setattr(EventFiles, "commit", commit)
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
    assert [store.events(tx, as_of=moment).read(["sale"]).height for moment in (1, 2, between)] == [10, 20, 10]


@pytest.mark.parametrize("moment", [7, datetime(2020, 1, 1, tzinfo=UTC), datetime.now(UTC) - timedelta(days=1)])
def test_a_moment_before_the_first_commit_is_refused(store: Store, moment: Any) -> None:
    store.ingest(shop.source(shop.sales(10)))
    with pytest.raises(NotFound, match=r"had no commit then. It has versions 1 to 1"):
        store.events(shop.source(shop.sales()), as_of=moment)
