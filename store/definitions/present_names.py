"""The names that views and services have now, of what older notes name: renaming changes no note that is there.

Who wrote a note as of an entry meant the definition that had the name then; that one is found again as an earlier version of another.
"""

from __future__ import annotations

from functools import cached_property

from ..ports import Entry
from .definition_note import Definition, key_of
from .registry import Registry


class PresentNames:
    """The names at an entry of what was named before."""

    def __init__(self, registry: Registry, entry: Entry) -> None:
        self._registry = registry.at(entry)

    def of(self, kind: str, name: str, number: int = 0) -> str:
        """The present name of what had a name at the entry of that number (0: nobody knows when); the same name where nothing was renamed."""
        then = self._registry.here.ledger.entry(number).names.get(key_of(kind, name)) if number else None
        return self._by_note.get(then or "") or self.renamed(kind).get(name, name)

    def renamed(self, kind: str) -> dict[str, str]:
        """Former names of definitions of a kind, which nothing else has now, and the present ones."""
        return {old: new for (one, old), new in self._former.items() if one == kind}

    @cached_property
    def _versions(self) -> list[tuple[Definition, Definition]]:
        """Each current view and service with each version of it."""
        current = [one for one in self._registry.current().values() if one.kind != "source"]
        return [(one, earlier) for one in current for earlier in self._registry.versions(one.kind, one.name)]

    @cached_property
    def _by_note(self) -> dict[str, str]:
        return {earlier.note: one.name for one, earlier in self._versions if earlier.note is not None}

    @cached_property
    def _former(self) -> dict[tuple[str, str], str]:
        taken = {one.title for one, _ in self._versions}
        return {earlier.title: one.name for one, earlier in self._versions if earlier.title not in taken}
