"""What an apply would change: each source, view and service against the registry, by content hash."""

from __future__ import annotations

import html
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ..engine.definition import to_json, version_of
from ..engine.errors import WrongType
from ..engine.nodes import Reference, walk
from ..engine.service import FeatureService
from ..engine.source import Rows, SourceSpec
from ..engine.view import ViewSpec, ViewType
from .registry import KINDS, Entry, Registry
from .training import sources_of

_MARKS = {"new": "+", "changed": "~", "reworded": '"', "unchanged": "="}


@dataclass(frozen=True)
class Change:
    """One definition and what applying it does: new, changed, reworded (owner, text; the values stay) or unchanged."""

    state: str
    entry: Entry
    before: Entry | None
    detail: str = ""

    def __str__(self) -> str:
        entry = self.entry
        was = f" (was {self.before.version[:12]})" if self.before and self.state == "changed" else ""
        return f"{_MARKS[self.state]} {self.state:9} {entry.kind:7} {entry.name} {entry.version[:12]}{was}{self.detail}"


class Changes:
    """A plan of an apply. Print it, then `apply()` it."""

    def __init__(self, registry: Registry, changes: Iterable[Change]) -> None:
        self._registry = registry
        self.changes = tuple(changes)

    @property
    def is_empty(self) -> bool:
        """True where applying does nothing."""
        return all(change.state == "unchanged" for change in self.changes)

    def apply(self) -> Changes:
        """Register what is new or changed, all or nothing; returns the plan."""
        entries = [change.entry for change in self.changes if change.state != "unchanged"]
        if entries:
            self._registry.insert(entries)
        return self

    def __repr__(self) -> str:
        counts = ", ".join(
            f"{n} {state}" for state in _MARKS if (n := sum(change.state == state for change in self.changes))
        )
        return "\n".join([f"plan: {counts}", *(f"  {change}" for change in self.changes)])

    def _repr_html_(self) -> str:
        lines = "".join(
            f"<tr><td>{one.state}</td><td>{one.entry.kind}</td><td>{html.escape(one.entry.name)}</td>"
            f"<td><code>{one.entry.version[:12]}</code></td><td>{html.escape(one.detail)}</td></tr>"
            for one in self.changes
        )
        return f"<table><tr><th>change</th><th>kind</th><th>name</th><th>version</th><th></th></tr>{lines}</table>"


def changes(registry: Registry, given: Any) -> Changes:
    """What applying services, views and sources, and all they need, would change."""
    current = registry.current()
    return Changes(registry, [_change(entry, current.get(entry.title)) for entry in entries_of(given)])


def entries_of(given: Any) -> list[Entry]:
    """The definitions of services, views and sources with all they read: sources first, services last."""
    found: dict[tuple[str, str], Entry] = {}
    for defined in _all(given):
        entry = _entry(defined)
        known = found.setdefault(entry.title, entry)
        if known.id != entry.id:
            raise WrongType(
                f"two different definitions of {entry.kind} {entry.name!r} were given at once. Apply one of them."
            )
    return sorted(found.values(), key=lambda entry: KINDS.index(entry.kind))


def _all(given: Any) -> Iterable[FeatureService | ViewSpec | SourceSpec]:
    if isinstance(given, list | tuple):
        for one in given:
            yield from _all(one)
    elif isinstance(given, FeatureService):
        yield from _behind(given.features.values())
        yield given
    elif isinstance(given, ViewType | ViewSpec):
        view = given if isinstance(given, ViewSpec) else given.spec
        yield from _behind(view.reference(name) for name in view.features)
    elif isinstance(given, Rows | SourceSpec):
        yield given if isinstance(given, SourceSpec) else given.spec
    else:
        raise WrongType(f"{given!r} cannot be applied. Give a service, a view, a source, or a list of them.")


def _behind(references: Iterable[Reference]) -> Iterable[ViewSpec | SourceSpec]:
    """The views that references lead to, and the sources those read."""
    views: dict[int, ViewSpec] = {}
    waiting = [reference.view for reference in references]
    while waiting:
        view = waiting.pop()
        if id(view) not in views:
            views[id(view)] = view
            waiting += [
                node.view for feature in view.features.values() for node in walk(feature) if isinstance(node, Reference)
            ]
    for view in views.values():
        yield from sources_of({name: view.reference(name) for name in view.features})
        yield view


def _entry(defined: FeatureService | ViewSpec | SourceSpec) -> Entry:
    kind = "service" if isinstance(defined, FeatureService) else "view" if isinstance(defined, ViewSpec) else "source"
    return Entry(
        kind, defined.name, version_of(defined), to_json(defined), getattr(defined, "owner", ""), defined.about
    )


def _change(entry: Entry, before: Entry | None) -> Change:
    if before is None:
        return Change("new", entry, None)
    if before.version != entry.version:
        return Change("changed", entry, before, _detail(before, entry))
    return Change("unchanged" if before.id == entry.id else "reworded", entry, before)


def _detail(before: Entry, after: Entry) -> str:
    """Which features or columns differ."""
    old, new = _parts(before), _parts(after)
    words = [f"+{name}" for name in new if name not in old] + [f"-{name}" for name in old if name not in new]
    words += [f"~{name}" for name in new if name in old and old[name] != new[name]]
    return ": " + ", ".join(words) if words else ""


def _parts(entry: Entry) -> dict[str, str]:
    made = entry.made()
    if isinstance(made, FeatureService):
        return {name: reference.key for name, reference in made.features.items()}
    if isinstance(made, ViewType):
        return {name: made.spec.version(name) for name in made.spec.features}
    return {name: str(dtype) for name, dtype in made.spec.schema.items()}
