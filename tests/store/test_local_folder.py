"""What only a local folder has: links, other disks, locks."""

from __future__ import annotations

import errno
import multiprocessing
import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from nowthen.engine.errors import Conflict, Corrupt, Forbidden, Invalid
from nowthen.store.folders.local_folder import LocalFolder
from nowthen.store.ledger.entries import Entries
from nowthen.store.ledger.entry import EMPTY, begun
from nowthen.store.ports import Entry, Moved

NOTE = f"{'0' * 12}-{'0' * 32}"


@pytest.fixture
def folder(tmp_path: Path) -> LocalFolder:
    return LocalFolder(tmp_path / "store")


def test_a_file_system_without_links_is_refused_when_a_store_is_made(
    folder: LocalFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: Any) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)
    with pytest.raises(Invalid, match="no hard links"):
        Entries(folder).commit(EMPTY, begun("tag", "first"), lambda head: Moved({"tag/a": NOTE}))
    assert [path for path, *_ in folder.listed("")] == []


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="needs another file system: /dev/shm")
def test_a_draft_on_another_disk_is_copied(folder: LocalFolder) -> None:
    folder.put("store.json", b"{}")
    draft = Path("/dev/shm") / f"nowthen-test-{os.getpid()}"
    draft.write_bytes(b"123")
    try:
        folder.take_in({"tables/t/x": draft})
    finally:
        draft.unlink()
    assert folder.get("tables/t/x") == b"123"
    assert list((folder.root / "draft").iterdir()) == []


def test_a_draft_does_not_take_the_place_of_other_bytes(folder: LocalFolder) -> None:
    folder.put("tables/t/x", b"others")
    with folder.draft("0123456789ab") as draft:
        (draft / "x").write_bytes(b"ours")
        with pytest.raises(Corrupt, match="tables/t/x"):
            folder.take_in({"tables/t/x": draft / "x"})
    assert folder.get("tables/t/x") == b"others"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_told_as_such(folder: LocalFolder) -> None:
    folder.put("a/x", b"1")
    (folder.root / "a/x").chmod(0)
    with pytest.raises(Forbidden, match="a/x"):
        folder.get("a/x")


def test_a_file_that_the_disk_does_not_give_back_is_damage(
    folder: LocalFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise OSError(errno.EIO, "Input/output error")

    folder.put("a/x", b"12345")
    monkeypatch.setattr(os, "pread", broken)
    with pytest.raises(Corrupt, match="a/x"):
        folder.get("a/x", [(0, 2)])


def test_writers_of_one_name_take_turns_and_of_another_do_not_wait(folder: LocalFolder) -> None:
    seen: list[str] = []

    def second() -> None:
        with LocalFolder(folder.root).turn("ingest-sales"):
            seen.append("second")

    with folder.turn("ingest-sales"):
        waiting = threading.Thread(target=second)
        waiting.start()
        with folder.turn("ingest-shops"):
            seen.append("first")
    waiting.join(30)
    assert seen == ["first", "second"]


def test_a_turn_is_not_waited_for_for_ever(folder: LocalFolder) -> None:
    begun_at = time.monotonic()
    with folder.turn("ingest-sales"), LocalFolder(folder.root).turn("ingest-sales", patience_s=0.05):
        assert time.monotonic() - begun_at < 20


def _dies_in_a_draft(root: Path) -> None:
    with LocalFolder(root).draft("0123456789ab") as draft, LocalFolder(root).turn("ingest-sales"):
        (draft / "x").write_bytes(b"1" * 777)
        os._exit(9)


def test_what_a_killed_writer_held_is_free_and_swept(folder: LocalFolder) -> None:
    process = multiprocessing.get_context("spawn").Process(target=_dies_in_a_draft, args=(folder.root,))
    process.start()
    process.join(60)
    assert process.exitcode == 9
    with folder.turn("ingest-sales", patience_s=0.0):
        assert folder.sweep() == 777
    assert [one.name for one in (folder.root / "draft").iterdir()] == ["ingest-sales.turn"]


def test_a_writer_that_always_loses_gives_up(folder: LocalFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    rounds = iter(range(1_000))

    def overtaken(head: Entry) -> Moved:
        other = Entries(folder)
        other.commit(other.head(), begun("tag", "other"), lambda _: Moved({f"tag/{next(rounds)}": NOTE}))
        return Moved({"tag/ours": NOTE})

    with pytest.raises(Conflict, match="gave up after 50 attempts: other writers kept committing first"):
        Entries(folder).commit(EMPTY, begun("tag", "ours"), overtaken)
    assert Entries(folder).head().number == 50


@pytest.mark.parametrize("place", ["/proc/no-such-store", "a-file/store"])
def test_where_no_folder_can_be_made_is_refused_by_name(place: str, tmp_path: Path) -> None:
    (tmp_path / "a-file").write_bytes(b"")
    with pytest.raises(Invalid, match="no folder can be made there"):
        LocalFolder(tmp_path / place).put_new("notes/one", b"1")


def test_a_link_to_a_folder_is_read_through_and_not_listed(folder: LocalFolder, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "a").write_bytes(b"a")
    folder.put("tables/sales/b", b"b")
    for name, to in {
        "far": str(tmp_path / "disk"),
        "round": str(folder.root),
        "twice": "sales",
        "gone": "nowhere",
    }.items():
        (folder.root / "tables" / name).symlink_to(to)
    assert folder.get("tables/far/a") == b"a"
    assert [path for path, *_ in folder.listed("tables")] == ["tables/sales/b"]
