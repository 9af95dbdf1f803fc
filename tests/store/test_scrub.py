"""Verify on a store with something of everything: it names what is damaged, and mends what it can."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import nowthen as nt
from nowthen.engine.errors import Conflict, Corrupt, NotFound
from nowthen.store.care.backup import backed_up
from nowthen.store.folders.local_folder import LocalFolder
from nowthen.store.rows import log
from nowthen.store.rows.records import scan
from nowthen.store.store import Store
from nowthen.store.store_care import restore
from nowthen.store.tables import data_file
from nowthen.store.tables.sums import Sums

from .storm import orders
from .storm.asked import SPAN, furnished, questions

KINDS = {
    "a file of a table": "tables/**/*.lance",
    "the sums of a file": "tables/**/*.sums",
    "a manifest": "tables/**/*.manifest",
    "keys of a chunk": "features/**/k*.lance",
    "a column of a chunk": "features/**/c*.lance",
    "the sums of a chunk": "features/**/*.sums",
    "a manifest of a view": "features/**/*.manifest",
    "a training set": "training/*",
    "a shard": "snapshots/**/*.arrow",
    "the copy for servers": "snapshots/*.json",
    "a note": "notes/*",
    "an entry": "ledger/*2.json",
    "the hint": "ledger/head",
    "the mark": "store.json",
    "the log": "log/**/*.log",
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scrub")
    store = furnished(folder / "store")
    store.push(orders.source(), orders.fresh(1, 5, orders.PUSHED), key="more")
    store.push(orders.source(), orders.fresh(2, 5, orders.PUSHED), key="yet more")
    store.backup(folder / "backup")
    return folder


@pytest.fixture
def store(made: Path, tmp_path: Path) -> Store:
    opened: Store = nt.connect(shutil.copytree(made / "store", tmp_path / "store"))
    return opened


def answers(store: Store) -> dict[str, Any]:
    return {name: ask(store) for name, ask in questions(orders.source(orders.upto(1))).items()}


def newest(root: Path, kind: str) -> Path:
    """The file of that kind that the newest version needs."""
    found = [path for path in root.glob(KINDS[kind]) if path.is_file() and path.stat().st_size]
    return max(found, key=lambda path: (path.stat().st_mtime_ns, path))


def harmed(store: Store, kind: str) -> str:
    """The path of a file of that kind, of which a bit near its beginning is another now."""
    place = newest(store.root, kind)
    content = bytearray(place.read_bytes())
    content[min(len(content) // 2, 80)] ^= 16
    place.write_bytes(content)
    return place.relative_to(store.root).as_posix()


def test_there_is_a_file_of_every_kind(store: Store) -> None:
    assert [kind for kind, pattern in KINDS.items() if not list(store.root.glob(pattern))] == []


def test_a_store_as_it_was_written_is_whole(store: Store) -> None:
    report = store.scrub()
    assert (report.whole, report.damaged) == (True, ())
    assert report.bytes > 10_000


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_damaged_is_named_and_mended_from_a_backup(store: Store, made: Path, kind: str) -> None:
    here = store.here
    path = harmed(store, kind)
    assert path in [damage.path for damage in store.scrub().damaged]
    report = store.scrub(repair=True, backup=made / "backup")
    assert (report.whole, path in [damage.path for damage in report.mended]) == (True, True)
    assert here.folder.get(path) == LocalFolder(made / "store").get(path)


@pytest.mark.parametrize("kind", ["the sums of a file", "the sums of a chunk", "the copy for servers", "the hint"])
def test_what_can_be_made_anew_is_mended_without_a_backup(store: Store, kind: str) -> None:
    before = answers(store)
    harmed(store, kind)
    assert nt.connect(store.root).scrub(repair=True).whole
    assert answers(nt.connect(store.root)) == before


@pytest.mark.parametrize("kind", ["keys of a chunk", "a column of a chunk"])
def test_a_damaged_chunk_becomes_a_hole_that_backfill_fills(store: Store, kind: str) -> None:
    store.backfill("spend", *SPAN, every="1d", engine="local")
    store.cleanup(keep="0s", versions=1)
    before = answers(store)["backfilled"]
    path = harmed(store, kind)
    fresh = nt.connect(store.root)
    assert path in [damage.path for damage in fresh.scrub(repair=True).mended]
    with pytest.raises((Conflict, NotFound), match=r"missing|nothing of view"):
        fresh.scan("spend", *SPAN).collect()
    fresh.backfill("spend", *SPAN, every="1d", engine="local")
    assert answers(nt.connect(store.root))["backfilled"] == before


@pytest.mark.parametrize("column", ["amount", "buyer", "when", "order", "__content"])
def test_rows_come_back_from_the_source_where_it_has_them_still(tmp_path: Path, column: str) -> None:
    rows = orders.upto(20)
    rows.write_parquet(tmp_path / "orders.parquet")
    tx = nt.Source(
        "orders", nt.Parquet(tmp_path / "orders.parquet"), event_time="when", known_time="known", row_id="order", entities=[orders.BUYER]
    )  # fmt: skip
    store = nt.connect(tmp_path / "store")
    store.apply(orders.service(tx))
    store.ingest(tx)
    path = spoiled(store.root, column)
    before = orders.ordered(rows)
    report = nt.connect(store.root).scrub(repair=True, sources=[tx])
    assert (report.whole, [damage.path for damage in report.mended]) == (True, [path])
    assert orders.ordered(nt.connect(store.root).events(tx).read(list(orders.SCHEMA))) == before


def test_rows_come_back_into_files_that_were_encoded_in_another_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders.upto(20).write_parquet(tmp_path / "orders.parquet")
    tx = nt.Source(
        "orders", nt.Parquet(tmp_path / "orders.parquet"), event_time="when", known_time="known", row_id="order", entities=[orders.BUYER]
    )  # fmt: skip
    store = nt.connect(tmp_path / "store")
    with monkeypatch.context() as patched:
        patched.setattr(data_file, "told", lambda rows, schema: (rows, schema))
        store.ingest(tx)
    path = spoiled(store.root, "amount")
    report = nt.connect(store.root).scrub(repair=True, sources=[tx])
    assert (report.whole, [damage.path for damage in report.mended]) == (True, [path])


def test_rows_that_the_source_has_no_more_do_not_come_back_from_it(tmp_path: Path) -> None:
    orders.upto(20).write_parquet(tmp_path / "orders.parquet")
    tx = nt.Source(
        "orders", nt.Parquet(tmp_path / "orders.parquet"), event_time="when", known_time="known", row_id="order", entities=[orders.BUYER]
    )  # fmt: skip
    store = nt.connect(tmp_path / "store")
    store.apply(orders.service(tx))
    store.ingest(tx)
    path = spoiled(store.root, "amount")
    orders.upto(1).write_parquet(tmp_path / "orders.parquet")
    report = nt.connect(store.root).scrub(repair=True, sources=[tx])
    assert [damage.path for damage in report.damaged] == [path]


def spoiled(root: Path, column: str) -> str:
    """The path of a file of a table of which a byte of one column is another."""
    place = sorted(root.glob("tables/**/*.lance"))[0]
    sums = Sums.read(Path(f"{place}.sums").read_bytes())
    content = bytearray(place.read_bytes())
    content[sums.columns[column][0][0][0] + 1] ^= 255
    place.write_bytes(content)
    return place.relative_to(root).as_posix()


@pytest.mark.parametrize("again", [False, True], ids=["who knew it", "who opens it"])
def test_a_ledger_that_is_gone_is_told_and_comes_back_from_a_backup(store: Store, made: Path, again: bool) -> None:
    before = store.here.ledger.head().number
    shutil.rmtree(store.root / "ledger")
    looked = nt.connect(store.root) if again else store
    assert all(one.path.startswith("ledger/") for one in looked.scrub().damaged)
    assert not looked.scrub(repair=True).mended
    assert looked.scrub(repair=True, backup=made / "backup").whole
    assert nt.connect(store.root).here.ledger.head().number == before


def test_what_cannot_be_mended_is_told_with_who_needs_it(store: Store) -> None:
    path = harmed(store, "a file of a table")
    report = nt.connect(store.root).scrub(repair=True)
    assert [(damage.path, "source/orders" in damage.names) for damage in report.damaged] == [(path, True)]
    assert path in str(report)


@pytest.fixture
def pushed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A store with a backup, whose log has a segment for every few pushes."""
    monkeypatch.setattr(log, "SEGMENT_BYTES", 4_000)
    store = furnished(tmp_path / "store")
    for number in range(1, 14):
        store.push(orders.source(), orders.fresh(number, 5, orders.PUSHED), key=f"more {number}")
    store.backup(tmp_path / "backup")
    assert len(store.log("orders").segments()) > 3
    return store


def lose(segment: Path) -> None:
    segment.unlink()


def cut_short(segment: Path) -> None:
    records, _ = scan(segment.read_bytes(), segment.name, sealed=False)
    segment.write_bytes(segment.read_bytes()[: records[-1].start])


def empty(segment: Path) -> None:
    segment.write_bytes(b"")


@pytest.mark.parametrize("harm", [lose, cut_short, empty])
@pytest.mark.parametrize("which", [slice(1, 2), slice(1, 3), slice(0, 1)])
def test_segments_of_a_log_that_were_lost_are_told_and_come_from_a_backup(
    pushed: Store, tmp_path: Path, harm: Callable[[Path], None], which: slice
) -> None:
    before, files = answers(pushed), {one: one.read_bytes() for one in pushed.log("orders").segments()}
    for segment in pushed.log("orders").segments()[which]:
        harm(segment)
    again = nt.connect(pushed.root)
    (damage, *_) = again.scrub().damaged
    assert damage.path.startswith("log/orders/")
    assert damage.names == ("source/orders",)
    with pytest.raises((Corrupt, NotFound)):
        again.drain(orders.source())
    assert again.scrub(repair=True, backup=str(tmp_path / "backup")).whole
    assert {one: one.read_bytes() for one in again.log("orders").segments()} == files
    assert answers(nt.connect(pushed.root)) == before


def test_a_backup_that_is_too_old_for_a_lost_segment_does_not_hide_that_rows_are_missing(
    pushed: Store, tmp_path: Path
) -> None:
    for number in range(14, 24):
        pushed.push(orders.source(), orders.fresh(number, 5, orders.PUSHED), key=f"more {number}")
    older = {path.name: path.stat().st_size for path in (tmp_path / "backup" / "log" / "orders").glob("*.log")}
    grown = next(one for one in pushed.log("orders").segments() if older.get(one.name, 1 << 40) < one.stat().st_size)
    grown.unlink()
    report = nt.connect(pushed.root).scrub(repair=True, backup=str(tmp_path / "backup"))
    assert [damage.path for damage in report.damaged] == [f"log/orders/{grown.name}"]
    assert not grown.exists()


@pytest.mark.parametrize("files", range(0, 60, 3))
def test_a_backup_that_is_broken_off_after_logs_were_cut_off_is_a_store(
    pushed: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: int
) -> None:
    backup = tmp_path / "backup"
    for number in range(14, 24):
        pushed.push(orders.source(), orders.fresh(number, 5, orders.PUSHED), key=f"more {number}")
    pushed.drain(orders.source())
    pushed.push(orders.source(), orders.fresh(30, 5, orders.PUSHED), key="last")
    first = pushed.log("orders").segments()[0]
    pushed.snapshot("orders_model", shards=2)  # the one before goes on from where the log was then
    pushed.cleanup(keep="0s", versions=1)
    assert first not in pushed.log("orders").segments()
    written: list[str] = []
    put = LocalFolder.put

    def breaks_off(self: LocalFolder, path: str, content: bytes) -> None:
        if self.root == backup and len(written) == files:
            raise KeyboardInterrupt
        put(self, path, content)
        written.append(path)

    with monkeypatch.context() as patch:
        patch.setattr(LocalFolder, "put", breaks_off)
        with suppress(KeyboardInterrupt):
            pushed.backup(backup)
    if "ledger/head" in written or not any(path.startswith("ledger/") for path in written):
        restore(backup, tmp_path / "again")
        assert nt.connect(tmp_path / "again").scrub().whole
    pushed.backup(backup)
    restore(backup, tmp_path / "whole")
    whole: Store = nt.connect(tmp_path / "whole")
    assert whole.scan("orders").collect().equals(pushed.scan("orders").collect())
    assert whole.log("orders").read(whole.log("orders").end() - 1)[1] == pushed.log("orders").end()


def test_a_restored_store_answers_alike(store: Store, made: Path, tmp_path: Path) -> None:
    restore(made / "backup", tmp_path / "again")
    again = nt.connect(tmp_path / "again")
    assert answers(again) == answers(store)
    assert again.scrub().whole


def test_a_restored_store_goes_on(made: Path, tmp_path: Path) -> None:
    restore(made / "backup", tmp_path / "again")
    again = nt.connect(tmp_path / "again")
    before = again.log("orders").end()
    again.push(orders.source(), orders.fresh(2, 5, orders.PUSHED), key="yet more")  # was acknowledged before the backup
    assert again.log("orders").end() == before
    assert again.ingest(orders.source(orders.upto(7))).new > 0
    assert again.scrub().whole


@pytest.mark.parametrize(
    "kind", ["a file of a table", "the sums of a chunk", "a training set", "a shard", "a note", "an entry"]
)
def test_a_backup_that_lacks_a_file_is_not_restored(made: Path, tmp_path: Path, kind: str) -> None:
    copy = shutil.copytree(made / "backup", tmp_path / "backup")
    lost = newest(copy, kind)
    lost.unlink()
    with pytest.raises(Corrupt, match=re.escape(lost.relative_to(copy).as_posix())):
        nt.restore(copy, tmp_path / "again")
    with pytest.raises(Corrupt, match="missing"):
        nt.connect(tmp_path / "again")


@pytest.mark.parametrize(
    "kind", ["a column of a chunk", "a training set", "a shard", "an entry", "the log", "the mark"]
)
def test_a_damaged_backup_is_not_restored(made: Path, tmp_path: Path, kind: str) -> None:
    copy = nt.connect(shutil.copytree(made / "backup", tmp_path / "backup"))
    path = harmed(copy, kind)
    with pytest.raises(Corrupt, match=re.escape(path)):
        nt.restore(copy.root, tmp_path / "again")
    assert not (tmp_path / "again" / "store.json").exists()


def test_a_damaged_store_is_not_backed_up_over_a_good_backup(store: Store, tmp_path: Path) -> None:
    harmed(store, "a file of a table")
    with pytest.raises(Corrupt):
        backed_up(nt.connect(store.root).here, LocalFolder(tmp_path / "other"))
