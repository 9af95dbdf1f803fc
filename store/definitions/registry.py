"""The registry: the definitions that an entry of the ledger names, and how a new entry names others.

An apply is one entry, so it happens whole or not at all. It depends on the definitions it was compared with: where one of them is another by
now, it is refused with `Conflict`, and whoever wants it looks again.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from ...engine.errors import Conflict, Invalid, NotFound, did_you_mean
from ...engine.record import record
from ..folders.names import checked_new
from ..ledger.entry import begun
from ..ports import Entry, Here, Moved
from ..rows import sequence
from .definition_note import KINDS, Definition, key_of

_PREFIX = "definition/"
Check = Callable[[Entry], None]
Also = Callable[[Entry], Mapping[str, str | None]]


def _nothing(_: Entry) -> Mapping[str, str | None]:
    return {}


@record
class Write:
    """What is to become of one name: a definition, or None to take it away; and the note that it was compared with."""

    kind: str
    name: str
    definition: Definition | None
    compared: str | None


class Registry:
    """The definitions of a store: as they are, or as they stood at an entry."""

    def __init__(self, here: Here, entry: Entry | None = None) -> None:
        self.here = here
        self._entry = entry
        self._read: dict[str, Definition] = {}

    def entry(self) -> Entry:
        """The entry whose definitions these are: the head, unless it stands at one."""
        return self._entry or self.here.ledger.head()

    def at(self, entry: Entry) -> Registry:
        """The definitions as they stood at an entry."""
        there = Registry(self.here, entry)
        there._read = self._read  # notes never change
        return there

    # -- looking --------------------------------------------------------------------------------------------------------
    def current(self) -> dict[tuple[str, str], Definition]:
        """The current definition of each (kind, name)."""
        names = self.entry().names
        found = (self.noted(note) for name, note in names.items() if name.startswith(_PREFIX))
        return {one.title: one for one in sorted(found, key=lambda one: (KINDS.index(one.kind), one.name))}

    def find(self, kind: str, name: str) -> Definition:
        """The definition of a name, or of `name@<hash prefix>`; NotFound names the nearest."""
        plain, _, prefix = str(name).partition("@")
        entry = self.entry()
        note = entry.names.get(key_of(kind, plain))
        if note is None:
            raise self._unknown(entry, kind, plain)
        current = self.noted(note)
        return _pinned(self._chain(current), current, prefix) if prefix else current

    def used(self, kind: str, name: str) -> Any:
        """The service, view or source of that name itself; who uses one that is deprecated hears of it."""
        one = self.find(kind, name)
        if one.deprecated is not None:
            instead = f" Use {one.deprecated['instead']!r}." if one.deprecated["instead"] else ""
            because = str(one.deprecated["because"]).rstrip(".")
            said = f"{one.kind} {one.name!r} is deprecated: {because}.{instead}"
            warnings.warn(said, FutureWarning, stacklevel=3)
        return one.made()

    def named(self, name: str) -> Definition:
        """The definition of a name of whatever kind, or of `kind/name`; either may end in `@<hash prefix>`."""
        kind, slash, plain = str(name).partition("/")
        if slash and kind in KINDS:
            return self.find(kind, plain)
        names, wanted = self.entry().names, str(name).partition("@")[0]
        kinds = [kind for kind in KINDS if key_of(kind, wanted) in names]
        if len(kinds) > 1:
            said = " or ".join(f"{kind}/{wanted}" for kind in kinds)
            raise Invalid(f"{wanted!r} is the name of a {' and a '.join(kinds)}. Use {said}.")
        if not kinds:
            known = {key.split("/", 2)[2] for key in names if key.startswith(_PREFIX)}
            raise NotFound(f"no definition is named {wanted!r}. {did_you_mean(wanted, known)}")
        return self.find(kinds[0], name)

    def versions(self, kind: str, name: str) -> list[Definition]:
        """All definitions a name ever had, the first one first."""
        note = self.entry().names.get(key_of(kind, name))
        return [] if note is None else list(self._chain(self.noted(note)))[::-1]

    def noted(self, note: str) -> Definition:
        """The definition in a note."""
        if note not in self._read:
            self._read[note] = Definition.noted(note, self.here.notes.get(note))
        return self._read[note]

    def _chain(self, newest: Definition) -> Iterator[Definition]:
        one: Definition | None = newest
        while one is not None:
            yield one
            one = None if one.previous is None else self.noted(one.previous)

    def _unknown(self, entry: Entry, kind: str, name: str) -> NotFound:
        for (other, known), one in self.current().items():
            if other == kind and one.renamed_from == name:
                return NotFound(f"{kind} {name!r} was renamed. It is {known!r} now.")
        names = [key.split("/", 2)[2] for key in entry.names if key.startswith(f"{_PREFIX}{kind}/")]
        return NotFound(f"no {kind} is named {name!r}. {did_you_mean(name, names)} Apply it first: store.apply(...).")

    # -- changing -------------------------------------------------------------------------------------------------------
    def write(
        self,
        writes: Iterable[Write],
        *,
        kind: str,
        what: str,
        check: Check,
        also: Also = _nothing,
    ) -> Entry:
        """Add an entry that names these definitions, all or none. `Conflict` where one compared with is another by now.

        `check` looks at the head that the entry follows, and refuses. `also` says by it which more names of the ledger move along.
        """
        listed = list(writes)
        changing = [one for one in listed if one.definition is None or one.definition.note is None]
        base = self.here.ledger.head()
        wrote = [key_of(one.kind, one.name) for one in changing]
        work = begun(kind, what, wrote=wrote)
        notes = {key_of(one.kind, one.name): self._put(work.token, one) for one in changing}

        def change(head: Entry) -> Moved:
            for one in listed:
                _compare(head, one, listed)
            check(head)
            return Moved({**notes, **also(head)})

        return self.here.ledger.commit(base, work, change)

    def _put(self, token: str, one: Write) -> str | None:
        if one.definition is None:
            return None
        chained = replace(one.definition, previous=one.compared or one.definition.previous)
        return self.here.notes.put(token, chained.as_note(sequence.now_us()))


def _compare(head: Entry, one: Write, others: Iterable[Write]) -> None:
    if head.names.get(key_of(one.kind, one.name)) != one.compared:
        raise Conflict(f"{one.kind} {one.name!r} was changed by somebody else since this was planned. Plan it again.")
    if one.compared is None and one.definition is not None:
        prefix = f"{_PREFIX}{one.kind}/"
        known = [name.removeprefix(prefix) for name in head.names if name.startswith(prefix)]
        checked_new(one.name, f"a {one.kind}", [*known, *(other.name for other in others if other.kind == one.kind)])


def _pinned(chain: Iterator[Definition], current: Definition, prefix: str) -> Definition:
    versions: dict[str, Definition] = {}
    for one in chain:
        versions.setdefault(one.version, one)
    found = {version: one for version, one in versions.items() if version.startswith(prefix)}
    said = f"{current.kind} {current.name!r}"
    if not found:
        listed = ", ".join(sorted(version[:12] for version in versions))
        raise NotFound(f"{said} has no version {prefix!r}. There are: {listed}.")
    if len(found) > 1:
        raise Invalid(
            f"{said}: {prefix!r} begins {len(found)} versions: {', '.join(sorted(found))}. Use more of its digits."
        )
    return next(iter(found.values()))
