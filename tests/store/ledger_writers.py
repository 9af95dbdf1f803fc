"""Processes that write to one ledger at once, each with names of its own and one that all change."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor

from nowthen.engine.errors import CommitUnknown
from nowthen.store.folders.folder import open_folder
from nowthen.store.ledger.entries import Entries
from nowthen.store.ledger.entry import begun
from nowthen.store.ledger.notes import NoteFiles
from nowthen.store.ports import Entry, Folder, Moved

COUNT = "tag/count"


def written_at_once(url: str, storage: Mapping[str, str] | None, writers: int, commits: int) -> dict[str, int]:
    """What each writer was told: its names, and the number of the entry that acknowledged each."""
    with ProcessPoolExecutor(writers, multiprocessing.get_context("spawn")) as pool:
        jobs = [pool.submit(_write, url, storage, writer, commits) for writer in range(writers)]
        return {name: number for job in jobs for name, number in job.result().items()}


def found(folder: Folder) -> Iterator[tuple[Entry, int]]:
    """All entries, by somebody who has not looked before, and the count that each ends with."""
    ledger = Entries(folder)
    notes = NoteFiles(folder, ledger)
    for entry in ledger.since(0):
        yield entry, notes.get(entry.names[COUNT])["count"] if COUNT in entry.names else 0


def _write(url: str, storage: Mapping[str, str] | None, writer: int, commits: int) -> dict[str, int]:
    folder = open_folder(url, storage)
    return {f"tag/{writer}-{one}": _committed(folder, f"tag/{writer}-{one}") for one in range(commits)}


def _committed(folder: Folder, name: str) -> int:
    ledger = Entries(folder)
    notes, work, base = NoteFiles(folder, ledger), begun("tag", name), ledger.head()
    own = notes.put(work.token, {"kind": "tag", "entry": 1, "of": name})

    def change(head: Entry) -> Moved:
        count = notes.get(head.names[COUNT])["count"] if COUNT in head.names else 0
        return Moved({name: own, COUNT: notes.put(work.token, {"kind": "tag", "entry": 1, "count": count + 1})})

    try:
        return ledger.commit(base, work, change).number
    except CommitUnknown:
        # Another entry at its number, or behind it, settles whether it is there.
        ledger.commit(ledger.head(), begun("tag", "settle"), lambda head: Moved({f"tag/settled-{work.job}": own}))
        landed = ledger.committed(work.job)
        return landed.number if landed else _committed(folder, name)
