"""Notes: small immutable JSON files that entries name. The name holds the digest, so what is read is what was written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from typing import TYPE_CHECKING, Any

from ...engine.errors import Corrupt, NotFound
from ..folders.canonical import digest, parsed, written
from ..folders.names import checked_note, checked_path
from ..ports import Folder

if TYPE_CHECKING:
    from .entries import Entries

_DIGITS = 32  # of the sha256: 128 bits
_AT_ONCE = 16  # notes that are written


def note_path(name: str) -> str:
    """Where a note stands."""
    return f"notes/{checked_note(name)}.json"


def read_note(folder: Folder, name: str) -> dict[str, Any]:
    """A note as it stands there, checked. `NotFound`, `Corrupt`."""
    content = folder.get(note_path(name))
    if digest(content)[:_DIGITS] != name.split("-")[1]:
        raise Corrupt(f"{note_path(name)} is damaged: its bytes are not those that its name was made of.")
    return parsed(content, note_path(name))


def _named(token: str, content: bytes) -> str:
    return f"{checked_path(token)}-{digest(content)[:_DIGITS]}"


class NoteFiles:
    """The notes of a store. What `forget` has written anew is found by its old name."""

    def __init__(self, folder: Folder, ledger: Entries) -> None:
        self._folder = folder
        self._ledger = ledger
        self._erased: tuple[str, Mapping[str, str]] = ("", {})

    def put(self, token: str, note: Mapping[str, Any]) -> str:
        """Write a note, durably; its name."""
        content = written(note)
        name = _named(token, content)
        if not self._folder.put_new(note_path(name), content):
            read_note(self._folder, name)  # the same attempt wrote it before; it must still be whole
        return name

    def put_all(self, token: str, notes: Iterable[Mapping[str, Any]]) -> list[str]:
        """Write notes side by side, as each waits for the disk or for the network; all are durable on return."""
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            return list(threads.map(self.put, repeat(token), notes))

    def name(self, token: str, note: Mapping[str, Any]) -> str:
        """What a note will be called, before it is put."""
        return _named(token, written(note))

    def get(self, name: str) -> Mapping[str, Any]:
        """Read a note, checked."""
        try:
            return read_note(self._folder, self._now(name))
        except NotFound:
            self._ledger.head()  # rows may have been forgotten since this process looked last
        try:
            return read_note(self._folder, self._now(name))
        except NotFound:
            raise self._lost(name) from None

    def _now(self, name: str) -> str:
        """The name of the note that stands in its place, by the head that this process has seen last."""
        noted = self._ledger.seen().names.get("erased", "")
        if noted != self._erased[0]:
            self._erased = (noted, read_note(self._folder, noted)["notes"] if noted else {})
        return self._erased[1].get(checked_note(name), name)

    def _lost(self, name: str) -> NotFound | Corrupt:
        removed = self._ledger.removed_by(note_path(name))
        if removed is None:
            return Corrupt(f"{note_path(name)} is missing. Restore it from a backup: nowthen verify --repair.")
        return NotFound(
            f"{note_path(name)} was removed by entry {removed.number} ({removed.what}). "
            f"Versions before {self._ledger.seen().oldest} are no longer kept: read as of that one or later."
        )
