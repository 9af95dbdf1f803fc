"""What an apply would change: each source, view and service against the registry, by content hash."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from ...engine.errors import Conflict
from ..ports import Entry
from .breaking import REMOVED, Lost, User, lost, missing, users
from .definition_diff import Difference, differences
from .definition_note import Definition
from .given import definitions_of, of_one_name_each
from .registry import Registry, Write

_MARKS = {"new": "+", "changed": "~", "breaking": "!", "reworded": '"', "unchanged": "="}
_WRITES = ("new", "changed", "breaking", "reworded")


@dataclass(frozen=True, repr=False)
class Change:
    """One definition and what applying it does.

    `state` is new, changed, breaking (somebody holds on to what it loses), reworded (owner, tags, text; the values stay) or unchanged.
    """

    state: str
    definition: Definition
    before: Definition | None
    differences: tuple[Difference, ...] = ()
    lost: Lost | None = None
    users: tuple[User, ...] = ()  # of what is lost

    @property
    def detail(self) -> str:
        """Which parts differ, as in `+added, -removed, ~changed`."""
        return ", ".join(f"{one.sign}{one.part}" for one in self.differences)

    def __repr__(self) -> str:
        one = self.definition
        was = f" (was {self.before.version[:12]})" if self.before and self.before.version != one.version else ""
        detail = f": {self.detail}" if self.differences else ""
        said = " (deprecated)" if one.deprecated else ""
        head = f"{_MARKS[self.state]} {self.state:9} {one.kind:7} {one.name} {one.version[:12]}{said}{was}{detail}"
        lines = [line for difference in self.differences for line in str(difference).splitlines()]
        lines += [f"{part} {what}" for part, what in (self.lost or {}).items() if self.users and what != REMOVED]
        lines += [f"used by {user}" for user in self.users]
        return "\n".join([head, *(f"      {line}" for line in lines)])


class Changes:
    """A plan of an apply. Print it, then `apply()` it."""

    def __init__(self, registry: Registry, entry: Entry, changes: Iterable[Change], *, kind: str = "apply") -> None:
        self._registry = registry
        self._kind = kind
        self.entry = entry  # what it was compared with
        self.changes = tuple(changes)
        self._done = False

    @property
    def is_empty(self) -> bool:
        """True where applying does nothing."""
        return all(change.state == "unchanged" for change in self.changes)

    @property
    def breaking(self) -> tuple[Change, ...]:
        """The changes that `apply` refuses unless it is forced."""
        return tuple(change for change in self.changes if change.state == "breaking")

    def apply(self, *, force: bool = False) -> Changes:
        """Register what is new or changed, all or nothing; returns the plan.

        `Conflict` names who holds on to what would be lost, unless `force`; and where somebody else changed one of the definitions since.
        """
        ledger = self._registry.here.ledger
        if self.is_empty or self._done:
            ledger.vouch(ledger.head())
        else:
            writes = [_write(change) for change in self.changes]
            self._registry.write(writes, kind=self._kind, what=self._what, check=self._unforced if not force else _any)
            self._done = True
        return self

    @cached_property
    def _what(self) -> str:
        names = [f"{one.definition.kind} {one.definition.name}" for one in self.changes if one.state in _WRITES]
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        return f"{self._kind} {', '.join(names[:3])}{more}"

    def _unforced(self, head: Entry) -> None:
        """Refuse where somebody at the head holds on to what is lost, and what reads something that is not there."""
        titles = {change.definition.title for change in self.changes}
        gone = {part: what for change in self.changes for part, what in (change.lost or {}).items()}
        refuse(gone, users(self._registry, head, gone, titles) if gone else [])
        _refuse_missing(missing(self._registry.at(head), [change.definition for change in self.changes]))

    def __repr__(self) -> str:
        states = [change.state for change in self.changes]
        counts = ", ".join(f"{states.count(state)} {state}" for state in _MARKS if state in states)
        lines = [line for change in self.changes for line in str(change).splitlines()]
        return "\n".join([f"plan: {counts or 'nothing'}", *(f"  {line}" for line in lines)])

    def _repr_html_(self) -> str:
        lines = "".join(
            f"<tr><td>{one.state}</td><td>{one.definition.kind}</td><td>{html.escape(one.definition.name)}</td>"
            f"<td><code>{one.definition.version[:12]}</code></td><td>{_shown(one)}</td></tr>"
            for one in self.changes
        )
        return f"<table><tr><th>change</th><th>kind</th><th>name</th><th>version</th><th></th></tr>{lines}</table>"


def refuse(gone: Lost, held: Iterable[User]) -> None:
    """Raise `Conflict` where there are users of what is gone."""
    hurt = list(held)
    if hurt:
        parts = "; ".join(f"{user.what} {gone[user.what]}" for user in {user.what: user for user in hurt}.values())
        listed = ", ".join(f"{user.kind} {user.name}" for user in hurt)
        raise Conflict(f"{parts}, but it is used by {listed}. Change these first, or pass force=True (--force).")


def _refuse_missing(parts: Mapping[str, Definition]) -> None:
    for part, one in parts.items():
        raise Conflict(
            f"{one.kind} {one.name!r} reads {part}, which is not registered. Apply that along with it, or pass force=True (--force)."
        )


def changes(registry: Registry, given: Any) -> Changes:
    """What applying services, views and sources, and all they need, would change."""
    return changes_of(registry, definitions_of(given))


def changes_of(registry: Registry, definitions: Iterable[Definition], *, kind: str = "apply") -> Changes:
    """What registering these definitions would change."""
    wanted, entry = of_one_name_each(definitions), registry.entry()
    there = registry.at(entry).current()
    titles = {one.title for one in wanted}
    found = [_change(registry, entry, titles, one, there.get(one.title)) for one in wanted]
    return Changes(registry, entry, found, kind=kind)


def _change(
    registry: Registry, entry: Entry, titles: set[tuple[str, str]], given: Definition, before: Definition | None
) -> Change:
    if before is None:
        return Change("new", given, None)
    if before.id == given.id:
        return Change("unchanged", before, before)
    after = replace(given, deprecated=before.deprecated, renamed_from=before.renamed_from, note=None)
    gone = lost(before, after)
    hurt = tuple(users(registry, entry, gone, titles)) if gone else ()
    if before.version == given.version and not gone:
        return Change("reworded", after, before)
    return Change("breaking" if hurt else "changed", after, before, differences(before, after), gone, hurt)


def _write(change: Change) -> Write:
    compared = None if change.before is None else change.before.note
    return Write(change.definition.kind, change.definition.name, change.definition, compared)


def _any(_: Entry) -> None:
    """No objection."""


def _shown(change: Change) -> str:
    lines = [str(one) for one in change.differences] + [f"used by {user}" for user in change.users]
    return "<br>".join(html.escape(line).replace("\n", "<br>") for line in lines)
