"""Who compacts backfilled values beside others: whoever loses looks again, and all come to the end that they would have come to alone."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import nowthen as nt
from nowthen.engine.errors import CommitUnknown, Conflict
from nowthen.store.folders.local_folder import LocalFolder
from nowthen.store.ledger.entries import Entries
from nowthen.store.store import Store

from . import shop
from .backfilled import DAYS, HOURS, asked, chunks, in_small_chunks, spend


def again(store: Store) -> Any:
    return nt.connect(store.here.folder.url)


@pytest.fixture
def before_commit(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Callable[[], object]], list[str]]:
    """Let something happen once, when a writer of a kind is about to commit; the kinds that went to commit since."""

    def arrange(kind: str, act: Callable[[], object]) -> list[str]:
        plain, tried = Entries.commit, []

        def commit(ledger: Entries, base: Any, work: Any, change: Any) -> Any:
            tried.append(work.kind)
            if tried.count(kind) == 1 and work.kind == kind:
                act()
            return plain(ledger, base, work, change)

        monkeypatch.setattr(Entries, "commit", commit)
        return tried

    return arrange


def whole(store: Store, view: Any, span: tuple[str, str] = DAYS) -> None:
    """All is there, right, and as it was written."""
    fresh = again(store)
    assert fresh.backfill(view, *span, **HOURS).values == {}
    found = fresh.scan(view).collect()
    assert_frame_equal(found, asked(fresh, view, found), check_exact=True)
    assert fresh.scrub().whole


def test_values_that_are_filled_meanwhile_elsewhere_stay(store: Store, tx: nt.Source, before_commit: Any) -> None:
    in_small_chunks(store, spend(tx))
    longer = ("2026-01-01", "2026-01-04")
    tried = before_commit("compact", lambda: again(store).backfill(spend(tx), *longer, **HOURS))
    store.compact("spend")
    assert tried.count("compact") == 1
    assert [chunk.rows for chunk in chunks(store)] == [50, 28]
    whole(store, spend(tx), longer)


def test_columns_that_are_filled_meanwhile_are_not_lost(store: Store, tx: nt.Source, before_commit: Any) -> None:
    in_small_chunks(store, spend(tx))
    more = spend(tx, most=tx["amount"].max().over("1d"))
    tried = before_commit("compact", lambda: again(store).backfill(more, *DAYS, **HOURS))
    store.compact("spend")
    assert tried.count("compact") == 2
    assert [len(chunk.columns) for chunk in chunks(store)] == [3]
    whole(store, more)


def test_a_backfill_that_meets_a_compaction_fills_what_is_left(store: Store, tx: nt.Source, before_commit: Any) -> None:
    in_small_chunks(store, spend(tx))
    more = spend(tx, most=tx["amount"].max().over("1d"))
    before_commit("backfill", lambda: again(store).compact("spend"))
    done = again(store).backfill(more, *DAYS, **HOURS)
    assert done.values == {"spend:most": 50}
    assert [len(chunk.columns) for chunk in chunks(store)] == [3]
    whole(store, more)


def test_rows_that_come_late_meanwhile_make_no_more_stale_than_they_would(
    store: Store, tx: nt.Source, before_commit: Any
) -> None:
    in_small_chunks(store, spend(tx))

    def late() -> None:
        store.push(tx, [shop.row(900, 25.5)])
        again(store).drain(tx)

    tried = before_commit("compact", late)
    again(store).compact("spend")
    assert tried.count("compact") == 2
    assert min(hole.as_json()["start"] for hole in store.holes(spend(tx), *DAYS, **HOURS)) == "2026-01-02"
    again(store).backfill(spend(tx), *DAYS, **HOURS)
    whole(store, spend(tx))


def test_what_is_forgotten_meanwhile_does_not_come_back(store: Store, tx: nt.Source, before_commit: Any) -> None:
    in_small_chunks(store, spend(tx))
    before_commit("compact", lambda: again(store).forget(shop.CUSTOMER, [3]))
    store.compact("spend")
    assert 3 not in again(store).scan("spend", holes="null").collect()["customer_id"]
    assert again(store).scrub().whole


def test_what_a_cleanup_removes_meanwhile_is_written_again(store: Store, tx: nt.Source, before_commit: Any) -> None:
    in_small_chunks(store, spend(tx))
    tried = before_commit("compact", lambda: again(store).cleanup(keep="0s", versions=1))
    store.compact("spend")
    assert tried.count("compact") == 2
    whole(store, spend(tx))


def test_who_reads_what_another_compacted_and_cleaned_up_starts_over(
    store: Store, tx: nt.Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_small_chunks(store, spend(tx))
    plain = LocalFolder.turn
    done: list[Any] = []

    def turn(folder: LocalFolder, name: str) -> Any:
        if name == "compact-spend" and not done:
            done.append(store.here.ledger.head())
            again(store).compact("spend")
            again(store).cleanup(keep="0s", versions=1)
            slow = Entries.head
            monkeypatch.setattr(Entries, "head", lambda ledger: done.pop() if len(done) == 1 else slow(ledger))
        return plain(folder, name)

    monkeypatch.setattr(LocalFolder, "turn", turn)
    store.compact("spend")
    monkeypatch.undo()
    assert len(chunks(store)) == 1
    whole(store, spend(tx))


def test_a_former_definition_that_is_wanted_meanwhile_keeps_its_columns(
    store: Store, tx: nt.Source, before_commit: Any
) -> None:
    was, now = spend(tx), spend(tx, mean_3d=tx["amount"].max().over("2d"))
    in_small_chunks(store, was)
    in_small_chunks(store, now)
    store.cleanup(keep="0s", versions=1)
    tried = before_commit("compact", lambda: again(store).apply(was))
    store.compact("spend")
    assert tried.count("compact") == 2
    assert [len(chunk.columns) for chunk in chunks(store)] == [3]
    whole(store, was)


def test_a_view_that_is_renamed_meanwhile_is_no_more_there(store: Store, tx: nt.Source, before_commit: Any) -> None:
    in_small_chunks(store, "customer_spend")
    before_commit("compact", lambda: again(store).rename("customer_spend", "spending"))
    with pytest.raises(nt.NotFound, match="customer_spend"):
        store.compact("customer_spend")
    assert again(store).backfill("spending", *DAYS, **HOURS).values == {}


def test_two_compactions_that_do_not_queue_come_to_one_end(
    store: Store, tx: nt.Source, before_commit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from contextlib import nullcontext

    monkeypatch.setattr(LocalFolder, "turn", lambda *_: nullcontext())
    in_small_chunks(store, spend(tx))
    before_commit("compact", lambda: again(store).compact("spend"))
    (done,) = store.compact("spend")
    assert (done.before, done.after) == (3, 3)
    assert [entry.kind for entry in store.history()].count("compact") == 1
    whole(store, spend(tx))


def test_who_got_no_answer_can_ask_or_do_it_again(store: Store, tx: nt.Source, monkeypatch: pytest.MonkeyPatch) -> None:
    in_small_chunks(store, spend(tx))
    plain = LocalFolder.put_new

    def unanswered(folder: LocalFolder, path: str, content: bytes) -> bool:
        done = plain(folder, path, content)
        if path.startswith("ledger/") and b'"kind":"compact"' in content:
            raise CommitUnknown("no answer came")
        return done

    before = store.here.ledger.head().number
    with monkeypatch.context() as patch:
        patch.setattr(LocalFolder, "put_new", unanswered)
        with pytest.raises(CommitUnknown) as unknown:
            store.compact("spend")
    job = str(unknown.value).split("committed('")[1].split("'")[0]
    found = again(store).committed(job)
    assert (found.number, found.kind) == (before + 1, "compact")
    assert again(store).compact("spend")[0].version == found.number
    whole(store, spend(tx))


def test_who_always_loses_says_so(store: Store, tx: nt.Source, monkeypatch: pytest.MonkeyPatch) -> None:
    in_small_chunks(store, spend(tx))

    def lost(*_: object) -> Any:
        raise Conflict("another came first")

    monkeypatch.setattr(Entries, "commit", lost)
    with pytest.raises(Conflict, match=r"gave up on 'spend' after \d+ attempts"):
        store.compact("spend")


@pytest.mark.slow
def test_all_at_once_come_through(store: Store, tx: nt.Source) -> None:
    views = [spend(tx), spend(tx, most=tx["amount"].max().over("1d"))]
    jobs: list[Callable[[], object]] = [
        *(lambda view=view: _half_days(again(store), view) for view in views),
        *(lambda: again(store).compact("spend") for _ in range(3)),
        lambda: again(store).ingest(shop.source(shop.sales(80))),
        lambda: again(store).cleanup(keep="0s", versions=1),
        lambda: again(store).forget(shop.CUSTOMER, [6]),
    ]
    in_small_chunks(store, spend(tx), "2026-01-01", "2026-01-02", **HOURS)
    with ThreadPoolExecutor(len(jobs)) as pool:
        for done in [pool.submit(_until_done, job) for job in jobs]:
            done.result()
    for view in views:
        store.backfill(view, *DAYS, **HOURS)
    store.compact("spend")
    whole(store, views[1])
    assert 6 not in again(store).scan("spend").collect().filter(pl.col("count_1d") > 0)["customer_id"]


def _half_days(store: Store, view: Any) -> None:
    """Backfill half a day after the other, each a chunk."""
    halves = ["2026-01-01", "2026-01-01T12:00", "2026-01-02", "2026-01-02T12:00", "2026-01-03"]
    for start, end in itertools.pairwise(halves):
        store.backfill(view, start, end, **HOURS)


def _until_done(job: Callable[[], object]) -> None:
    """As a user would: who lost against others too often does it again."""
    for _ in range(20):
        try:
            job()
            return
        except (Conflict, nt.NotFound) as error:
            lost = error
    raise lost
