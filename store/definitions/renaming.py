"""Another name for a view or service, kept with its history: hashes do not know the name of a view, so nothing is computed again.

Definitions that hold the view are written anew under its new name, all in one entry; the columns that were backfilled move along.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from ...engine.errors import Conflict, Invalid, NowThenError
from ..folders.names import checked_new
from ..ports import Entry
from .definition_note import Definition, Json
from .present_names import PresentNames
from .registry import Registry, Write


def renamed(registry: Registry, old: str, new: str) -> Definition:
    """Give the view or service of one name another; returns it."""
    if "@" in str(old):
        raise Invalid(f"rename({old!r}): versions keep their name; pass the name alone.")
    entry = registry.entry()
    one = registry.at(entry).named(old)
    _refuse(registry, entry, one, new)
    writes = [Write(one.kind, one.name, None, one.note), *_writes(registry.at(entry), one, new)]

    def check(head: Entry) -> None:
        seen = {(write.kind, write.name) for write in writes}
        if any(other.title not in seen for other in _holding(registry.at(head), one)):
            raise Conflict(f"somebody began to use {one.kind} {one.name!r} just now. Rename it again.")

    what = f"rename {one.kind} {one.name} to {new}"
    registry.write(writes, kind="rename", what=what, check=check, also=partial(_moved, one, new))
    return registry.find(one.kind, new)


def named_now(registry: Registry, earlier: Definition, name: str) -> Definition:
    """An earlier definition under the name that it has now, with the present names of the views it holds."""
    one = earlier if earlier.name == name else _own(earlier, name)
    for old, new in PresentNames(registry, registry.entry()).renamed("view").items():
        if old in one.body["views"]:
            one = replace(one, body=_body(one.body, old, new))
            _check(one, earlier, new)
    return replace(one, note=None, previous=None)


def _refuse(registry: Registry, entry: Entry, one: Definition, new: str) -> None:
    if one.kind == "source":
        raise Invalid(
            f"source {one.name!r} cannot be renamed: its name is part of the hash of every feature that reads it."
        )
    known = [name for kind, name in registry.at(entry).current() if kind == one.kind]
    if checked_new(new, f"a {one.kind}", [name for name in known if name != one.name]) in known:
        raise Conflict(f"{one.kind} {one.name!r} cannot be renamed to {new!r}: there is one of that name.")
    if one.kind == "service" and f"snapshot/{one.name}" in entry.names:
        raise Conflict(
            f"service {one.name!r} is published under that name. Apply it under the new one, publish that, then remove this."
        )


def _writes(registry: Registry, one: Definition, new: str) -> list[Write]:
    """The definition under its new name, and all definitions that hold it."""
    own = replace(_own(one, new), previous=one.note, renamed_from=one.name, deprecated=one.deprecated)
    writes = [Write(own.kind, new, own, None)]
    for other in _holding(registry, one):
        after = replace(other, body=_body(other.body, one.name, new), note=None)
        _check(after, one, new)
        writes.append(Write(after.kind, after.name, after, other.note))
    return writes


def _holding(registry: Registry, one: Definition) -> list[Definition]:
    """The other definitions that hold a view."""
    others = (other for other in registry.current().values() if other.title != one.title)
    return [other for other in others if one.kind == "view" and one.name in other.body["views"]]


def _own(one: Definition, new: str) -> Definition:
    if one.kind == "view":
        return Definition.of(replace(one.made().spec, name=new))
    return replace(one, name=new, body={**one.body, "name": new}, note=None)


def _body(body: Any, old: str, new: str) -> Json:
    """The JSON of a definition with the view's new name wherever it stands."""
    nodes = [{**node, "view": new} if node.get("view") == old else node for node in body["nodes"]]
    views = {new if name == old else name: view for name, view in body["views"].items()}
    columns = [[column, new if view == old else view, name] for column, view, name in body.get("columns", ())]
    return {**body, "nodes": nodes, "views": views, **({"columns": columns} if "columns" in body else {})}


def _check(after: Definition, one: Definition, new: str) -> None:
    try:
        after.made()
    except NowThenError as error:
        raise Conflict(
            f"view {one.name!r} cannot be renamed to {new!r}: {after.kind} {after.name!r} holds its name in its columns ({error})."
        ) from error


def _moved(one: Definition, new: str, head: Entry) -> dict[str, str | None]:
    """What else of the ledger moves along: the columns that were backfilled, as they are at the head."""
    old, to = f"view/{one.name}", f"view/{new}"
    if one.kind != "view" or old not in head.names:
        return {}
    if to in head.names:
        raise Conflict(
            f"view {one.name!r} cannot be renamed to {new!r}: columns of a view that had that name are kept. Use another name."
        )
    return {old: None, to: head.names[old]}
