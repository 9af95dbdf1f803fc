"""Many writers of one source at once, each of another kind: all of it happens, and none of it twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import polars as pl
import pytest

import nowthen as nt
from nowthen.engine.errors import Conflict
from nowthen.store.folders.local_folder import LocalFolder
from nowthen.store.ledger.entries import Entries
from nowthen.store.store import Store

from . import shop

DAY = timedelta(days=1)


def again(store: Store) -> Any:
    return nt.connect(store.here.folder.url)


def test_appends_replacements_compactions_and_drains_at_once_lose_nothing(store: Store) -> None:
    tx = shop.source(shop.sales(240))
    store.ingest(tx)
    pushed = shop.source(None, schema=dict(shop.sales().schema))
    store.push(pushed, shop.sales(5, first=1000))

    def other(day: int) -> pl.DataFrame:
        return shop.sales(24, first=24 * day).with_columns(amount=pl.lit(-1.0))

    jobs = [
        *(lambda n=n: again(store).ingest(shop.source(shop.sales(240 + 20 * n))) for n in (1, 2)),
        *(
            lambda d=d: again(store).replace(tx, other(d), shop.START + d * DAY, shop.START + (d + 1) * DAY)
            for d in (2, 5)
        ),
        *(lambda: again(store).compact("sales") for _ in range(2)),
        lambda: again(store).drain(pushed),
    ]
    with ThreadPoolExecutor(len(jobs)) as pool:
        for done in [pool.submit(job) for job in jobs]:
            done.result()
    # The longer ingests hold the replaced days as they were: whichever came last has its say, and repeating both settles it.
    store.ingest(shop.source(shop.sales(280)))
    for day in (2, 5):
        store.replace(tx, other(day), shop.START + day * DAY, shop.START + (day + 1) * DAY)
    found = store.events(tx).read(["sale", "amount"]).sort("sale")
    assert found["sale"].to_list() == [*range(280), *range(1000, 1005)]
    assert found.filter(pl.col("amount") == -1)["sale"].to_list() == [*range(48, 72), *range(120, 144)]


@pytest.fixture
def unqueued(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for a turn, as on an object store."""
    from contextlib import nullcontext

    monkeypatch.setattr(LocalFolder, "turn", lambda *_: nullcontext())


@pytest.mark.usefixtures("unqueued")
def test_writers_that_do_not_queue_come_to_the_same_end(store: Store) -> None:
    def run(n: int) -> None:
        again(store).ingest(shop.source(shop.sales(20 * (n + 1))))
        again(store).compact("sales")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(run, range(4)))
    assert store.events(shop.source(shop.sales(80))).read(["sale"])["sale"].sort().to_list() == list(range(80))


@pytest.mark.usefixtures("unqueued")
def test_an_ingest_and_a_compaction_do_not_stand_in_each_others_way(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in (20, 40):
        store.ingest(shop.source(shop.sales(n)))
    plain = Entries.commit
    begun: list[Any] = []

    def compacting(ledger: Entries, base: Any, work: Any, change: Any) -> Any:
        if work.kind == "ingest" and not begun:
            begun.append(again(store).compact("sales"))
        return plain(ledger, base, work, change)

    monkeypatch.setattr(Entries, "commit", compacting)
    tx = shop.source(shop.sales(60))
    assert store.ingest(tx).new == 20
    assert [entry.kind for entry in store.history()] == ["ingest", "ingest", "compact", "ingest"]
    assert store.events(tx).read(["sale"])["sale"].to_list() == list(range(60))


def test_a_writer_that_always_loses_says_so(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(*_: object) -> Any:
        raise Conflict("another came first")

    monkeypatch.setattr(Entries, "commit", lost)
    with pytest.raises(
        Conflict, match=r"gave up on 'sales' after 20 attempts: other writers kept committing first. Try again"
    ):
        store.ingest(shop.source(shop.sales(5)))
    assert [path for path, *_ in store.here.folder.listed("draft") if not path.endswith(".turn")] == []
