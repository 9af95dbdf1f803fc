"""What the entries of a store need: all files that one can come to from their names, through notes.

Cleanup removes the rest, backup copies this, verify reads it. What a note reaches is said by its own kind (kinds.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..ledger import as_of
from ..ledger.notes import note_path
from ..ports import Entry, Here
from .kinds import held

HELD_UNDER = ("features", "notes", "snapshots", "tables", "training")  # the folders of what entries need


def for_servers(path: str) -> bool:
    """Whether this is the copy of a snapshot's note that servers look at: it is replaced and never removed.

    >>> for_servers("snapshots/shop.json"), for_servers("snapshots/sales.customer_id/00000007-1f/shard-0000.arrow")
    (True, False)
    """
    return path.startswith("snapshots/") and path.count("/") == 1


def note_of(path: str) -> str | None:
    """The name of the note at a path, if one stands there.

    >>> note_of("notes/0123-abcd.json"), note_of("training/x.parquet")
    ('0123-abcd', None)
    """
    return path.removeprefix("notes/").removesuffix(".json") if path.startswith("notes/") else None


def erased_notes(here: Here, head: Entry) -> Mapping[str, str]:
    """For each note whose rows were forgotten the one in its place."""
    name = head.names.get("erased")
    return {} if name is None else here.notes.get(name)["notes"]


def kept_entries(here: Here, head: Entry, oldest: int) -> list[Entry]:
    """The entries from `oldest` to the head, and older ones that are pinned; rising."""
    older = {number for number in as_of.pinned(here.folder, head) if 0 < number < oldest}  # 0: rows of logs alone
    return [here.ledger.entry(number) for number in (*sorted(older), *range(max(oldest, 1), head.number))] + [head]


class Reach:
    """The files that entries need, with a memory: a note is read once, however many entries name it."""

    def __init__(self, here: Here, head: Entry) -> None:
        self._here, self._head = here, head
        self._erased = erased_notes(here, head)
        self._next: dict[str, tuple[str, ...]] = {}

    def of(self, entries: Iterable[Entry]) -> set[str]:
        """The paths of all notes and files that these entries need."""
        found: set[str] = set()
        for entry in entries:
            # Only writers that are at work look at what was removed; older lists may be gone themselves.
            listed = [entry.removed] if entry.removed and entry.number >= self._head.oldest else []
            for name in (*entry.names.values(), *listed):
                self._collect(name, found)
        return found

    def _collect(self, top: str, found: set[str]) -> None:
        left = [self._now(top)]
        while left:
            name = left.pop()
            if note_path(name) in found:
                continue
            found.add(note_path(name))
            for path in self._reached(name):
                inner = note_of(path)
                if inner is None:
                    found.add(path)
                else:
                    left.append(self._now(inner))

    def _now(self, name: str) -> str:
        return self._erased.get(name, name)

    def _reached(self, name: str) -> tuple[str, ...]:
        if name not in self._next:
            note = self._here.notes.get(name)
            self._next[name] = tuple(held(note["kind"]).reaches(self._here, note))
        return self._next[name]
