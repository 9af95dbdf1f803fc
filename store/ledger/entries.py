"""The ledger: entries `ledger/<number>.json`, each put if absent. That put is the store's only compare-and-swap.

What no entry names does not exist. Of writers that all saw entry n one gets n + 1; the others look again. Each entry holds the digest of the one before
it, so the newest vouches for all. `ledger/head` is a hint that only rises: where to begin to look, and a witness that entries up to it are there.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any

from ...engine.errors import CommitUnknown, Conflict, Corrupt, NotFound, StorageFull, Unavailable
from ..folders.canonical import unsealed
from ..ports import Change, Entry, Folder, Moved, Work
from . import as_of
from .entry import EMPTY, HINT, content_of, entry_of, following, hint_of, number_of, path_of
from .founding import FOUNDING, founded, refuse_lost
from .notes import note_path, read_note

_TRIES = 50
_LONGEST_PAUSE_S = 1.0


class Entries:
    """The ledger in a folder."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._seen: Entry | None = None
        self._durable = 0  # number of the newest entry that this process made sure of
        self._did: dict[int, tuple[str, str | None]] = {}  # kind and removals of entries that were looked at

    def __reduce__(self) -> tuple[Any, ...]:
        return Entries, (self._folder,)

    # -- reading --------------------------------------------------------------------------------------------------------
    def head(self) -> Entry:
        """The newest entry; number 0 in a store without any."""
        newest = self._first_look() if self._seen is None else self._seen
        while (following_one := self._read(newest.number + 1)) is not None:
            newest = self._noted(_chained(newest, following_one))
        if self._seen is None or newest.number > self._seen.number:
            self._seen = newest
        return newest

    def seen(self) -> Entry:
        """The newest entry that this process has looked at, without looking again."""
        return self._seen or self.head()

    def entry(self, number: int) -> Entry:
        """One of them, whether or not all it names is kept."""
        known = self.seen()
        if number == known.number > 0:
            return known
        if number > known.number:
            known = self.head()
        if not 1 <= number <= known.number:
            raise NotFound(f"the store has no entry {number}. It has {_there(known)}.")
        found = self._read(number)
        if found is None:
            raise Corrupt(f"{path_of(number)} is missing, though the ledger goes on to entry {known.number}.")
        return found

    def as_of(self, moment: int | datetime | str) -> Entry:
        """The entry of that number or tag, or the newest up to that time, if what it names is kept."""
        return as_of.found(self, self._folder, moment)

    def since(self, number: int, upto: int | None = None) -> Iterator[Entry]:
        """The entries behind a number, rising, up to another or the head; each vouches for the one before it."""
        last = self.head().number if upto is None else upto
        before = None
        for one in range(number + 1, last + 1):
            entry = self.entry(one)
            before = entry if before is None else _chained(before, entry)
            yield entry

    def committed(self, job: str, *, since: int = 0) -> Entry | None:
        """The entry of a job whose commit was not seen to end, durably; None if there is none.

        On an object store a write that got no answer may still land, until another entry has taken its number.
        """
        for entry in self.since(since):
            if entry.job == job:
                self.vouch(entry)
                return entry
        return None

    def removed_by(self, path: str) -> Entry | None:
        """The cleanup or forget that removed a path; None if none did."""
        for entry in self.since(0):
            with suppress(NotFound):
                if path in self._removed(entry.removed):
                    return entry
        return None

    # -- writing --------------------------------------------------------------------------------------------------------
    def commit(self, base: Entry, work: Work, change: Change) -> Entry:
        """Add an entry, durably; where the change moves nothing, the head it was made on, durably.

        `Conflict`: start over. `CommitUnknown`: it may have happened; `committed(work.job)` tells. `StorageFull`: it has not.
        """
        head = self.head()
        if not head.number:
            founded(self._folder)
        for attempt in range(_TRIES):
            gone = self._gone(base, head, work)
            moved = change(head)
            _refuse_gone(moved, work, gone)
            entry = following(head, work, moved)
            if not entry.moved and moved.removed is None and entry.oldest == head.oldest:
                return self.vouch(head)
            if self._put(entry):
                return entry
            time.sleep(random.uniform(0, min(_LONGEST_PAUSE_S, 0.004 * 1.5**attempt)))
            head = self.head()
        raise Conflict(
            f"{work.what}: gave up after {_TRIES} attempts: other writers kept committing first. Try again when fewer are at work."
        )

    def vouch(self, entry: Entry) -> Entry:
        """Make sure that an entry which was seen will still be there after a power cut; who acknowledges what it says calls this first."""
        if entry.number > self._durable:
            self._folder.put_new(path_of(entry.number), content_of(entry))
            self._sure(entry)
        return entry

    def _put(self, entry: Entry) -> bool:
        """Whether the entry is ours."""
        try:
            ours = self._folder.put_new(path_of(entry.number), content_of(entry))
        except CommitUnknown as error:
            raise CommitUnknown(
                f"{entry.what}: entry {entry.number} was written, but no answer came ({error}). committed({entry.job!r}) tells later whether it is there."
            ) from error
        there = entry if ours else self._read(entry.number)
        if there is None or there.sha256 != entry.sha256:
            return False
        self._noted(entry)
        if self._seen is None or entry.number > self._seen.number:
            self._seen = entry
        self._sure(entry)
        return True

    def _sure(self, entry: Entry) -> None:
        """Raise the hint, and end the founding. Both may lag behind where nothing can be written: the entry is there all the same."""
        self._durable = max(self._durable, entry.number)
        try:
            with self._folder.turn("ledger-head"):
                self._raise_hint(entry)
            if entry.number <= 2:  # 2: the writer of entry 1 may have died before it got here
                self._folder.delete([FOUNDING])
        except (StorageFull, Unavailable):
            return

    def _raise_hint(self, entry: Entry) -> None:
        hint = self._hint()
        newest: Entry | None = entry
        while newest is not None and (hint is None or hint[0] < newest.number):
            hint = (newest.number, newest.sha256)
            self._folder.put(HINT, hint_of(newest))
            # Another writer's higher hint may just have been written over; that writer's entry is there then.
            newest = self._read(newest.number + 1)

    # -- what was removed meanwhile -------------------------------------------------------------------------------------
    def _gone(self, base: Entry, head: Entry, work: Work) -> set[str]:
        """What was removed since the work was begun; `Conflict` where that is something of its own, or rows were forgotten."""
        gone: set[str] = set()
        for number in range(base.number + 1, head.number + 1):
            if number not in self._did:  # most were noted when they were passed by
                self._noted(self.entry(number))
            kind, removed = self._did[number]
            if kind == "forget":
                raise Conflict(f"{work.what}: rows were forgotten (entry {number}) since it began. Start over.")
            try:
                gone.update(self._removed(removed))
            except NotFound:
                raise Conflict(f"{work.what}: what entry {number} removed is no longer known. Start over.") from None
        if any(work.token in path for path in gone):
            raise Conflict(f"{work.what}: a cleanup removed files that it wrote. Start over.")
        return gone

    def _removed(self, note: str | None) -> frozenset[str]:
        return frozenset(read_note(self._folder, note)["paths"]) if note else frozenset()

    def _noted(self, entry: Entry) -> Entry:
        self._did[entry.number] = (entry.kind, entry.removed)
        return entry

    # -- first use ------------------------------------------------------------------------------------------------------
    def _first_look(self) -> Entry:
        """The newest entry by the listing from the hint on; a gap, a hint beyond the newest, and none at all once the founding is over, is damage."""
        hint = self._hint()
        first = hint[0] if hint else 1
        listed = (number_of(path) for path, *_ in self._folder.listed("ledger", after=path_of(first - 1)))
        numbers = [number for number in listed if number is not None]
        if numbers != list(range(first, first + len(numbers))) or (hint and not numbers):
            missing = next(number for number in range(first, first + len(numbers) + 1) if number not in numbers)
            raise Corrupt(f"{path_of(missing)} is missing; {HINT} or a later entry says that it was there.")
        if hint and self.required(first).sha256 != hint[1]:
            raise Corrupt(f"{path_of(first)} or {HINT} is damaged: they do not match.")
        if numbers:
            return self.required(numbers[-1])
        refuse_lost(self._folder)
        return EMPTY

    def required(self, number: int) -> Entry:
        """An entry that the folder has, without asking which is the newest."""
        found = self._read(number)
        if found is None:
            raise Corrupt(f"{path_of(number)} is missing.")
        return found

    def _hint(self) -> tuple[int, str] | None:
        try:
            parts = unsealed(self._folder.get(HINT), HINT)
        except NotFound:
            return None
        if not isinstance(parts.get("number"), int) or not isinstance(parts.get("entry"), str):
            raise Corrupt(
                f"{HINT} is damaged: it names no entry. Without it the ledger is looked through from its beginning."
            )
        return parts["number"], parts["entry"]

    def _read(self, number: int) -> Entry | None:
        try:
            return entry_of(self._folder.get(path_of(number)), number)
        except NotFound:
            return None


def _chained(before: Entry, entry: Entry) -> Entry:
    if entry.before != before.sha256:
        raise Corrupt(f"{path_of(entry.number)} does not follow {path_of(before.number)}: one of them is damaged.")
    return entry


def _refuse_gone(moved: Moved, work: Work, gone: set[str]) -> None:
    for name, note in moved.names.items():
        if note is not None and not note.startswith(work.token) and note_path(note) in gone:
            raise Conflict(f"{work.what}: a cleanup removed the note that {name!r} would go to. Start over.")


def _there(head: Entry) -> str:
    return f"1 to {head.number}" if head.number else "none"
