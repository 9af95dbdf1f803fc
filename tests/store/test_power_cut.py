"""The power goes right after an acknowledgement: what was acknowledged is there when it comes back, all of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import nowthen as nt
from nowthen.engine.errors import CommitUnknown
from nowthen.store.folders import durable, local_folder
from nowthen.store.folders.local_folder import LocalFolder
from nowthen.store.ledger.entries import Entries
from nowthen.store.ledger.entry import begun
from nowthen.store.ledger.notes import NoteFiles
from nowthen.store.ports import Entry, Moved

from . import shop
from .mounts import disk, formatted, needs_root, power_cut

pytestmark = [pytest.mark.fault, pytest.mark.slow, needs_root]

CUTS = 30


@pytest.fixture
def image(tmp_path: Path) -> Path:
    return formatted(tmp_path / "disk")


@pytest.fixture
def root(image: Path, tmp_path: Path) -> Iterator[Path]:
    with disk(image, tmp_path / "mounted") as at:
        yield at / "some" / "store"


def stored(root: Path, one: int) -> Entry:
    """An entry with a note and two files of its own, by a process that has made sure of nothing yet."""
    folder = LocalFolder(root)
    ledger, work = Entries(folder), begun("ingest", f"ingest {one}")
    paths = [f"tables/t{one}/data/{part}.{work.token}.lance" for part in range(2)]
    with folder.draft(work.token) as draft:
        for path in paths:
            (draft / Path(path).name).write_bytes(path.encode() * 500)
        folder.take_in({path: draft / Path(path).name for path in paths})
    note = NoteFiles(folder, ledger).put(work.token, {"kind": "tag", "entry": 1, "paths": paths})
    return ledger.commit(ledger.head(), work, lambda head: Moved({f"tag/{one}": note}))


def whole(root: Path) -> Entry:
    """The head, after all that it names was read."""
    folder = LocalFolder(root)
    ledger = Entries(folder)
    for name in ledger.head().names.values():
        for path in NoteFiles(folder, ledger).get(name)["paths"]:
            assert folder.get(path) == path.encode() * 500
    return ledger.head()


def found_after_a_cut(image: Path, root: Path, tmp_path: Path) -> Entry:
    copy = power_cut(image, tmp_path / "copy")
    with disk(copy, tmp_path / "after") as after:
        return whole(after / "some" / "store")


def test_what_was_acknowledged_is_there_after_thirty_of_thirty_cuts(image: Path, root: Path, tmp_path: Path) -> None:
    there = []
    for one in range(CUTS):
        acknowledged = stored(root, one)
        there.append(found_after_a_cut(image, root, tmp_path) == acknowledged)
    assert there == [True] * CUTS


def test_a_cut_loses_what_was_not_forced_to_the_disk(
    image: Path, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the test above would prove nothing."""
    stored(root, 0)
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    stored(root, 1)
    assert found_after_a_cut(image, root, tmp_path).number == 1


@contextmanager
def dying_before_the_name_lasts(root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A writer inside dies once its entry is there, before the name is forced to the disk."""

    def dies(path: Any) -> None:
        if Path(path) == root / "ledger":
            raise OSError(5, "the writer dies before it forces the name to the disk")
        durable.sync(path)

    with monkeypatch.context() as patch:
        patch.setattr(local_folder, "sync", dies)
        yield


def test_who_acknowledges_what_another_wrote_makes_sure_of_it_first(
    image: Path, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored(root, 0)
    with dying_before_the_name_lasts(root, monkeypatch), pytest.raises(CommitUnknown):
        stored(root, 1)
    assert found_after_a_cut(image, root, tmp_path).number == 1
    another = Entries(LocalFolder(root))
    seen = another.commit(another.head(), begun("ingest", "nothing new"), lambda head: Moved({}))
    assert seen.number == 2
    assert found_after_a_cut(image, root, tmp_path) == seen


def test_who_says_that_definitions_are_unchanged_makes_sure_of_them_first(
    image: Path, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root.parent.mkdir()
    definitions = shop.service(shop.source(shop.sales(1)))
    nt.connect(root).apply(shop.source(shop.sales(1)))

    with dying_before_the_name_lasts(root, monkeypatch), pytest.raises(CommitUnknown):
        nt.connect(root).apply(definitions)
    assert nt.connect(root).apply(definitions).is_empty
    copy = power_cut(image, tmp_path / "copy")
    with disk(copy, tmp_path / "after") as after:
        assert nt.connect(after / "some" / "store").apply(definitions).is_empty
