"""Logs cut off where they were drained: nothing that anybody goes on from is gone, keys still count once, and all say what they said."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import nowthen as nt
from nowthen.engine.errors import Corrupt, NotFound
from nowthen.engine.folds.rows import SEQUENCE
from nowthen.store.ledger.entries import Entries
from nowthen.store.rows import log as log_module
from nowthen.store.rows.arrivals import arrived
from nowthen.store.rows.log import Log
from nowthen.store.rows.log_cut import cut, needless
from nowthen.store.store import Store

from . import shop


@pytest.fixture(autouse=True)
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    """A segment for about every push."""
    monkeypatch.setattr(log_module, "SEGMENT_BYTES", 1)


def pushed(store: Store, tx: nt.Source, *ids: int) -> int:
    return [store.push(tx, [shop.row(id, 60 + id % 100)], key=f"push-{id}") for id in ids][-1]


def log_of(store: Store) -> Log:
    return store.log("sales")


def cleaned(store: Store) -> Any:
    return store.cleanup(keep="0s", versions=1)


def rows(store: Store, tx: nt.Source) -> pl.DataFrame:
    fresh: Store = nt.connect(store.root)
    return fresh.events(tx).read(["sale", SEQUENCE]).sort(SEQUENCE)


def served(store: Store, after: str | None = None) -> list[Any]:
    """What a process that begins now answers."""
    with nt.connect(store.root).online() as online:
        at = shop.START + timedelta(hours=90)
        return list(
            online.get("shop", {"customer_id": [1, 2], "place": ["p0", "p1"]}, at=at, after=after).to_polars().rows()
        )


def test_whole_segments_that_were_drained_go_and_the_rest_is_as_it_was(store: Store, tx: nt.Source) -> None:
    pushed(store, tx, 900, 901, 902)
    store.drain(tx)
    pushed(store, tx, 903, 904)
    before, end = rows(store, tx), log_of(store).end()
    report = cleaned(store)
    assert (report.files["log"], len(log_of(store).segments()), len(log_of(store).cut_off())) == (3, 2, 3)
    assert rows(store, tx).equals(before)
    assert log_of(store).end() == end
    assert pushed(store, tx, 905) > end
    store.drain(tx)
    assert rows(store, tx)["sale"].to_list()[-6:] == [900, 901, 902, 903, 904, 905]
    assert store.scrub().whole


def test_the_last_segment_stays_so_that_positions_go_on(store: Store, tx: nt.Source) -> None:
    end = pushed(store, tx, 900, 901)
    store.drain(tx)
    cleaned(store)
    assert len(log_of(store).segments()) == 1
    assert nt.connect(store.root).log("sales").end() == end
    assert log_of(store).read(end) == ([], end)


def test_a_dry_run_says_it_and_does_nothing(store: Store, tx: nt.Source) -> None:
    pushed(store, tx, 900, 901, 902)
    store.drain(tx)
    said = store.cleanup(keep="0s", versions=1, dry_run=True)
    assert (said.files["log"], len(log_of(store).segments())) == (2, 3)
    assert cleaned(store).files["log"] == 2


def test_a_log_elsewhere_may_be_anybodys_and_is_left(store: Store, tx: nt.Source, tmp_path: Path) -> None:
    other = Store.at(store.root, log=tmp_path / "elsewhere")
    pushed(other, tx, 900, 901)
    other.drain(tx)
    assert "log" not in cleaned(other).files
    assert len(other.log("sales").segments()) == 2


def test_what_a_kept_version_goes_on_from_stays(store: Store, tx: nt.Source) -> None:
    pushed(store, tx, 900, 901)
    before = store.events(tx)
    store.drain(tx)
    assert "log" not in store.cleanup(keep="30d", versions=100).files
    assert before.read(["sale"]).height == 62


def test_a_repeated_push_counts_once_however_long_ago_it_was(store: Store, tx: nt.Source) -> None:
    first = pushed(store, tx, 900)
    pushed(store, tx, 901, 902)
    store.drain(tx)
    cleaned(store)
    end = log_of(store).end()
    for again in (store, nt.connect(store.root)):
        assert pushed(again, tx, 900) == first
    with pytest.raises(nt.Conflict, match="key 'push-900' was used"):
        store.push(tx, [shop.row(900, 60), shop.row(906, 60)], key="push-900")
    assert log_of(store).end() == end


def test_a_writer_that_paused_meanwhile_knows_keys_that_others_pushed(store: Store, tx: nt.Source) -> None:
    pushed(store, tx, 900)
    other: Store = nt.connect(store.root)
    pushed(other, tx, 901, 902, 903)
    other.drain(tx)
    cleaned(other)
    end = log_of(store).end()
    assert pushed(store, tx, 902) < end
    assert log_of(store).end() == end
    assert pushed(store, tx, 904) > end
    assert rows(store, tx)["sale"].to_list()[-5:] == [900, 901, 902, 903, 904]


# -- serving --------------------------------------------------------------------------------------------------------------
def test_a_server_that_begins_after_the_cut_says_the_same_and_tokens_still_hold(store: Store, tx: nt.Source) -> None:
    pushed(store, tx, 900, 901)
    store.snapshot("shop")
    with store.online() as online:  # type: ignore[attr-defined]
        tokens = [online.push("sales", [shop.row(id, 70)], key=f"push-{id}") for id in (902, 903)]
        store.drain(tx)
        before = served(store, tokens[-1])
        assert cleaned(store).files["log"] == 2  # the snapshot goes on from behind the first two
        assert served(store, tokens[-1]) == served(store, tokens[0]) == before
        store.snapshot("shop")
        assert cleaned(store).files["log"] == 1
        assert served(store, tokens[-1]) == served(store, tokens[0]) == before
        token = online.push("sales", [shop.row(904, 71)])
        assert served(store, token) != before
    assert store.scrub().whole


def test_a_server_that_lags_behind_the_cut_takes_the_newer_snapshot(store: Store, tx: nt.Source) -> None:
    pushed(store, tx, 900)
    store.snapshot("shop")
    at = shop.START + timedelta(hours=90)
    asked = {"customer_id": [1], "place": ["p1"]}
    with store.online() as online:  # type: ignore[attr-defined]
        online.get("shop", asked, at=at)
        other: Store = nt.connect(store.root)
        pushed(other, tx, 901, 902, 903)
        other.snapshot("shop")
        assert cleaned(other).files["log"] == 3
        found = online.get("shop", asked, at=at).to_polars()
    with nt.connect(store.root).online() as fresh:
        assert fresh.get("shop", asked, at=at).to_polars().equals(found)


def test_a_snapshot_of_a_version_that_ended_is_not_published(
    store: Store, tx: nt.Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    pushed(store, tx, 900, 901)
    plain = Entries.commit
    done: list[Any] = []

    def commit(ledger: Entries, base: Any, work: Any, change: Callable[..., Any]) -> Any:
        if work.kind == "snapshot" and not done:
            done.append(work)
            other: Store = nt.connect(store.root)
            pushed(other, tx, 902, 903)
            other.drain(tx)
            cleaned(other)
        return plain(ledger, base, work, change)

    monkeypatch.setattr(Entries, "commit", commit)
    store.snapshot("shop")
    monkeypatch.undo()
    assert log_of(store).read(store.manifest("shop").groups[0].log_position)[0] == []
    assert served(store)


# -- care -----------------------------------------------------------------------------------------------------------------
def test_a_backup_has_the_keys_too_and_begins_where_the_log_does(store: Store, tx: nt.Source, tmp_path: Path) -> None:
    pushed(store, tx, 900, 901, 902)
    store.backup(tmp_path / "backup")
    store.drain(tx)
    cleaned(store)
    store.backup(tmp_path / "backup")
    nt.restore(tmp_path / "backup", tmp_path / "again")
    again: Store = nt.connect(tmp_path / "again")
    assert sorted(path.name for path in again.log("sales").folder.glob("*.*")) == sorted(
        path.name for path in log_of(store).folder.glob("*.*")
    )
    end = again.log("sales").end()
    assert pushed(again, tx, 900) < end
    assert (again.log("sales").end(), rows(again, tx).equals(rows(store, tx)), again.scrub().whole) == (end, True, True)


def test_a_cut_under_a_backup_is_met_by_another_look(
    store: Store, tx: nt.Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nowthen.store.care import backup

    pushed(store, tx, 900, 901)
    plain = backup._logs
    done: list[Any] = []

    def late(*given: Any) -> Any:
        if not done:
            done.append(given)
            other: Store = nt.connect(store.root)
            other.drain(tx)
            cleaned(other)
        return plain(*given)

    monkeypatch.setattr(backup, "_logs", late)
    store.backup(tmp_path / "backup")
    found = rows(nt.connect(tmp_path / "backup"), tx)
    assert found["sale"].to_list() == rows(store, tx)["sale"].to_list()


def test_forget_leaves_no_keys(store: Store, tx: nt.Source) -> None:
    pushed(store, tx, 900, 901)
    store.drain(tx)
    cleaned(store)
    assert log_of(store).cut_off()
    store.forget(shop.CUSTOMER, [1])
    assert (log_of(store).cut_off(), len(log_of(store).segments())) == ([], 1)


def test_a_drain_whose_log_another_drained_and_cut_off_starts_over(
    store: Store, tx: nt.Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    pushed(store, tx, 900, 901, 902)
    done: list[Any] = []

    def late(*given: Any) -> Any:
        if not done:
            done.append(given)
            other: Store = nt.connect(store.root)
            other.here.folder.turn = lambda *_: nullcontext()  # type: ignore[method-assign]
            other.drain(tx)
            cleaned(other)
        return arrived(*given)

    monkeypatch.setattr("nowthen.store.rows.ingest.arrived", late)
    assert store.drain(tx).new == 0
    assert rows(store, tx)["sale"].to_list()[-3:] == [900, 901, 902]


def test_a_damaged_segment_is_not_cut_off(store: Store, tx: nt.Source) -> None:
    pushed(store, tx, 900, 901)
    store.drain(tx)
    segment = log_of(store).segments()[0]
    data = bytearray(segment.read_bytes())
    data[50] ^= 1
    segment.write_bytes(data)
    with pytest.raises(Corrupt, match=segment.name):
        cleaned(nt.connect(store.root))
    assert segment.exists()


def test_damaged_keys_are_named(store: Store, tx: nt.Source) -> None:
    pushed(store, tx, 900, 901)
    store.drain(tx)
    cleaned(store)
    (keys,) = log_of(store).cut_off()
    keys.write_bytes(keys.read_bytes()[:-1] + b"x")
    assert [damage.path for damage in store.scrub().damaged] == [f"log/sales/{keys.name}"]


# -- the log alone --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("step", ["publish", "unlink"])
def test_whoever_dies_while_cutting_leaves_a_log_that_is_whole(
    tmp_path: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "log").mkdir()
    log = Log(tmp_path / "log" / "sales")
    frame = pl.DataFrame({"n": [1]})
    with log.writer() as writer:
        ends = [writer.append(frame, key=str(n)).last for n in range(4)]

    def dies(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        if step == "publish":
            patch.setattr("nowthen.store.rows.log_cut.publish", dies)
        else:
            patch.setattr(Path, "unlink", dies)
        with pytest.raises(KeyboardInterrupt):
            cut(needless(log, ends[1])[0])
    assert len(log.read()[0]) == 4
    for segment in needless(log, ends[1]):
        cut(segment)
    assert (len(log.read(ends[1])[0]), log.read(ends[3])) == (2, ([], ends[3]))
    with pytest.raises(NotFound, match="begins after position 0"):
        log.read()
    with log.writer() as writer:
        assert [writer.append(frame, key=str(n)).last for n in range(4)] == ends
        assert writer.append(frame, key="4").last > ends[-1]


def test_a_segment_is_needless_up_to_its_last_row(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    log = Log(tmp_path / "log" / "sales")
    with log.writer() as writer:
        ends = [writer.append(pl.DataFrame({"n": [1]})).last for _ in range(3)]
    assert [len(needless(log, position)) for position in (0, ends[0] - 1, ends[0], ends[1], ends[2])] == [0, 0, 1, 2, 2]
