"""Cleanup, on a ledger of small notes: what goes, what stays, and who starts over."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import nowthen as nt
from nowthen.engine.errors import Conflict, Corrupt, Invalid, NotFound, WrongType
from nowthen.store.care.backup import backed_up
from nowthen.store.care.cleanup import cleaned
from nowthen.store.care.scrub import scrubbed
from nowthen.store.folders.local_folder import LocalFolder
from nowthen.store.here import here as store_at
from nowthen.store.ledger.entry import begun
from nowthen.store.ports import Entry, Here, Moved
from nowthen.store.rows import sequence
from nowthen.store.store import Store

DAY_US = 86_400_000_000
_count = itertools.count()


@pytest.fixture
def here(tmp_path: Path) -> Here:
    return store_at(tmp_path / "store")


def write(here: Here, name: str = "model/m") -> Entry:
    """One commit that replaces a note."""
    work = begun("test", f"write {name}")
    note = here.notes.put(work.token, {"kind": "model", "name": name, "count": next(_count)})
    return here.ledger.commit(here.ledger.head(), work, lambda head: Moved({name: note}))


def tag(here: Here, number: int) -> Entry:
    work = begun("tag", "tag")
    note = here.notes.put(work.token, {"kind": "tag", "entry": number})
    return here.ledger.commit(here.ledger.head(), work, lambda head: Moved({f"tag/{number}": note}))


def note_of(entry: Entry, name: str = "model/m") -> str:
    return entry.names[name]


def test_the_newest_versions_stay_and_older_ones_end(here: Here) -> None:
    entries = [write(here) for _ in range(5)]
    report = cleaned(here, 0, 2)
    assert (report.versions, report.oldest, dict(report.files)) == (3, 4, {"notes": 3})
    for gone in entries[:3]:
        with pytest.raises(NotFound, match="no longer kept"):
            here.notes.get(note_of(gone))
    assert [here.notes.get(note_of(kept))["kind"] for kept in entries[3:]] == ["model", "model"]


def test_a_version_that_was_removed_is_refused_with_what_there_is(here: Here) -> None:
    first = write(here)
    write(here)
    cleaned(here, 0, 1)
    with pytest.raises(NotFound, match=r"2"):
        here.ledger.as_of(first.number)


def test_tagged_versions_stay_however_old(here: Here) -> None:
    first, _ = write(here), write(here)
    tag(here, first.number)
    for _ in range(3):
        write(here)
    report = cleaned(here, 0, 1)
    assert report.pinned == (first.number,)
    assert here.notes.get(note_of(here.ledger.as_of(first.number)))["kind"] == "model"
    cleaned(here, 0, 1)
    assert here.notes.get(note_of(here.ledger.as_of(first.number)))["kind"] == "model"


def test_young_versions_stay_by_the_time_of_the_newest(here: Here) -> None:
    entries = [write(here) for _ in range(3)]
    report = cleaned(here, DAY_US, 1)
    assert (report.versions, report.oldest) == (0, 1)
    assert here.notes.get(note_of(entries[0]))


def test_versions_from_before_a_clock_jumped_ahead_stay(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    first, now = write(here), sequence.now_us
    monkeypatch.setattr(sequence, "now_us", lambda: now() + 400 * DAY_US)
    write(here)
    monkeypatch.setattr(sequence, "now_us", now)
    report = cleaned(here, 30 * DAY_US, 1)
    assert "clock is wrong" in report.clock
    assert here.notes.get(note_of(first))


def test_with_clocks_that_agree_old_versions_end(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    first, now = write(here), sequence.now_us
    monkeypatch.setattr(sequence, "now_us", lambda: now() + 400 * DAY_US)
    write(here)
    assert cleaned(here, 30 * DAY_US, 1).oldest == first.number + 1


def test_a_dry_run_says_what_would_go_and_leaves_it(here: Here) -> None:
    first, _ = write(here), write(here)
    report = cleaned(here, 0, 1, dry_run=True)
    assert (dict(report.files), report.dry_run) == ({"notes": 1}, True)
    assert here.notes.get(note_of(first))
    assert here.ledger.head().number == 2


def test_files_of_a_writer_at_work_are_left_while_young(here: Here) -> None:
    write(here)
    orphan = here.notes.put(begun("test", "t").token, {"kind": "model"})
    assert cleaned(here, 30 * DAY_US, 1).young == 1
    assert here.notes.get(orphan)


def test_a_writer_whose_files_were_removed_starts_over(here: Here) -> None:
    write(here)
    work, base = begun("test", "slow"), here.ledger.head()
    note = here.notes.put(work.token, {"kind": "model", "name": "slow"})
    cleaned(here, 0, 1)
    with pytest.raises(Conflict, match="removed"):
        here.ledger.commit(base, work, lambda head: Moved({"model/slow": note}))
    assert "model/slow" not in here.ledger.head().names


def test_what_a_writer_names_while_cleanup_is_at_work_stays(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    write(here)
    work, base = begun("test", "quick"), here.ledger.head()
    note = here.notes.put(work.token, {"kind": "model", "name": "quick"})
    commit = here.ledger.commit

    def late(*args: Any) -> Entry:
        monkeypatch.setattr(here.ledger, "commit", commit)
        commit(base, work, lambda head: Moved({"model/quick": note}))
        write(here)
        return commit(*args)

    write(here)
    monkeypatch.setattr(here.ledger, "commit", late)
    cleaned(here, 0, 1)
    assert here.notes.get(here.ledger.head().names["model/quick"])["name"] == "quick"


def test_a_cleanup_that_was_killed_before_it_deleted_is_done_by_the_next(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = write(here), write(here)
    with monkeypatch.context() as patch:
        patch.setattr(here.folder, "delete", _killed)
        with pytest.raises(KeyboardInterrupt):
            cleaned(here, 0, 1)
    assert cleaned(here, 0, 1).files["notes"] >= 1
    assert f"notes/{note_of(first)}.json" not in set(paths(here))


def test_cleaning_again_and_again_finds_nothing_and_keeps_the_newest(here: Here) -> None:
    last = write(here)
    for _ in range(3):
        cleaned(here, 0, 1)
    assert here.notes.get(note_of(here.ledger.head())) == here.notes.get(note_of(last))


def test_much_is_removed_in_parts(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(6):
        write(here)
    monkeypatch.setattr("nowthen.store.care.cleanup.AT_ONCE", 2)
    report = cleaned(here, 0, 1)
    assert (report.versions, dict(report.files), here.ledger.head().number) == (5, {"notes": 5}, 9)
    assert scrubbed(here).whole


def test_a_note_of_an_unknown_kind_stops_a_cleanup(here: Here) -> None:
    work = begun("test", "later")
    note = here.notes.put(work.token, {"kind": "something of a later version"})
    here.ledger.commit(here.ledger.head(), work, lambda head: Moved({"x/y": note}))
    write(here)
    write(here)
    with pytest.raises(Corrupt, match="later version"):
        cleaned(here, 0, 1)


def test_care_of_a_store_that_nothing_was_stored_in_makes_nothing(here: Here) -> None:
    assert (cleaned(here, 0, 1).files, scrubbed(here).whole) == ({}, True)
    with pytest.raises(NotFound, match="nothing was stored"):
        backed_up(here, LocalFolder(Path(here.folder.url).with_name("copy")))
    assert not Path(here.folder.url).exists()


def test_a_table_on_another_disk_stays(store: Store, tx: nt.Source, tmp_path: Path) -> None:
    table = store.root / "tables" / "sales"
    table.symlink_to(table.rename(tmp_path / "disk"))
    opened = nt.connect(store.root)
    opened.cleanup(keep="0s", versions=1)
    assert opened.events("sales").read(["sale"]).height == 60


def test_keeping_no_version_is_refused(here: Here) -> None:
    with pytest.raises(Invalid, match="newest"):
        cleaned(here, 0, 0)


@pytest.mark.parametrize("versions", ["3", 2.5, True, None])
def test_a_number_of_versions_that_is_none_is_refused(here: Here, versions: Any) -> None:
    with pytest.raises(WrongType, match="a whole number"):
        cleaned(here, 0, versions)


def paths(here: Here) -> Iterator[str]:
    return (path for path, _, _ in here.folder.listed("notes"))


def _killed(_: object) -> None:
    raise KeyboardInterrupt
