"""Who is hurt by a change: what a definition loses, and which services, views, training sets and snapshots hold on to it.

Lost is a feature, column of a service or column of a source that is gone, has another type, or another key. A feature that is computed in
another way under its name is changed, not lost: its hash is another, and who wants the old one pins it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from ...engine.record import record
from ..ports import Entry
from .definition_note import Definition
from .definition_reads import columns_read, features_of, features_read, keys_of_view, own_features, type_of_feature
from .present_names import PresentNames
from .registry import Registry

Lost = Mapping[str, str]  # `view:feature`, `service name:column` or `source.column`, and what becomes of it
Json = Mapping[str, Any]
REMOVED = "is removed"


@record
class User:
    """Somebody who holds on to something: a service, view, training set or snapshot."""

    kind: str
    name: str
    what: str  # a part it holds on to

    def __repr__(self) -> str:
        return f"{self.kind} {self.name} ({self.what})"


def lost(before: Definition, after: Definition | None) -> dict[str, str]:
    """What is lost where one definition takes the place of another; all of it where none does."""
    old, keys = _parts(before)
    new, other = ({}, {}) if after is None else _parts(after)
    found = {}
    for part, kind in old.items():
        if part not in new:
            found[part] = REMOVED
        elif new[part] != kind:
            found[part] = f"changes from {kind} to {new[part]}"
        elif keys[part] != other[part]:
            found[part] = f"changes its keys from {_said(keys[part])} to {_said(other[part])}"
    return found


def missing(registry: Registry, given: Iterable[Definition]) -> dict[str, Definition]:
    """What some definitions read that is neither registered nor among them, and who reads it."""
    wanted = {one.title: one for one in given}
    there = {part for one in {**registry.current(), **wanted}.values() for part in _parts(one)[0]}
    return {part: one for one in wanted.values() for part in sorted(held_by(one.body) - there)}


def users(
    registry: Registry, entry: Entry, parts: Collection[str], without: Collection[tuple[str, str]] = ()
) -> list[User]:
    """Who holds on to one of these parts at an entry; definitions `without` do not count, as they are about to change."""
    found = [
        User(*holder, min(held & set(parts)))
        for holder, held in _holders(registry, entry)
        if holder not in without and held & set(parts)
    ]
    return sorted(set(found), key=lambda user: (user.kind, user.name))


def _holders(registry: Registry, entry: Entry) -> Iterator[tuple[tuple[str, str], set[str]]]:
    """Everybody, and the parts that each holds on to, by the names that these have now."""
    names = PresentNames(registry, entry)
    for name, note in entry.names.items():
        first, _, rest = name.partition("/")
        if first == "definition":
            one = registry.noted(note)
            yield one.title, held_by(one.body)
        elif first == "snapshot":
            manifest = registry.here.notes.get(note)
            body = manifest["definition"]
            held = {_now(names, part, manifest["store_version"]) for part in held_by(body)}
            yield ("snapshot", rest), held | set(_parts_of_service(body))
        elif first == "training":
            yield ("training set", rest), _held_by_training(registry.here.notes.get(note), names)


def held_by(body: Json) -> set[str]:
    """The parts of other definitions that one reads: features behind features, and columns of sources."""
    features = features_read(body)
    columns = {column for feature in features for column in columns_read(body, feature)}
    others = features - set(own_features(body)) if body["kind"] == "view" else features
    return {f"{view}:{name}" for view, name in others} | columns


def _held_by_training(note: Json, names: PresentNames) -> set[str]:
    features = {_now(names, f"{view}:{feature}", note["entry"]) for view, feature, *_ in note["features"].values()}
    service = names.of("service", (note.get("definition") or {}).get("name", ""), note["entry"])
    return features | {_column_of(service, column) for column in note["features"]}


def _now(names: PresentNames, part: str, number: int) -> str:
    """A part that was held as of an entry, by the name that its view has now; columns of sources keep theirs."""
    view, colon, feature = part.partition(":")
    return f"{names.of('view', view, number)}:{feature}" if colon else part


def _parts(definition: Definition) -> tuple[dict[str, Any], dict[str, Any]]:
    """The parts of a definition with their types and with their keys."""
    body, name = definition.body, definition.name
    if definition.kind == "service":
        features = _parts_of_service(body)
        types = {part: type_of_feature(body, feature) for part, feature in features.items()}
        return types, {part: keys_of_view(body, view) for part, (view, _) in features.items()}
    if definition.kind == "view":
        types = {f"{name}:{feature}": type_of_feature(body, (name, feature)) for feature in features_of(body)}
        return types, dict.fromkeys(types, keys_of_view(body, name))
    source = body["sources"][name]
    types = {f"{name}.{column}": dtype for column, dtype in source["schema"]} | {f"{name}.*": "rows"}
    return types, {part: [] for part in types}


def _parts_of_service(body: Json) -> dict[str, tuple[str, str]]:
    return {_column_of(body["name"], column): (view, feature) for column, view, feature in body["columns"]}


def _column_of(service: Any, column: str) -> str:
    return f"service {service}:{column}"  # a view may have the same name


def _said(keys: list[Any]) -> str:
    return ", ".join(str(name) for name, _ in keys) or "none"
