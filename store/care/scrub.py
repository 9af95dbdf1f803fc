"""Verify: every byte that kept entries need is read and compared with its digest; what is wrong is named, and mended where it can be.

Walks the ledger (its own sums, numbers and chain), then note by note what the entries need, then the logs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from ...engine.errors import Corrupt, NotFound
from ...engine.language.source import SourceSpec
from ..folders.place import STORE
from ..here import opened
from ..ledger.entry import HINT
from ..ledger.ledger_walk import walked
from ..ledger.notes import note_path
from ..ports import Damage, Entry, Folder, Here
from ..rows.log import Log, begins_behind, end_of, gap_after, segment_name
from ..rows.records import Record, scan
from ..rows.source_note import state_of
from .kinds import held
from .mend import as_named, mended
from .reachable import erased_notes, kept_entries, note_of

T = TypeVar("T")
_READINGS = 5


@dataclass(frozen=True, repr=False)
class Scrubbed:
    """What verify found: how much it read, what is damaged, and what it made whole again."""

    entries: int
    notes: int
    files: int
    bytes: int
    damaged: tuple[Damage, ...]  # and still are
    mended: tuple[Damage, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether everything is as it was written (again)."""
        return not self.damaged

    def __repr__(self) -> str:
        read = f"{self.entries:,} entries, {self.notes:,} notes, {self.files:,} files, {self.bytes / 1e6:.1f} MB"
        lines = [
            f"damaged: {one.path}: {one.what} (needed by {', '.join(one.names) or 'the store'})" for one in self.damaged
        ]
        lines += [f"mended: {one.path}: {one.what}" for one in self.mended]
        return "\n".join(
            [
                f"read {read}: " + ("all is as it was written" if self.whole else f"{len(self.damaged):,} damaged"),
                *lines,
            ]
        )


def scrubbed(
    here: Here, *, repair: bool = False, backup: Folder | None = None, sources: Sequence[SourceSpec] = ()
) -> Scrubbed:
    """Read everything and say what is damaged; with `repair` mend what can be, also from a backup and from sources, where they are given.

    After repairs everything is read once more, as what was damaged may have hidden more.
    """
    found = _walked(here)
    done: dict[str, Damage] = {}
    while repair:
        more = {one.path: one for one in found.damaged if one.path not in done and mended(here, one, backup, sources)}
        if not more:
            break
        done |= more
        found = _walked(here)
    return replace(found, mended=tuple(done.values()))


def _walked(here: Here) -> Scrubbed:
    """One reading; again where something is missing that a cleanup or forget may have removed meanwhile."""
    for _ in range(_READINGS):
        before = _numbers(here.folder)
        found = _once(here)
        if found.whole or _numbers(here.folder) == before:
            break
    return found


def _numbers(folder: Folder) -> list[str]:
    return [path for path, *_ in folder.listed("ledger")]


def _once(here: Here) -> Scrubbed:
    try:
        fresh = opened(here.folder, here.logs)  # what this process has made sure of before does not count
    except Corrupt as error:
        return Scrubbed(0, 0, 0, 0, (Damage(STORE, str(error), ()),))
    return read_through(fresh, known=_known(here))


def _known(here: Here) -> int:
    """The newest entry that this process has seen, which must be there still."""
    try:
        return here.ledger.seen().number
    except Corrupt:
        return 0


def read_through(here: Here, *, known: int = 0) -> Scrubbed:
    """What one reading finds of a store that was just opened, with entries up to `known` at least; its mark is not looked at."""
    walk = _Walk(here)
    head = walk.entries(known)
    if head is not None:
        walk.notes(head)
        walk.checks()
        walk.files()
    if here.logs is not None:
        walk.logs(here.logs)
    return walk.report()


class _Walk:
    """One reading of everything."""

    def __init__(self, here: Here) -> None:
        self._here = here
        self._found: dict[str, Damage] = {}
        self._notes: dict[str, Mapping[str, Any]] = {}
        self._needed: dict[str, set[str]] = {}  # by whom, for each path
        self._unreached: dict[str, str] = {}
        self._entries = self._files = self._bytes = 0

    def report(self) -> Scrubbed:
        """What was found."""
        told = [
            replace(one, names=one.names or tuple(sorted(self._needed.get(one.path, ()))))
            for one in self._found.values()
        ]
        return Scrubbed(self._entries, len(self._notes), self._files, self._bytes, tuple(told))

    def entries(self, known: int) -> Entry | None:
        """The head, once the whole ledger was read; None where it cannot be trusted."""
        self._entries, damages = walked(self._here.folder, known)
        self._found = {one.path: one for one in damages}
        return None if damages else self._tried(HINT, self._here.ledger.head)

    def notes(self, head: Entry) -> None:
        """Read the notes that kept entries need, and learn which files these need."""
        entries = self._tried(HINT, partial(self._kept, head)) or [head]
        erased = self._tried("notes", partial(erased_notes, self._here, head)) or {}
        for entry in entries:
            tops = [
                *entry.names.items(),
                *([("removed", entry.removed)] if entry.removed and entry.number >= head.oldest else []),
            ]
            for name, note in tops:
                self._follow(erased.get(note, note), name, erased)

    def _kept(self, head: Entry) -> list[Entry]:
        return kept_entries(self._here, head, head.oldest)

    def _follow(self, note: str, name: str, erased: Mapping[str, str]) -> None:
        left = [note_path(note)]
        while left:
            path = left.pop()
            needed = self._needed.setdefault(path, set())
            if name in needed:
                continue
            needed.add(name)
            inner = note_of(path)
            if inner is not None:
                left += [
                    note_path(erased.get(one, one)) if (one := note_of(far)) else far for far in self._reached(inner)
                ]

    def _reached(self, name: str) -> list[str]:
        if name not in self._notes:
            note = self._tried(note_path(name), partial(self._here.notes.get, name))
            if note is None:
                return []
            self._notes[name] = note
        found: list[str] = []
        try:
            note = self._notes[name]
            found += (path for path in held(note["kind"]).reaches(self._here, note))
        except (Corrupt, NotFound) as error:
            self._unreached[name] = str(error)  # its own check says which file it is
        return found

    def checks(self) -> None:
        """Ask each kind of note what is damaged of it."""
        for name, note in self._notes.items():
            found = self._tried(note_path(name), partial(self._checked, name, note)) or []
            for damage in found:
                self._found.setdefault(damage.path, damage)
                self._needed.setdefault(damage.path, set()).update(self._needed[note_path(name)])
            if name in self._unreached and not found:
                self._damage(note_path(name), self._unreached[name])

    def _checked(self, name: str, note: Mapping[str, Any]) -> list[Damage]:
        return list(held(note["kind"]).check(self._here, name, note))

    def files(self) -> None:
        """Read every file from where it lies; the names of most hold the digest of their bytes."""
        for path in sorted(self._needed):
            if path not in self._found:
                content = self._tried(path, partial(self._here.folder.get, path))
                if content is not None:
                    self._files, self._bytes = self._files + 1, self._bytes + len(content)
                    if not as_named(path, content):
                        self._damage(path, "its bytes are not those that its name was made from")

    def logs(self, folder: Path) -> None:
        """Read the records of all logs against their checksums, and look for segments between others that are missing."""
        for place in sorted(folder.iterdir()) if folder.is_dir() else ():
            segments = Log(place).segments()
            for cut in Log(place).cut_off():
                self._records(cut, sealed=True)
            self._first(place, segments)
            for number, segment in enumerate(segments):
                following = segments[number + 1 :]
                records = self._records(segment, sealed=bool(following))
                missing = None if records is None else gap_after(end_of(segment, records), following)
                if missing is not None:
                    what = f"rows before {following[0].name} are missing: it was lost, or {segment.name} was cut short"
                    self._damage(self._log_path(place / missing), what)

    def _first(self, place: Path, segments: Sequence[Path]) -> None:
        """Note a log that begins behind what the tables have of it. They are looked at last, as a cleanup cuts off what they have."""
        with suppress(Corrupt, NotFound):  # told where notes are read
            state = state_of(self._here.ledger.head(), self._here.notes, place.name)
            had = 0 if state is None else state.log_position
            if begins_behind(segments, had):
                what = f"pushed rows that the tables do not have are missing, up to {segments[0].name}"
                self._damage(self._log_path(place / segment_name(had + 1)), what)

    def _records(self, segment: Path, *, sealed: bool) -> list[Record] | None:
        """What a part of a log holds; None of one that is damaged, or that a cleanup cut off meanwhile."""
        path = self._log_path(segment)
        content = self._tried(path, partial(_bytes_of, segment))
        found = None if content is None else self._tried(path, partial(scan, content, path, sealed=sealed))
        return None if found is None else found[0]

    def _log_path(self, segment: Path) -> str:
        source = segment.parent.name
        path = f"log/{source}/{segment.name}"
        self._needed.setdefault(path, {f"source/{source}"})
        return path

    def _tried(self, path: str, read: Callable[[], T]) -> T | None:
        """What was read; None, and damage noted, where it cannot be read as it was written."""
        try:
            return read()
        except (Corrupt, NotFound) as error:
            self._damage(path, str(error))
            return None

    def _damage(self, path: str, what: str) -> None:
        self._found.setdefault(path, Damage(path, what, ()))


def _bytes_of(segment: Path) -> bytes | None:
    """The bytes of a part of a log; None for one that a cleanup cut off meanwhile."""
    try:
        return segment.read_bytes()
    except FileNotFoundError:
        return None
