"""Commands about definitions: what applying changes, versions and lineage, and files for review."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from ..engine.errors import NotFound, did_you_mean
from .cli_options import DefinitionsOption, JsonOption, Names, StoreOption
from .cli_report import reported, show
from .definitions import Definitions, load
from .settings import definitions_path, settings
from .store_here import store_here, stored_here

Force = Annotated[
    bool,
    typer.Option("--force", help="Go ahead even if a service, training set or snapshot needs what would be lost."),
]
Name = Annotated[
    str, typer.Argument(help="A service, view or source, such as fraud_model; or view/NAME if several have the name.")
]
Folder = Annotated[str, typer.Argument(metavar="FOLDER", help="The folder of JSON files, to be kept in git.")]


def plan(
    names: Names = None, store: StoreOption = None, definitions: DefinitionsOption = None, as_json: JsonOption = False
) -> None:
    """Show what applying the definitions would change. Exit code 0: nothing, 2: changes, 3: breaking ones, 1: an error."""
    with reported(as_json):
        changes = store_here(store).plan(chosen(definitions_here(definitions), names))
        _told(changes, as_json)
        raise typer.Exit(_severity(changes))


def apply(
    names: Names = None,
    force: Force = False,
    store: StoreOption = None,
    definitions: DefinitionsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Register the definitions in the store, all or nothing; breaking changes are refused unless forced."""
    with reported(as_json):
        _told(store_here(store).apply(chosen(definitions_here(definitions), names), force=force), as_json)


def versions(
    name: Annotated[str | None, typer.Argument(help="A definition; without it all current ones.")] = None,
    tables: Annotated[
        bool,
        typer.Option("--tables", help="List the tables instead, each with the number of its current version in Lance."),
    ] = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the versions of a definition, oldest first."""
    with reported(as_json):
        place = stored_here(store)
        if tables:
            from ..store.tables.table_list import tables_of

            found = tables_of(place.here)
            show([vars(one) for one in found], as_json, lambda _: "\n".join(map(str, found)) or "no tables yet")
            return
        listed = place.versions(name) if name else list(place.registry.current().values())
        show(
            [_definition(one) for one in listed],
            as_json,
            lambda _: "\n".join(map(str, listed)) or "nothing applied yet",
        )


def rollback(
    name: Name,
    to: Annotated[str, typer.Option("--to", metavar="HASH", help="The beginning of the version's hash.")],
    force: Force = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make an earlier version of a definition the current one."""
    with reported(as_json):
        _told(stored_here(store).rollback(name, to=to, force=force), as_json)


def rename(
    old: Annotated[str, typer.Argument(help="The name of a view or service.")],
    new: Annotated[str, typer.Argument(help="Its new name.")],
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give a view or service another name; versions and backfilled columns stay with it."""
    with reported(as_json):
        done = stored_here(store).rename(old, new)
        show(_definition(done), as_json, lambda _: str(done))


def deprecate(
    name: Name,
    because: Annotated[
        str | None, typer.Option(help="Why it should no longer be used. Without this option it may be used again.")
    ] = None,
    instead: Annotated[str | None, typer.Option(help="What to use instead.")] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Mark a definition as one that should no longer be used."""
    with reported(as_json):
        done = stored_here(store).deprecate(name, because=because, instead=instead)
        show(_definition(done), as_json, lambda _: str(done))


def remove(name: Name, force: Force = False, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Remove a definition, unless something still needs it. Rows and backfilled columns stay."""
    with reported(as_json):
        stored_here(store).remove(name, force=force)
        show({"removed": name}, as_json, lambda _: f"removed {name}")


def lineage(
    name: Annotated[
        str, typer.Argument(help="A column (tx.amount), feature (view:feature), view, service, training set or model.")
    ],
    mermaid: Annotated[bool, typer.Option("--mermaid", help="Print a Mermaid flow chart.")] = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what something is made from, and what is made from it."""
    with reported(as_json):
        graph = stored_here(store).lineage(name)
        show(graph.as_json(), as_json, lambda _: graph.mermaid() if mermaid else repr(graph))


def export(folder: Folder, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Write all definitions as JSON files for review in git."""
    with reported(as_json):
        files = [str(path) for path in stored_here(store).export(folder)]
        show({"files": files}, as_json, lambda _: f"wrote {len(files)} definitions below {folder}")


def import_(
    folder: Folder,
    force: Force = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan; exit codes as for plan.")] = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Register the definitions that export wrote, all or nothing; each is checked against its hash."""
    with reported(as_json):
        place = store_here(store)
        if not dry_run:
            _told(place.import_(folder, force=force), as_json)
            return
        changes = place.plan_import(folder)
        _told(changes, as_json)
        raise typer.Exit(_severity(changes))


def definitions_here(place: str | None) -> Definitions:
    """The definitions that an option or the settings name."""
    return load(definitions_path(settings(None, place)))


def chosen(found: Definitions, names: list[str] | None) -> list[Any]:
    """Everything, or what is named: services, views, sources."""
    if not names:
        return found.everything
    known: dict[str, Any] = {**found.sources, **found.views, **found.services}
    for name in names:
        if name not in known:
            raise NotFound(f"the definitions hold no {name!r}. {did_you_mean(name, known)}")
    return [known[name] for name in names]


def _told(changes: Any, as_json: bool) -> None:
    show([_change(one) for one in changes.changes], as_json, lambda _: repr(changes))


def _change(one: Any) -> dict[str, Any]:
    return {
        "state": one.state,
        "kind": one.definition.kind,
        "name": one.definition.name,
        "version": one.definition.version,
        "detail": one.detail,
        "differences": [vars(difference) for difference in one.differences],
        "users": [vars(user) for user in one.users],
    }


def _definition(one: Any) -> dict[str, Any]:
    plain = ("kind", "name", "version", "owner", "tags", "about", "created_at", "deprecated", "renamed_from")
    return {part: getattr(one, part) for part in plain}


def _severity(changes: Any) -> int:
    """3 if apply would be refused, 2 for other changes, 0 for none."""
    return 3 if changes.breaking else 0 if changes.is_empty else 2
