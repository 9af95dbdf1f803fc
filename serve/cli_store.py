"""Commands about what a store holds: rows, versions, training sets, and its care."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from ..engine.errors import Invalid, NotFound, did_you_mean
from .cli_options import DefinitionsOption, JsonOption, StoreOption
from .cli_report import reported, show
from .definitions import load
from .settings import definitions_path, settings
from .store_here import store_here

DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be done; do nothing.")]
Place = Annotated[str, typer.Argument(metavar="PLACE", help="A folder, or an address such as s3://bucket/folder.")]
Out = Annotated[str | None, typer.Option(metavar="FILE", help="Write a Parquet file instead of printing rows.")]
Limit = Annotated[int, typer.Option(help="How many to show at most.")]


def history(limit: Limit = 20, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """List the versions of the store, the newest last: when each came, and what it did."""
    with reported(as_json):
        place = store_here(store)
        tags = {number: name for name, number in place.tags().items()}
        entries = place.history()[-max(limit, 1) :]
        facts = [
            {
                "version": one.number, "at": _time(one.at), "kind": one.kind, "what": one.what, "job": one.job,
                "moved": sorted(one.moved), "tag": tags.get(one.number),
            }
            for one in entries
        ]  # fmt: skip
        show(facts, as_json, lambda _: "\n".join(map(_line, facts)) or "nothing was stored yet")


def tag(
    name: Annotated[str, typer.Argument(help="A name for a version of the store.")],
    version: Annotated[int | None, typer.Option(help="Which version; else the newest.")] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Take the tag away.")] = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Name a version of the store, so that cleanup keeps it."""
    with reported(as_json):
        place = store_here(store)
        if remove:
            place.untag(name)
            show({"tag": name, "version": None}, as_json, lambda _: f"took tag {name} away")
        else:
            number = place.tag(name, version)
            show({"tag": name, "version": number}, as_json, lambda _: f"version {number} is {name}")


def compact(
    name: Annotated[str | None, typer.Argument(help="A source or a backfilled view; else all.")] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Merge the files of sources and of backfilled views, so that there are few again; rows and values stay as they are."""
    with reported(as_json):
        done = store_here(store).compact(name)
        show([vars(one) for one in done], as_json, lambda _: "\n".join(map(str, done)) or "no rows yet")


def cleanup(
    keep: Annotated[str, typer.Option(help="Versions younger than that are kept.")] = "30d",
    versions: Annotated[int, typer.Option(help="So many of the newest versions are kept.")] = 100,
    dry_run: DryRun = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Remove files that only old versions need. Tagged versions and training sets stay. Works on a full disk too."""
    with reported(as_json):
        done = store_here(store).cleanup(keep=keep, versions=versions, dry_run=dry_run)
        show(asdict(done), as_json, lambda _: str(done))


def verify(
    repair: Annotated[bool, typer.Option("--repair", help="Make whole what can be made whole.")] = False,
    backup: Annotated[str | None, typer.Option(metavar="PLACE", help="A backup to repair from.")] = None,
    store: StoreOption = None,
    definitions: DefinitionsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read every byte and compare it with its digest; damaged files are named. Exit code 1 where something is damaged.

    With --repair files come back from a backup, and rows from the sources of the definitions, where these still have them.
    """
    with reported(as_json):
        if backup and not repair:
            raise Invalid("--backup is what --repair repairs from. Say both.")
        known = settings(None, definitions)
        sources = load(definitions_path(known)).sources if repair and known.definitions else {}
        done = store_here(store).scrub(repair=repair, backup=backup, sources=list(sources.values()))
        show({**asdict(done), "whole": done.whole}, as_json, lambda _: str(done))
        raise typer.Exit(0 if done.whole else 1)


def backup(to: Place, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Copy to another place what it does not have yet. The same command again adds what is new."""
    with reported(as_json):
        done = store_here(store).backup(to)
        show(asdict(done), as_json, lambda _: str(done))


def restore(
    backup: Place,
    to: Annotated[str, typer.Argument(metavar="STORE", help="Where the store is to be; there must be none.")],
    as_json: JsonOption = False,
) -> None:
    """Copy a backup back, and make sure that it is whole."""
    with reported(as_json):
        from ..store.store_care import restore as restored

        done = restored(backup, to)
        show(asdict(done), as_json, lambda _: str(done))


def forget(
    entity: Annotated[str, typer.Argument(help="The entity, such as customer.")],
    keys: Annotated[str, typer.Argument(help="""Keys as JSON, such as '{"customer_id": [1, 2]}'.""")],
    yes: Annotated[bool, typer.Option("--yes", help="Really: it cannot be undone.")] = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Erase all rows of some keys, from every version, training set, snapshot and log, and say what was done."""
    with reported(as_json):
        from .json_values import parsed

        place = store_here(store)
        found, given = _entity(place, entity), parsed(keys.encode())
        if not yes:
            raise Invalid(f"forgetting {given} of {entity} in {place!r} cannot be undone. Say --yes if it is meant.")
        done = place.forget(found, given)
        show(asdict(done), as_json, lambda _: str(done))


def scan(
    name: Annotated[str, typer.Argument(help="A view that was backfilled, or a source.")],
    start: Annotated[str | None, typer.Option("--from", metavar="TIME", help="The first time.")] = None,
    to: Annotated[str | None, typer.Option("--to", metavar="TIME", help="The end, itself not in it.")] = None,
    as_of: Annotated[
        str | None, typer.Option(metavar="VERSION", help="As the store stood: a version or an ISO time.")
    ] = None,
    every: Annotated[str | None, typer.Option(metavar="STEP", help="Which grid, where a view has several.")] = None,
    holes: Annotated[
        str, typer.Option(metavar="raise|null", help="Where something was not computed: refuse, or give nulls.")
    ] = "raise",
    limit: Limit = 20,
    out: Out = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what was backfilled of a view, or the rows of a source."""
    with reported(as_json):
        rows = store_here(store).scan(name, start, to, as_of=version_of(as_of), every=every, holes=holes)
        if out is None:
            _rows(rows.head(limit).collect(), as_json)
        else:
            rows.sink_parquet(out)
            show({"file": out}, as_json, lambda _: f"wrote {out}")


def training(
    name: Annotated[str | None, typer.Argument(help="A saved training set; without it all are listed.")] = None,
    diff: Annotated[str | None, typer.Option(metavar="OTHER", help="What became of it in another one.")] = None,
    out: Out = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """List saved training sets, show one, write it to a file, or compare two."""
    with reported(as_json):
        place = store_here(store)
        if name is None:
            listed = place.training_sets()
            show(
                [one.as_json() for one in listed],
                as_json,
                lambda _: "\n".join(map(repr, listed)) or "none was saved yet",
            )
            return
        one = place.open_training_set(name)
        if diff is not None:
            found = one.diff(place.open_training_set(diff))
            show(found.as_json(), as_json, lambda _: repr(found))
        elif out is not None:
            one.collect().write_parquet(out)
            show({"file": out, "rows": one.rows}, as_json, lambda _: f"wrote {one.rows:,} rows into {out}")
        else:
            show(one.as_json(), as_json, lambda _: repr(one))


def version_of(given: str | None) -> int | datetime | None:
    """A version of the store: its number, or the time it stood at."""
    if given is None or (given.isascii() and given.isdigit()):
        return None if given is None else int(given)
    try:
        moment = datetime.fromisoformat(given)
    except ValueError:
        raise Invalid(
            f"{given!r} is neither a version, a whole number, nor a time such as 2026-01-31T12:00Z."
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _entity(place: Any, name: str) -> Any:
    """The entity of that name, as the sources in the store know it."""
    sources = [one.made().spec for (kind, _), one in place.registry.current().items() if kind == "source"]
    known = {entity.name: entity for source in sources for entity in source.entities}
    if name not in known:
        raise NotFound(f"no source in the store is about an entity {name!r}. {did_you_mean(name, known)}")
    return known[name]


def _rows(frame: Any, as_json: bool) -> None:
    from .json_values import plain

    columns = {column.name: plain(column) for column in frame.get_columns()}
    show(columns, as_json, lambda _: str(frame))


def _time(at: int) -> str:
    moment = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=at)
    return moment.isoformat(sep=" ", timespec="seconds").removesuffix("+00:00")


def _line(one: dict[str, Any]) -> str:
    named = f"  [{one['tag']}]" if one["tag"] else ""
    return f"{one['version']:6}  {one['at']}  {one['what']}{named}"
