"""Backup and restore: a store copied to another folder, only what is not there yet, and the ledger last.

So a backup that was broken off is the backup before with some files more; what that needs of logs goes only then. Copies are compared with the
digests in their names: a damaged file is never copied. Restoring copies everything back and reads it through; the mark of a store comes last, so
half a restore is no store, and neither is one of a damaged backup.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ...engine.errors import Conflict, Corrupt, Invalid, NotFound
from ..folders import ballast
from ..folders.durable import publish
from ..folders.place import STORE
from ..here import unmarked
from ..ledger.entry import HINT, entry_of, hint_of, number_of, path_of
from ..ledger.founding import identity
from ..ledger.start_over import StartOver, undisturbed, until_done
from ..ports import Entry, Folder, Here
from ..rows.log import Log, begins_behind
from ..rows.source_note import state_of
from ..snapshots.stale_copies import put_stale_copies
from .mend import as_named
from .reachable import HELD_UNDER, Reach, for_servers, kept_entries
from .scrub import read_through

_NAMED = 3  # damaged files in a message


@dataclass(frozen=True, repr=False)
class Copied:
    """What a backup or a restore copied."""

    version: int  # up to this entry
    files: int
    bytes: int
    there: int  # files that were there already
    removed: int = 0  # files of the backup that the store does not need any more

    def __repr__(self) -> str:
        more = f", {self.removed:,} removed that are not needed any more" if self.removed else ""
        size = f"{self.bytes / 1e6:.1f} MB"
        return f"copied {self.files:,} files ({size}) up to version {self.version}; {self.there:,} were there already{more}"


def backed_up(here: Here, to: Folder) -> Copied:
    """Copy what kept entries need, the logs and the ledger to another folder, which may hold an earlier backup of this store."""
    if not here.ledger.head().number:
        raise NotFound(f"nothing was stored in {here.folder.url!r} yet, so there is nothing to back up.")
    if _meet(here.folder.url, to.url):
        raise Invalid(
            f"{to.url!r} and the store {here.folder.url!r} overlap: one of them is inside the other. Use a separate folder."
        )
    copy = _Copy(here.folder, to)
    copy.marked()
    _refuse_newer(here, to, copy)
    return until_done(lambda: _attempt(here, copy), "the store")


def _refuse_newer(here: Here, to: Folder, copy: _Copy) -> None:
    """`Conflict` where a backup goes on to what this store, restored from an earlier one perhaps, never had: that would be lost."""
    newest = max((number for number in map(number_of, copy.there) if number is not None), default=0)
    if not newest:
        return
    try:
        theirs = entry_of(to.get(path_of(newest)), newest)
    except Corrupt as error:
        raise Corrupt(
            f"the backup {to.url}: {error} Repair it first: it is a store, and `nowthen verify --repair` takes it."
        ) from None
    if newest > here.ledger.head().number or here.ledger.entry(newest).sha256 != theirs.sha256:
        raise Conflict(
            f"the backup {to.url!r} has a version {newest} that is not one of the store {here.folder.url!r}: the store was restored from an "
            "earlier backup since, or a copy of it was backed up there. Back up into a new folder; this backup was left as it is."
        )


def _meet(one: str, other: str) -> bool:
    """Whether a folder is another, or in it: what a backup does not need there would be removed."""
    parts = [f"{url if '://' in url else Path(url).resolve()}".rstrip("/") + "/" for url in (one, other)]
    return parts[0].startswith(parts[1]) or parts[1].startswith(parts[0])


def _attempt(here: Here, copy: _Copy) -> Copied:
    head = here.ledger.head()
    with undisturbed(here.ledger, head):
        needed = Reach(here, head).of(kept_entries(here, head, head.oldest))
        copy.absent(sorted(needed))
        logs = _logs(here, head)
        for log in logs:
            log.goes_on(copy)
    _refuse_forgotten(here, head)
    copy.absent(path_of(number) for number in range(1, head.number + 1))
    copy.bytes(HINT, hint_of(head))  # not the one there is now, which may name a later entry
    for log in logs:
        log.begins_anew(copy)
    _refuse_forgotten(here, head)
    copy.dropped(path for path in copy.there if path.partition("/")[0] in HELD_UNDER and path not in needed)
    return copy.report(head.number)


def restored(backup: Folder, to: Here) -> Copied:
    """Copy a backup into an empty folder, as a store. `Corrupt` names what the backup lacks, and no store is made."""
    if next(iter(to.folder.listed("")), None) is not None:
        raise Invalid(f"{to.folder.url} is not empty. Restore into a new folder, then replace the old one with it.")
    copy = _Copy(backup, to.folder)
    found = [path for path, _, _ in backup.listed("")]
    entries = [path for path in found if path.startswith("ledger/") and path != HINT]
    if STORE not in found or HINT not in found:
        raise Invalid(f"{backup.url} is not a finished backup of a store. Pass the folder that `backup` wrote to.")
    identity(backup)
    copy.absent(path for path in found if path.partition("/")[0] in HELD_UNDER)
    for path in found:
        if path.startswith("log/") and to.logs is not None:
            publish(to.logs / path.removeprefix("log/"), backup.get(path))
    copy.absent(entries)
    copy.replaced(HINT)
    made = unmarked(to.folder, to.logs)
    _refuse_damaged(backup, made)
    put_stale_copies(made)
    copy.replaced(STORE)
    ballast.kept(to.folder)
    return copy.report(len(entries))


def _refuse_damaged(backup: Folder, made: Here) -> None:
    """`Corrupt` where a restore is not whole; copies for servers do not count, as they are made from their notes."""
    damaged = [one for one in read_through(made).damaged if not for_servers(one.path)]
    if damaged:
        named = "; ".join(f"{one.path}: {one.what}" for one in damaged[:_NAMED])
        more = f"; and {len(damaged) - _NAMED:,} more" if len(damaged) > _NAMED else ""
        raise Corrupt(
            f"the backup {backup.url} is damaged, so {made.folder.url} was not made a store: {named}{more}. "
            "Remove that folder, and restore another backup, or repair this one first: it is a store, and `nowthen verify --repair` takes it."
        )


class _Copy:
    """Files on their way from one folder to another."""

    def __init__(self, source: Folder, to: Folder) -> None:
        self._from, self._to = source, to
        self.there = {path: size for path, size, _ in to.listed("")}
        self._files = self._bytes = self._had = self._removed = 0

    def report(self, version: int) -> Copied:
        """What was copied."""
        return Copied(version, self._files, self._bytes, self._had, self._removed)

    def marked(self) -> None:
        """Make the other folder a backup of this store, and refuse one that is something else."""
        mark = self._from.get(STORE)
        if STORE not in self.there and self.there:
            raise Invalid(
                f"{self._to.url} has other files in it. Back up into a new folder, or one with an earlier backup."
            )
        if STORE in self.there and self._to.get(STORE) != mark:
            raise Invalid(f"{self._to.url} is the backup of another store. Give each store a folder of its own.")
        self._to.put_new(STORE, mark)

    def absent(self, paths: Iterable[str]) -> None:
        """Copy what is not there; copies of snapshots' notes, which are replaced, always."""
        for path in paths:
            if path in self.there and not for_servers(path):
                self._had += 1
            else:
                self.replaced(path)

    def replaced(self, path: str) -> None:
        """Copy one file."""
        content = self._from.get(path)
        if not as_named(path, content):
            raise Corrupt(f"{path} of {self._from.url} is damaged and was not copied. See `nowthen verify`.")
        self.bytes(path, content)

    def bytes(self, path: str, content: bytes) -> None:
        """Put one file."""
        self._to.put(path, content)
        self.there[path] = len(content)
        self._files, self._bytes = self._files + 1, self._bytes + len(content)

    def dropped(self, paths: Iterable[str]) -> None:
        """Remove files where they were copied to."""
        listed = list(paths)
        self._to.delete(listed)
        self.there = {path: size for path, size in self.there.items() if path not in set(listed)}
        self._removed += len(listed)


def _refuse_forgotten(here: Here, head: Entry) -> None:
    """`StartOver` where logs that were copied may have been emptied of rows that only later entries have."""
    if any(entry.kind == "forget" for entry in here.ledger.since(head.number)):
        raise StartOver


def _logs(here: Here, head: Entry) -> list[_LogCopy]:
    """The logs there are. `Corrupt` where one lacks rows that the tables of the head need, perhaps as it was cut off since."""
    folders = sorted(here.logs.iterdir()) if here.logs is not None and here.logs.is_dir() else []
    return [_LogCopy(here, head, folder) for folder in folders]


class _LogCopy:
    """A log on its way to a backup, which may hold segments that were cut off since; until its ledger is the new one, it needs these."""

    def __init__(self, here: Here, head: Entry, folder: Path) -> None:
        log, state = Log(folder), state_of(head, here.notes, folder.name)
        segments = log.segments()
        if begins_behind(segments, 0 if state is None else state.log_position):
            raise Corrupt(
                f"log {folder}: pushed rows that the tables do not have are missing, up to {segments[0].name}. See `nowthen verify`."
            )
        self._under = f"log/{folder.name}/"
        self._files = {self._under + file.name: file for file in (*segments, *log.cut_off())}
        self._first = self._under + segments[0].name if segments else ""

    def goes_on(self, copy: _Copy) -> None:
        """Copy what is new or has grown, where that goes on from what the backup holds."""
        held = self._held(copy)
        for path, file in self._files.items():
            if path in held or self._first in held or not any(path < self._first for path in held):
                self._copied(copy, path, file)

    def begins_anew(self, copy: _Copy) -> None:
        """Remove what is not there any more, and copy the rest, the oldest first: so no rows are missing between two segments."""
        if self._files:
            copy.dropped(path for path in self._held(copy) if path not in self._files)
        for path, file in self._files.items():
            self._copied(copy, path, file)

    def _held(self, copy: _Copy) -> dict[str, int]:
        return {path: size for path, size in copy.there.items() if path.startswith(self._under)}

    def _copied(self, copy: _Copy, path: str, file: Path) -> None:
        try:
            content = file.read_bytes()
        except FileNotFoundError:
            raise StartOver from None
        if copy.there.get(path) != len(content):
            copy.bytes(path, content)
