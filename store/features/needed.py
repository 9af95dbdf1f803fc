"""Which former columns of a view are still needed: those whose hash something names that can still be asked for.

That is every version of a definition that is registered, so that going back to one computes nothing; every saved training set; and each version of
the store that a cleanup keeps, with what was registered and filled last then. What only older versions of the table have they keep themselves.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

from ...engine.errors import NowThenError
from ...engine.language.service import references
from ..care.reachable import kept_entries
from ..definitions.definition_note import Definition
from ..ports import Entry, Here

_NAMING = ("view/", "training/", "definition/view/", "definition/service/")


class Needed:
    """What is needed at one head or another; each note is read once."""

    def __init__(self, here: Here) -> None:
        self._here = here
        self._read: dict[str, _Names] = {}

    def among(self, head: Entry, hashes: Collection[str]) -> set[str]:
        """Those of some hashes of features that are needed."""
        left = set(hashes)
        for named in self._named(head) if left else ():
            left = left - named if named is not None else set()
            if not left:
                break
        return set(hashes) - left

    def of(self, entry: Entry, name: str, otherwise: Collection[str]) -> set[str]:
        """The hashes that what an entry has under a name says; others where it has nothing, or that cannot be told."""
        note = entry.names.get(name)
        hashes = None if note is None else self._of(note).hashes
        return set(otherwise if hashes is None else hashes)

    def _named(self, head: Entry) -> Iterator[frozenset[str] | None]:
        """What each note names: those of the head, then of the other versions that are kept, the newest first."""
        passed: set[str] = set()
        for entry in self._entries(head):
            waiting = [note for name, note in entry.names.items() if name.startswith(_NAMING)]
            while waiting:
                note = waiting.pop()
                if note not in passed:
                    passed.add(note)
                    found = self._of(note)
                    waiting += found.before
                    yield found.hashes

    def _entries(self, head: Entry) -> Iterator[Entry]:
        yield head
        yield from reversed(kept_entries(self._here, head, head.oldest)[:-1])

    def _of(self, note: str) -> _Names:
        if note not in self._read:
            self._read[note] = _names(note, self._here.notes.get(note))
        return self._read[note]


class _Names(NamedTuple):
    """The hashes that a note names (None: that cannot be told), and the note that it took the place of."""

    hashes: frozenset[str] | None
    before: tuple[str, ...] = ()


def _names(name: str, note: Mapping[str, Any]) -> _Names:
    if note["kind"] == "view":
        return _Names(frozenset(note["columns"].values()))
    if note["kind"] == "training":
        return _Names(frozenset(version for _, _, version in note["features"].values()))
    before = () if note["previous"] is None else (note["previous"],)
    try:
        made = Definition.noted(name, note).made()
    except NowThenError:  # an operator of it is not installed
        return _Names(None, before)
    return _Names(frozenset(one.view.version(one.name) for one in references(made)), before)
