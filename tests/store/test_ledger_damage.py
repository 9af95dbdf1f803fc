"""Bit rot in the ledger, its hint, notes and the store's own file: told with the file's name, never another answer."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nowthen.engine.errors import Corrupt
from nowthen.store.folders.local_folder import LocalFolder
from nowthen.store.ledger.entries import Entries
from nowthen.store.ledger.entry import begun, path_of
from nowthen.store.ledger.founding import founded, identity
from nowthen.store.ledger.notes import NoteFiles, note_path
from nowthen.store.ports import Moved

ENTRIES = 4


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store whose second entry removes the name of the first, so that every kind of field is there."""
    folder = LocalFolder(tmp_path_factory.mktemp("damage") / "store")
    ledger = Entries(folder)
    for one in range(ENTRIES):
        work = begun("tag", f"tag {one} ä", read=["piece:a.parquet#1"], wrote=[f"tag/{one}"])
        note = NoteFiles(folder, ledger).put(work.token, {"kind": "tag", "entry": one + 1, "about": [1.5, None, "ö"]})
        gone = {f"tag/{one - 1}": None} if one == 1 else {}
        ledger.commit(ledger.head(), work, lambda head, moved={**gone, f"tag/{one}": note}: Moved(moved))  # type: ignore[misc]
    return folder.root


def everything(root: Path) -> Any:
    """All that a process finds which looks at the store for the first time."""
    folder = LocalFolder(root)
    said, ledger = identity(folder), Entries(folder)
    entries = [*ledger.since(0)]
    return said, entries, [NoteFiles(folder, ledger).get(name) for name in entries[-1].names.values()]


def of_all(root: Path) -> list[Path]:
    """The files that `everything` reads."""
    notes = [root / "notes" / f"{name}.json" for name in Entries(LocalFolder(root)).head().names.values()]
    return [root / "store.json", root / "ledger" / "head", *(root / path_of(one + 1) for one in range(ENTRIES)), *notes]


def kept(root: Path, path: Path, damaged: bytes, before: Any) -> list[str]:
    """What went wrong with one damage: nothing, if it is told with the file's name."""
    whole = path.read_bytes()
    path.write_bytes(damaged)
    try:
        found = everything(root)
        return [f"{path.name}: not told, and {'the same' if found == before else 'ANOTHER ANSWER'}"]
    except Corrupt as error:
        return [] if path.name in str(error) else [f"{path.name}: told as {error}"]
    except Exception as error:
        return [f"{path.name}: {type(error).__name__} {error}"]
    finally:
        path.write_bytes(whole)


@pytest.mark.fault
def test_each_flipped_byte_of_each_file_is_told_with_the_files_name(root: Path) -> None:
    before, chance, wrong = everything(root), random.Random(4), []
    for path in of_all(root):
        whole = path.read_bytes()
        for place in range(len(whole)):
            flipped = bytes([whole[place] ^ (1 << chance.randrange(8))])
            wrong += kept(root, path, whole[:place] + flipped + whole[place + 1 :], before)
    assert wrong == []
    assert everything(root) == before


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: b"",
        lambda whole: whole[:-1],
        lambda whole: whole[: len(whole) // 2],
        lambda whole: bytes(len(whole)),
        lambda whole: whole + b"\n",
        lambda whole: whole.replace(b":", b": ", 1),
        lambda whole: b"[" * 100_000,
        lambda whole: b"\xff" + whole[1:],
    ],
    ids=["empty", "one byte short", "half", "zeros", "one byte more", "a blank more", "nested", "no text"],
)
def test_files_that_were_cut_or_filled_are_told_with_their_names(root: Path, damage: Callable[[bytes], bytes]) -> None:
    before = everything(root)
    assert [one for path in of_all(root) for one in kept(root, path, damage(path.read_bytes()), before)] == []


def test_a_file_in_the_place_of_another_is_told(root: Path) -> None:
    before, paths = everything(root), of_all(root)
    swapped = [(one, other) for one in paths for other in paths if one != other]
    assert [told for one, other in swapped for told in kept(root, one, other.read_bytes(), before)] == []


def test_a_file_that_is_gone_is_told(root: Path) -> None:
    for path in of_all(root):
        if path.name == "head":
            continue  # without the hint the ledger is listed: nothing is lost
        whole = path.read_bytes()
        path.unlink()
        try:
            with pytest.raises(Corrupt, match=path.name):
                everything(root)
        finally:
            path.write_bytes(whole)


def test_a_ledger_that_is_gone_is_never_an_empty_store(root: Path, tmp_path: Path) -> None:
    copy = LocalFolder(tmp_path / "store")
    shutil.copytree(root, copy.root)
    shutil.rmtree(copy.root / "ledger")
    with pytest.raises(Corrupt, match=path_of(1)):
        Entries(copy).head()


def test_no_entry_takes_the_place_of_one_that_was_lost(root: Path, tmp_path: Path) -> None:
    copy = LocalFolder(tmp_path / "store")
    ledger, work = Entries(copy), begun("tag", "tag")
    before = ledger.head()
    shutil.copytree(root, copy.root)
    shutil.rmtree(copy.root / "ledger")
    with pytest.raises(Corrupt, match="its ledger was lost"):
        ledger.commit(before, work, lambda head: Moved({"tag/a": "a-b"}))


def test_a_store_whose_first_writer_died_is_empty_and_goes_on(tmp_path: Path) -> None:
    folder = LocalFolder(tmp_path / "store")
    founded(folder)
    ledger, work = Entries(folder), begun("tag", "tag")
    note = NoteFiles(folder, ledger).put(work.token, {"kind": "tag", "entry": 1})
    assert ledger.head().number == 0
    assert ledger.commit(ledger.head(), work, lambda head: Moved({"tag/a": note})).number == 1
    assert [path for path, *_ in folder.listed("notes")] == [note_path(note)]
