"""A disk that fills up: it is told as such, what was acknowledged is there, and with some room again the work goes on."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from nowthen.engine.errors import NotFound, StorageFull
from nowthen.store.folders.durable import storing
from nowthen.store.folders.local_folder import LocalFolder
from nowthen.store.ledger.entries import Entries
from nowthen.store.ledger.entry import begun
from nowthen.store.ledger.notes import NoteFiles
from nowthen.store.ports import Entry, Moved

from .mounts import needs_root, tmpfs

FILLER = "tables/filler/data/x"


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        OSError("LanceError(IO): Generic LocalFileSystem error: No space left on device (os error 28)"),
        RuntimeError("Unable to copy data: Disk quota exceeded (os error 122), src/local.rs:12"),
        ValueError("LanceError(IO): failed to write: os error 28"),
    ],
)
def test_every_way_to_say_that_the_disk_is_full_is_told_as_such(error: Exception) -> None:
    with pytest.raises(StorageFull, match="no room left to write 'x'"), storing("x"):
        raise error


@pytest.mark.parametrize(
    "error", [OSError(errno.EIO, "Input/output error"), RuntimeError("os error 2"), NotFound("28")]
)
def test_other_errors_stay_what_they_are(error: Exception) -> None:
    with pytest.raises(type(error)) as raised, storing("x"):
        raise error
    assert raised.value is error


def stored(root: Path, one: int) -> Entry:
    folder = LocalFolder(root)
    ledger, work = Entries(folder), begun("ingest", f"ingest {one}")
    path = f"tables/t/data/{one}.{work.token}.lance"
    with storing(root), folder.draft(work.token) as draft:
        (draft / "part").write_bytes(bytes([one % 256]) * 9_000)
        folder.take_in({path: draft / "part"})
    note = NoteFiles(folder, ledger).put(work.token, {"kind": "tag", "entry": 1, "path": path, "one": one})
    return ledger.commit(ledger.head(), work, lambda head: Moved({f"tag/{one}": note}))


def stored_until_full(root: Path, first: int) -> list[Entry]:
    """What was acknowledged before the disk was full."""
    told: list[Entry] = []
    try:
        for one in range(first, first + 10_000):
            told.append(stored(root, one))
    except StorageFull:
        return told
    raise AssertionError("the disk has more room than was thought")


def check_whole(root: Path, told: list[Entry]) -> None:
    """Everything that was acknowledged is there, as it was, and nothing is half there."""
    folder = LocalFolder(root)
    ledger = Entries(folder)
    assert [ledger.entry(entry.number) for entry in told] == told
    assert ledger.head() == told[-1]
    for name in ledger.head().names.values():
        note = NoteFiles(folder, ledger).get(name)
        assert folder.get(note["path"]) == bytes([note["one"] % 256]) * 9_000


@pytest.mark.fault
@needs_root
@pytest.mark.parametrize("size", ["200k", "256k", "300k", "512k", "777k", "1m", "2m"])
def test_a_full_disk_keeps_what_was_acknowledged_and_work_goes_on_with_room_again(tmp_path: Path, size: str) -> None:
    with tmpfs(tmp_path / "small", size) as at:
        root = at / "store"
        LocalFolder(root).put(FILLER, b"x" * 64_000)
        told = stored_until_full(root, 0)
        assert told
        check_whole(root, told)
        with pytest.raises(StorageFull):
            stored(root, 9_999)
        check_whole(root, told)
        assert [one.name for one in (root / "draft").iterdir() if not one.name.endswith(".turn")] == []
        LocalFolder(root).delete([FILLER])  # freeing needs no room
        more = stored_until_full(root, len(told))
        assert more
        check_whole(root, [*told, *more])


@pytest.mark.fault
@needs_root
def test_a_disk_without_room_for_one_more_file_is_full_too(tmp_path: Path) -> None:
    with tmpfs(tmp_path / "small", "4m,nr_inodes=40") as at:
        told = stored_until_full(at / "store", 0)
        check_whole(at / "store", told)


def test_a_disk_that_fills_up_while_a_draft_is_written_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(StorageFull), LocalFolder(tmp_path / "store").draft("0123456789ab") as draft:
        raise OSError(errno.ENOSPC, "No space left on device")
    assert not draft.exists()
