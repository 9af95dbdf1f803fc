"""Definitions taken away, as far as nobody holds on to them."""

from __future__ import annotations

from ...engine.errors import Invalid
from ..ports import Entry
from ..snapshots.manifest import put_copy
from .breaking import lost, users
from .changes import refuse
from .registry import Registry, Write


def removed(registry: Registry, name: str, *, force: bool) -> None:
    """Take a definition away; `Conflict` names who holds on to it."""
    if "@" in str(name):
        raise Invalid(f"remove({name!r}): versions are never removed; pass the name alone.")
    one = registry.named(name)
    gone = lost(one, None)

    def check(head: Entry) -> None:
        if not force:
            refuse(gone, users(registry, head, gone, [one.title]))

    def also(_: Entry) -> dict[str, None]:
        return {f"snapshot/{one.name}": None} if one.kind == "service" else {}

    write = Write(one.kind, one.name, None, one.note)
    registry.write([write], kind="remove", what=f"remove {one.kind} {one.name}", check=check, also=also)
    if one.kind == "service":
        put_copy(registry.here, one.name)
