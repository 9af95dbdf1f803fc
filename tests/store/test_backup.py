"""Backup, restore and verify, on a ledger of small notes."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from nowthen.engine.errors import Conflict, Corrupt, Invalid
from nowthen.store.care.backup import backed_up, restored
from nowthen.store.care.cleanup import cleaned
from nowthen.store.care.scrub import scrubbed
from nowthen.store.folders.local_folder import LocalFolder
from nowthen.store.here import here as store_at
from nowthen.store.ledger.entry import begun
from nowthen.store.ports import Entry, Here, Moved

_count = itertools.count()


@pytest.fixture
def here(tmp_path: Path) -> Here:
    made = store_at(tmp_path / "store")
    for name in ("a", "b", "a"):
        write(made, name)
    return made


@pytest.fixture
def copy(tmp_path: Path) -> LocalFolder:
    return LocalFolder(tmp_path / "copy")


def write(here: Here, name: str) -> Entry:
    work = begun("test", f"write {name}")
    note = here.notes.put(work.token, {"kind": "model", "name": name, "count": next(_count)})
    return here.ledger.commit(here.ledger.head(), work, lambda head: Moved({f"model/{name}": note}))


def contents(folder: LocalFolder) -> dict[str, bytes]:
    return {path: folder.get(path) for path, _, _ in folder.listed("")}


def file_of(here: Here, path: str) -> Path:
    return Path(here.folder.url) / path


def flip(place: Path) -> None:
    content = bytearray(place.read_bytes())
    content[len(content) // 2] ^= 4
    place.write_bytes(content)


def newest_note(here: Here) -> str:
    return f"notes/{here.ledger.head().names['model/a']}.json"


def test_a_backup_holds_the_same_bytes_and_restores_to_the_same_store(
    here: Here, copy: LocalFolder, tmp_path: Path
) -> None:
    backed_up(here, copy)
    again = store_at(tmp_path / "again")
    restored(copy, again)
    assert contents(LocalFolder(tmp_path / "again")) == contents(LocalFolder(tmp_path / "store"))
    assert scrubbed(again).whole
    assert again.ledger.head() == here.ledger.head()


def test_a_second_backup_copies_only_what_is_new(here: Here, copy: LocalFolder) -> None:
    backed_up(here, copy)
    write(here, "c")
    done = backed_up(here, copy)
    assert (done.files, done.version) == (3, 4)  # a note, an entry, the hint


def test_a_backup_drops_what_the_store_has_cleaned_up(here: Here, copy: LocalFolder) -> None:
    backed_up(here, copy)
    cleaned(here, 0, 1)
    assert backed_up(here, copy).removed == 1
    assert contents(copy).keys() == contents(LocalFolder(Path(here.folder.url))).keys() - {"ballast"}


def test_a_backup_beside_a_writer_is_a_store_of_one_version(
    here: Here, copy: LocalFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = copy.put

    def put(path: str, content: bytes) -> None:
        plain(path, content)
        if path.startswith("ledger/"):
            write(here, "late")

    monkeypatch.setattr(copy, "put", put)
    version = backed_up(here, copy).version
    again = store_at(tmp_path / "again")
    restored(LocalFolder(tmp_path / "copy"), again)
    assert (again.ledger.head().number, scrubbed(again).whole) == (version, True)


def test_a_backup_beside_a_cleanup_starts_over(
    here: Here, copy: LocalFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = here.folder.get

    def get(path: str) -> bytes:
        if path.startswith("notes/"):
            monkeypatch.setattr(here.folder, "get", plain)
            cleaned(store_at(tmp_path / "store"), 0, 1)
        return plain(path)

    monkeypatch.setattr(here.folder, "get", get)
    assert backed_up(here, copy).version == 4
    again = store_at(tmp_path / "again")
    restored(copy, again)
    assert scrubbed(again).whole


def test_a_backup_is_of_one_store(here: Here, copy: LocalFolder, tmp_path: Path) -> None:
    other = store_at(tmp_path / "other")
    write(other, "a")
    backed_up(other, copy)
    with pytest.raises(Invalid, match="another store"):
        backed_up(here, copy)


@pytest.mark.parametrize("went_on", [False, True])
def test_a_store_that_was_restored_does_not_write_over_a_newer_backup(
    here: Here, copy: LocalFolder, tmp_path: Path, went_on: bool
) -> None:
    monday, again = LocalFolder(tmp_path / "monday"), store_at(tmp_path / "again")
    backed_up(here, monday)
    restored(monday, again)
    write(here, "c")
    backed_up(here, copy)
    if went_on:
        write(again, "d")
    before = contents(copy)
    with pytest.raises(Conflict, match="version 4 that is not one of the store"):
        backed_up(again, copy)
    assert contents(copy) == before


def test_a_store_that_was_restored_goes_on_with_the_backup_it_came_from(
    here: Here, copy: LocalFolder, tmp_path: Path
) -> None:
    again = store_at(tmp_path / "again")
    backed_up(here, copy)
    restored(copy, again)
    write(again, "d")
    assert backed_up(again, copy).version == 4


def test_a_backup_whose_newest_entry_is_damaged_is_named(here: Here, copy: LocalFolder) -> None:
    backed_up(here, copy)
    flip(Path(copy.url) / f"ledger/{3:020d}.json")
    with pytest.raises(Corrupt, match="the backup"):
        backed_up(here, copy)


def test_a_folder_with_other_files_takes_no_backup(here: Here, copy: LocalFolder) -> None:
    copy.put("diary", b"dear")
    with pytest.raises(Invalid, match="other files"):
        backed_up(here, copy)


def test_damaged_bytes_are_never_copied(here: Here, copy: LocalFolder) -> None:
    flip(file_of(here, newest_note(here)))
    with pytest.raises(Corrupt):
        backed_up(here, copy)


def test_half_a_backup_is_not_restored(here: Here, copy: LocalFolder, tmp_path: Path) -> None:
    backed_up(here, copy)
    copy.delete(["ledger/head"])
    with pytest.raises(Invalid, match="finished"):
        restored(copy, store_at(tmp_path / "again"))


def test_a_store_is_not_restored_over_another(here: Here, copy: LocalFolder) -> None:
    backed_up(here, copy)
    with pytest.raises(Invalid, match="not empty"):
        restored(copy, here)


@pytest.mark.parametrize("what", ["note", "entry 2", "hint", "store.json"])
def test_verify_names_the_damaged_file_and_a_backup_mends_it(here: Here, copy: LocalFolder, what: str) -> None:
    backed_up(here, copy)
    path = {"note": newest_note(here), "entry 2": f"ledger/{2:020d}.json", "hint": "ledger/head"}.get(what, what)
    before = file_of(here, path).read_bytes()
    flip(file_of(here, path))
    assert [damage.path for damage in scrubbed(here).damaged] == [path]
    done = scrubbed(here, repair=True, backup=copy)
    assert (done.whole, [damage.path for damage in done.mended]) == (True, [path])
    assert file_of(here, path).read_bytes() == before


@pytest.mark.parametrize("number", [2, 3])
def test_a_missing_entry_is_named(here: Here, number: int) -> None:
    path = f"ledger/{number:020d}.json"
    file_of(here, path).unlink()
    assert [damage.path for damage in scrubbed(here).damaged] == [path]


def test_entries_that_do_not_follow_each_other_are_named(here: Here, tmp_path: Path) -> None:
    other = store_at(tmp_path / "other")
    for name in "xyz":
        write(other, name)
    path = f"ledger/{2:020d}.json"
    file_of(here, path).write_bytes(file_of(other, path).read_bytes())
    assert path in [damage.path for damage in scrubbed(here).damaged]


def test_a_damaged_hint_is_mended_without_a_backup(here: Here) -> None:
    flip(file_of(here, "ledger/head"))
    assert scrubbed(here, repair=True).whole


def test_what_cannot_be_mended_stays_named(here: Here) -> None:
    path = newest_note(here)
    flip(file_of(here, path))
    found = scrubbed(here, repair=True)
    assert ([damage.path for damage in found.damaged], found.mended) == ([path], ())
    assert "model/a" in str(found)


def test_a_damaged_backup_mends_nothing(here: Here, copy: LocalFolder) -> None:
    backed_up(here, copy)
    path = newest_note(here)
    flip(file_of(here, path))
    flip(Path(copy.url) / path)
    before = file_of(here, path).read_bytes()
    assert not scrubbed(here, repair=True, backup=copy).whole
    assert file_of(here, path).read_bytes() == before


@pytest.mark.parametrize("place", [".", "copy", ".."])
def test_a_store_takes_no_backup_of_itself(here: Here, place: str) -> None:
    with pytest.raises(Invalid, match="one of them is inside the other"):
        backed_up(here, LocalFolder(file_of(here, place)))
