"""The definitions of a store, as its user meets them: plan, apply, versions, names, lineage, files for review."""

from __future__ import annotations

from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..engine.errors import Conflict, Invalid
from ..engine.language.service import FeatureService
from ..engine.language.source import Rows, SourceSpec
from ..engine.language.view import FeatureView
from .listing import Listing
from .ports import Here

if TYPE_CHECKING:
    from .definitions.changes import Changes
    from .definitions.definition_note import Definition
    from .definitions.lineage import Graph
    from .definitions.registry import Registry

_TRIES = 20


class Definitions:
    """What a store knows of sources, views and services."""

    here: Here
    registry: Registry

    # -- changing -------------------------------------------------------------------------------------------------------
    def plan(self, definitions: Any) -> Changes:
        """What applying services, views and sources would change, with expressions before and after, without changing it."""
        from .definitions.changes import changes

        return changes(self.registry, definitions)

    def apply(self, definitions: Any, *, force: bool = False) -> Changes:
        """Register services, views and sources, and all they need, at once; what is there already stays as it is.

        Refused with `Conflict` where a service, training set or snapshot holds on to what would be lost, unless `force`.
        """
        from .definitions.given import definitions_of

        return self._applied(definitions_of(definitions), "apply", force=force)

    def rollback(self, name: str, *, to: str, force: bool = False) -> Changes:
        """Make an earlier version of a definition the current one; `to` is the beginning of its hash."""
        if not to or "@" in name:
            raise Invalid(f"rollback({name!r}, to={to!r}): pass the name, and the beginning of a hash as to=.")
        from .definitions.renaming import named_now

        one = self.registry.named(name)
        wanted = self.registry.find(one.kind, f"{one.name}@{to}")
        return self._applied([named_now(self.registry, wanted, one.name)], "rollback", force=force)

    def rename(self, old: str, new: str) -> Definition:
        """Give a view or service another name; its versions, and what was backfilled of it, stay with it."""
        from .definitions.renaming import renamed

        return renamed(self.registry, old, new)

    def deprecate(self, name: str, *, because: str | None, instead: str | None = None) -> Definition:
        """Mark a definition as no longer to be used, with the reason and what to use instead; `because=None` undoes that."""
        from .definitions.registry import Write

        one = self.registry.named(name)
        said = None if because is None else {"because": because, "instead": instead}
        write = Write(one.kind, one.name, replace(one, deprecated=said, note=None), one.note)
        self.registry.write([write], kind="deprecate", what=f"deprecate {one.kind} {one.name}", check=lambda _: None)
        return self.registry.find(one.kind, one.name)

    def remove(self, name: str, *, force: bool = False) -> None:
        """Take a definition away. Refused with `Conflict` and the list of users where somebody holds on to it, unless `force`.

        A service that is published is no longer served then. Rows and backfilled columns stay.
        """
        from .definitions.removing import removed

        removed(self.registry, name, force=force)

    # -- looking --------------------------------------------------------------------------------------------------------
    def service(self, name: str) -> FeatureService:
        """The service of that name, or of `name@<hash prefix>`."""
        made: FeatureService = self.registry.used("service", name)
        return made

    def view(self, name: str) -> type[FeatureView]:
        """The view of that name, or of `name@<hash prefix>`."""
        made: type[FeatureView] = self.registry.used("view", name)
        return made

    def source(self, name: str) -> SourceSpec:
        """The source of that name, without its data."""
        made: Rows = self.registry.used("source", name)
        return made.spec

    def versions(self, name: str) -> Listing[Definition]:
        """All definitions that a name ever had, the first one first."""
        one = self.registry.named(name)
        return Listing(self.registry.versions(one.kind, one.name))

    def lineage(self, name: str) -> Graph:
        """What a column, feature, view, service, training set or model is made from, and what is made from it."""
        from .definitions.lineage import lineage

        return lineage(self.registry, self.registry.entry(), name)

    # -- files ----------------------------------------------------------------------------------------------------------
    def export(self, folder: str | PathLike[str]) -> list[Path]:
        """Write all definitions as JSON files for review in git, and remove the files of those that no longer exist; returns the files."""
        from .definitions.definition_files import exported

        return exported(self.registry.current().values(), folder)

    def plan_import(self, folder: str | PathLike[str]) -> Changes:
        """What importing exported definitions would change."""
        from .definitions.changes import changes_of
        from .definitions.definition_files import imported

        return changes_of(self.registry, imported(folder))

    def import_(self, folder: str | PathLike[str], *, force: bool = False) -> Changes:
        """Register the definitions in a folder that `export` wrote, all or nothing."""
        from .definitions.definition_files import imported

        return self._applied(imported(folder), "apply", force=force)

    def _applied(self, definitions: list[Definition], kind: str, *, force: bool) -> Changes:
        """Plan and apply; where another was first, look again: what is refused then is refused by what there is now."""
        from .definitions.changes import changes_of

        for _ in range(_TRIES):
            planned = changes_of(self.registry, definitions, kind=kind)
            try:
                return planned.apply(force=force)
            except Conflict:
                if self.registry.entry().number == planned.entry.number:
                    raise
        return planned.apply(force=force)
