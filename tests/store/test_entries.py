"""The ledger and its notes: what a commit promises, and who loses."""

from __future__ import annotations

import json
import os
import pickle
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from nowthen.engine.errors import CommitUnknown, Conflict, Corrupt, Invalid, NotFound, StorageFull
from nowthen.store.folders import durable, local_folder
from nowthen.store.folders.folder import open_folder
from nowthen.store.folders.local_folder import LocalFolder
from nowthen.store.folders.names import new_token
from nowthen.store.here import here
from nowthen.store.ledger.entries import Entries
from nowthen.store.ledger.entry import EMPTY, begun, path_of
from nowthen.store.ledger.founding import identity
from nowthen.store.ledger.notes import NoteFiles, note_path
from nowthen.store.ports import Entry, Folder, Moved, Work

from .s3_server import BUCKET, options


@pytest.fixture(params=["local", "s3"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Folder:
    if request.param == "local":
        return open_folder(tmp_path / "store")
    address = request.getfixturevalue("server")
    return open_folder(f"s3://{BUCKET}/{new_token()}/store", options(address, patience_s="5"))


@pytest.fixture
def local(tmp_path: Path) -> LocalFolder:
    return LocalFolder(tmp_path / "store")


def noted(folder: Folder, work: Work, **note: Any) -> str:
    return NoteFiles(folder, Entries(folder)).put(work.token, {"kind": "tag", **note})


def added(folder: Folder, name: str = "tag/x", kind: str = "tag", **note: Any) -> Entry:
    """One more entry, by a process that looks at the folder for the first time."""
    ledger, work = Entries(folder), begun(kind, f"test {name}")
    note_name = noted(folder, work, **note)
    return ledger.commit(ledger.head(), work, lambda head: Moved({name: note_name}))


def test_an_empty_folder_has_no_entry(folder: Folder) -> None:
    assert Entries(folder).head() == EMPTY


def test_an_entry_says_what_there_is_and_what_it_moved(folder: Folder) -> None:
    first = added(folder, "tag/a", entry=1)
    second = added(folder, "tag/b", entry=2)
    assert Entries(folder).head() == second
    assert dict(second.names) == {"tag/a": first.names["tag/a"], "tag/b": second.names["tag/b"]}
    assert dict(second.moved) == {"tag/b": (None, second.names["tag/b"])}
    assert (second.before, second.number) == (first.sha256, 2)


def test_a_name_can_be_taken_away(folder: Folder) -> None:
    added(folder, "tag/a")
    ledger = Entries(folder)
    entry = ledger.commit(ledger.head(), begun("tag", "remove"), lambda head: Moved({"tag/a": None}))
    assert dict(entry.names) == {}
    assert ledger.entry(1).names != {}


def test_times_rise_whatever_the_clock_says(local: LocalFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    first = added(local)
    monkeypatch.setattr("nowthen.store.rows.sequence.now_us", lambda: 5)
    assert added(local, "tag/b").at == first.at + 1


def test_a_commit_that_moves_nothing_adds_no_entry_and_vouches_for_the_head(folder: Folder) -> None:
    entry = added(folder)
    folder.delete(["ledger/head"])
    ledger = Entries(folder)
    assert ledger.commit(ledger.head(), begun("ingest", "again"), lambda head: Moved(head.names)) == entry
    assert folder.get("ledger/head")


def test_a_loser_makes_its_change_again_on_the_new_head(folder: Folder) -> None:
    ledger, work = Entries(folder), begun("tag", "slow")
    base, note = ledger.head(), noted(folder, work)
    seen = []

    def change(head: Entry) -> Moved:
        seen.append(head.number)
        if len(seen) == 1:
            added(folder, "tag/fast")
        return Moved({"tag/slow": note})

    assert set(ledger.commit(base, work, change).names) == {"tag/slow", "tag/fast"}
    assert seen == [0, 1]


def test_a_change_that_does_not_hold_any_more_is_a_conflict_and_leaves_nothing(folder: Folder) -> None:
    def change(head: Entry) -> Moved:
        raise Conflict("the definitions have moved on.")

    added(folder)
    ledger = Entries(folder)
    with pytest.raises(Conflict, match="moved on"):
        ledger.commit(ledger.head(), begun("apply", "x"), change)
    assert Entries(folder).head().number == 1


def test_work_that_was_begun_before_rows_were_forgotten_starts_over(folder: Folder) -> None:
    added(folder)
    ledger, work = Entries(folder), begun("ingest", "ingest")
    base, note = ledger.head(), noted(folder, work)
    added(folder, "tag/b", kind="forget")
    with pytest.raises(Conflict, match="forgotten"):
        ledger.commit(base, work, lambda head: Moved({"tag/c": note}))


def removal(folder: Folder, paths: list[str]) -> Entry:
    """A cleanup that removes some paths."""
    ledger, work = Entries(folder), begun("cleanup", "cleanup")
    note = noted(folder, work, kind="removed", paths=paths)
    entry = ledger.commit(ledger.head(), work, lambda head: Moved({}, removed=note, oldest=head.number))
    folder.delete(paths)
    return entry


def test_work_whose_files_a_cleanup_removed_starts_over(folder: Folder) -> None:
    added(folder)
    ledger, work = Entries(folder), begun("ingest", "ingest")
    base, note = ledger.head(), noted(folder, work)
    removal(folder, [f"tables/tx/_all/data/b1.s1.{work.token}.00.lance"])
    with pytest.raises(Conflict, match="Start over"):
        ledger.commit(base, work, lambda head: Moved({"tag/c": note}))


def test_a_note_that_a_cleanup_removed_cannot_be_named_any_more(folder: Folder) -> None:
    old = added(folder, "tag/a", entry=1).names["tag/a"]
    added(folder, "tag/a", entry=2)
    ledger = Entries(folder)
    base = ledger.head()
    removal(folder, [note_path(old)])
    with pytest.raises(Conflict, match="tag/a"):
        ledger.commit(base, begun("rollback", "back"), lambda head: Moved({"tag/a": old}))


def test_a_note_that_was_removed_says_by_whom_and_one_that_is_lost_is_damage(folder: Folder) -> None:
    old = added(folder, "tag/a", entry=1).names["tag/a"]
    new = added(folder, "tag/a", entry=2).names["tag/a"]
    removal(folder, [note_path(old)])
    folder.delete([note_path(new)])
    notes = NoteFiles(folder, Entries(folder))
    with pytest.raises(NotFound, match=r"removed by entry 3 .* Versions before 2"):
        notes.get(old)
    with pytest.raises(Corrupt, match=f"{new}.json is missing"):
        notes.get(new)


def test_a_note_whose_rows_were_forgotten_is_read_as_what_stands_in_its_place(folder: Folder) -> None:
    work = begun("forget", "forget")
    old = added(folder, "tag/a", entry=1).names["tag/a"]
    reader = NoteFiles(folder, Entries(folder))
    assert reader.get(old)["entry"] == 1
    new = noted(folder, work, entry=2)
    erased = noted(folder, work, kind="erased", notes={old: new})
    ledger = Entries(folder)
    ledger.commit(ledger.head(), work, lambda head: Moved({"tag/a": new, "erased": erased}))
    assert NoteFiles(folder, Entries(folder)).get(old)["entry"] == 2
    folder.delete([note_path(old)])
    assert reader.get(old)["entry"] == 2


def test_the_entry_of_a_job_is_found_and_of_another_is_not(folder: Folder) -> None:
    entry = added(folder)
    added(folder, "tag/b")
    assert Entries(folder).committed(entry.job) == entry
    assert Entries(folder).committed(entry.job, since=1) is None
    assert Entries(folder).committed("none") is None


def test_versions_are_found_by_number_and_by_time(folder: Folder) -> None:
    entries = [added(folder, f"tag/{one}") for one in range(5)]
    ledger = Entries(folder)
    for entry in entries:
        moment = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=entry.at)
        assert ledger.as_of(entry.number) == ledger.as_of(moment) == entry
        if entry.number > 1:
            assert ledger.as_of(moment - timedelta(microseconds=1)).number == entry.number - 1


@pytest.mark.parametrize("moment", [0, 3, -1, datetime(2020, 1, 1, tzinfo=UTC)])
def test_a_version_that_never_was_is_not_found(local: LocalFolder, moment: Any) -> None:
    added(local)
    added(local, "tag/b")
    with pytest.raises(NotFound, match="It has 1 to 2, the first from"):
        Entries(local).as_of(moment)


@pytest.mark.parametrize("moment", [1.0, True])
def test_a_version_is_a_number_a_tag_or_a_time(local: LocalFolder, moment: Any) -> None:
    added(local)
    with pytest.raises(Invalid, match="as_of"):
        Entries(local).as_of(moment)


def test_text_is_a_tag_or_a_time(local: LocalFolder) -> None:
    added(local)
    with pytest.raises(NotFound, match="as_of='1' is neither a tag of this store nor a time"):
        Entries(local).as_of("1")


def test_a_version_that_is_no_longer_kept_is_not_found_unless_it_is_pinned(folder: Folder) -> None:
    for one in range(3):
        added(folder, f"source/{one}")
    added(folder, "tag/of-two", entry=2)
    ledger, work = Entries(folder), begun("cleanup", "cleanup")
    ledger.commit(ledger.head(), work, lambda head: Moved({}, oldest=head.number))
    assert [ledger.as_of(number).number for number in (2, 4, 5)] == [2, 4, 5]
    with pytest.raises(NotFound, match=r"version 3 is no longer kept\. Versions from 4"):
        ledger.as_of(3)


# -- what power cuts, full disks and lost answers leave -----------------------------------------------------------------


def test_the_hint_only_rises(local: LocalFolder) -> None:
    first, second = added(local), added(local, "tag/b")
    Entries(local).vouch(first)
    assert json.loads(local.get("ledger/head"))["number"] == second.number


def test_without_a_hint_the_ledger_is_listed(folder: Folder) -> None:
    added(folder)
    entry = added(folder, "tag/b")
    folder.delete(["ledger/head"])
    assert Entries(folder).head() == entry


def test_an_old_hint_is_no_obstacle(folder: Folder) -> None:
    added(folder)
    old = folder.get("ledger/head")
    entry = added(folder, "tag/b")
    folder.put("ledger/head", old)
    assert Entries(folder).head() == entry


@pytest.mark.parametrize("lost", [2, 3, 4])
def test_an_entry_that_is_lost_is_damage_and_not_an_older_version(folder: Folder, lost: int) -> None:
    for one in range(4):
        hint = folder.get("ledger/head") if one == 2 else b""
        added(folder, f"tag/{one}")
        folder.put("keep/hint", hint) if hint else None
    if lost != 4:
        folder.put("ledger/head", folder.get("keep/hint"))  # so that the gap is behind it
    folder.delete([path_of(lost)])
    with pytest.raises(Corrupt, match=path_of(lost)):
        Entries(folder).head()


def test_a_full_disk_before_the_link_has_not_happened(local: LocalFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    added(local)
    ledger, work = Entries(local), begun("tag", "full")
    note = noted(local, work)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(StorageFull):
            ledger.commit(ledger.head(), work, lambda head: Moved({"tag/b": note}))
    assert Entries(local).head().number == 1
    assert ledger.commit(ledger.head(), work, lambda head: Moved({"tag/b": note})).number == 2


def test_what_fails_after_the_link_is_unknown_and_not_undone(
    local: LocalFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    added(local)
    ledger, work = Entries(local), begun("tag", "doubt")
    note, plain = noted(local, work), durable.sync

    def broken(path: Path) -> None:
        if Path(path) == local.root / "ledger":
            raise OSError(28, "No space left on device")
        plain(path)

    with monkeypatch.context() as patch:
        patch.setattr(local_folder, "sync", broken)
        with pytest.raises(CommitUnknown, match=work.job):
            ledger.commit(ledger.head(), work, lambda head: Moved({"tag/b": note}))
    found = Entries(local).committed(work.job)
    assert found is not None
    assert dict(found.names)["tag/b"] == note


def test_a_hint_that_cannot_be_written_does_not_deny_the_entry(
    local: LocalFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise StorageFull("no room left")

    with monkeypatch.context() as patch:
        patch.setattr(LocalFolder, "put", full)
        entry = added(local)
    assert Entries(local).head() == entry


def test_files_and_the_folders_above_them_are_forced_before_the_entry_and_the_entry_before_the_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[tuple[str, str]] = []

    def told(kind: str, plain: Any) -> Any:
        def act(*given: Any) -> Any:
            done.append((kind, "" if isinstance(given[-1], int) else str(given[-1])))
            return plain(*given)

        return act

    monkeypatch.setattr(local_folder, "sync", told("sync", durable.sync))
    monkeypatch.setattr(os, "link", told("link", os.link))
    monkeypatch.setattr(os, "fsync", told("fsync", os.fsync))
    root = tmp_path / "above" / "store"
    added(LocalFolder(root))
    linked = done.index(("link", str(root / path_of(1))))
    note = next(one for kind, one in done if kind == "link" and "/notes/" in one)
    for folder in (root / "notes", root, root.parent, tmp_path):
        assert ("sync", str(folder)) in done[:linked]
    assert done.index(("link", note)) < done.index(("sync", str(root / "notes")), done.index(("link", note))) < linked
    assert done.index(("sync", str(root / "ledger")), linked) > linked
    assert ("fsync", "") in done[done.index(("link", note)) + 1 : linked]  # the entry's own bytes


def test_a_pickled_ledger_looks_for_itself(folder: Folder) -> None:
    ledger = Entries(LocalFolder(Path("/nowhere")))
    assert pickle.loads(pickle.dumps(ledger)).head() == EMPTY


def test_a_store_of_the_first_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / "store.json").write_text('{"format": 1, "hash": 1}')
    with pytest.raises(Invalid, match=r"format 1.* Export"):
        here(tmp_path)


def test_a_ledger_without_its_store_file_is_damage(local: LocalFolder) -> None:
    added(local)
    local.delete(["store.json"])
    with pytest.raises(Corrupt, match=r"store\.json is missing"):
        here(local.root)


def test_a_store_that_another_founds_between_two_looks_is_one(
    local: LocalFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = LocalFolder.listed

    def founded_meanwhile(self: LocalFolder, under: str, after: str = "") -> Any:
        with monkeypatch.context() as patched:
            patched.setattr(LocalFolder, "listed", plain)
            added(LocalFolder(local.root))
        return plain(self, under, after)

    with monkeypatch.context() as patched:
        patched.setattr(LocalFolder, "listed", founded_meanwhile)
        said = identity(local)
    assert said == identity(LocalFolder(local.root))
    assert said is not None


def test_notes_that_are_put_together_have_the_names_foretold(folder: Folder) -> None:
    notes, token = NoteFiles(folder, Entries(folder)), new_token()
    some = [{"kind": "tag", "entry": number % 30} for number in range(40)]  # some twice
    names = notes.put_all(token, some)
    assert names == [notes.name(token, note) for note in some]
    assert [notes.get(name)["entry"] for name in names] == [note["entry"] for note in some]
    assert notes.put_all(token, []) == []
