"""Commands about what a store holds: rows, versions, training sets, and its care."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from ..engine.errors import Invalid, NotFound, did_you_mean
from ..engine.language.instant import datetime_of
from .cli_options import DefinitionsOption, JsonOption, StoreOption
from .cli_report import reported, show
from .definitions import load
from .out_file import checked_out
from .settings import definitions_path, settings
from .store_here import stored_here

DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be done; do nothing.")]
Place = Annotated[str, typer.Argument(metavar="PLACE", help="A folder, or an address such as s3://bucket/folder.")]
Out = Annotated[str | None, typer.Option(metavar="FILE", help="Write a Parquet file instead of printing rows.")]
Limit = Annotated[int, typer.Option(help="How many to show at most.")]


def history(limit: Limit = 20, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """List the versions of the store, the newest last: when each was made, and what it did."""
    with reported(as_json):
        place = stored_here(store)
        tags = {number: name for name, number in place.tags().items()}
        entries = place.history()[-_at_least_one(limit) :]
        facts = [
            {
                "version": one.number, "at": _time(one.at), "kind": one.kind, "what": one.what, "job": one.job,
                "moved": sorted(one.moved), "tag": tags.get(one.number),
            }
            for one in entries
        ]  # fmt: skip
        show(facts, as_json, lambda _: "\n".join(map(_line, facts)) or "nothing has been stored yet")


def tag(
    name: Annotated[str, typer.Argument(help="A name for a version of the store.")],
    version: Annotated[int | None, typer.Option(help="Which version. Default: the newest.")] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Remove the tag.")] = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Name a version of the store, so that cleanup keeps it."""
    with reported(as_json):
        place = stored_here(store)
        if remove:
            place.untag(name)
            show({"tag": name, "version": None}, as_json, lambda _: f"removed tag {name}")
        else:
            number = place.tag(name, version)
            show({"tag": name, "version": number}, as_json, lambda _: f"version {number} is {name}")


def compact(
    name: Annotated[str | None, typer.Argument(help="A source or a backfilled view. Default: all.")] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Merge the files of sources and of backfilled views into few; rows and values stay as they are."""
    with reported(as_json):
        done = stored_here(store).compact(name)
        show([vars(one) for one in done], as_json, lambda _: "\n".join(map(str, done)) or "no rows yet")


def cleanup(
    keep: Annotated[str, typer.Option(help="Keep versions younger than this.")] = "30d",
    versions: Annotated[int, typer.Option(help="How many of the newest versions to keep.")] = 100,
    dry_run: DryRun = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Remove files that only old versions need. Tagged versions and training sets stay. Works on a full disk too."""
    with reported(as_json):
        done = stored_here(store).cleanup(keep=keep, versions=versions, dry_run=dry_run)
        show(asdict(done), as_json, lambda _: str(done))


def verify(
    repair: Annotated[bool, typer.Option("--repair", help="Repair what can be repaired.")] = False,
    backup: Annotated[str | None, typer.Option(metavar="PLACE", help="A backup to repair from.")] = None,
    store: StoreOption = None,
    definitions: DefinitionsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read every byte and compare it with its digest; damaged files are named. Exit code 1 if anything is damaged.

    With --repair, files come back from a backup, and rows from the sources in the definitions, if these still have them.
    """
    with reported(as_json):
        if backup and not repair:
            raise Invalid("--backup is what --repair repairs from. Pass both.")
        known = settings(None, definitions)
        sources = load(definitions_path(known)).sources if repair and known.definitions else {}
        done = stored_here(store).scrub(repair=repair, backup=backup, sources=list(sources.values()))
        show({**asdict(done), "whole": done.whole}, as_json, lambda _: str(done))
        raise typer.Exit(0 if done.whole else 1)


def backup(to: Place, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Copy the store to another place. The same command again adds what is new."""
    with reported(as_json):
        done = stored_here(store).backup(to)
        show(asdict(done), as_json, lambda _: str(done))


def restore(
    backup: Place,
    to: Annotated[str, typer.Argument(metavar="STORE", help="Where to put the store; there must not be one yet.")],
    as_json: JsonOption = False,
) -> None:
    """Copy a backup back, and check that it is undamaged."""
    with reported(as_json):
        from ..store.store_care import restore as restored

        done = restored(backup, to)
        show(asdict(done), as_json, lambda _: str(done))


def forget(
    entity: Annotated[str, typer.Argument(help="The entity, such as customer.")],
    keys: Annotated[str, typer.Argument(help="""Keys as JSON, such as '{"customer_id": [1, 2]}'.""")],
    yes: Annotated[bool, typer.Option("--yes", help="Confirm: this cannot be undone.")] = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Erase all rows of some keys, from every version, training set, snapshot and log, and say what was done."""
    with reported(as_json):
        from .json_values import argument

        place = stored_here(store)
        found, given = _entity(place, entity), argument(keys, "the argument KEYS")
        if not yes:
            raise Invalid(f"forgetting {given} of {entity} in {place!r} cannot be undone. Pass --yes to confirm.")
        done = place.forget(found, given)
        show(asdict(done), as_json, lambda _: str(done))


def scan(
    name: Annotated[str, typer.Argument(help="A view that was backfilled, or a source.")],
    start: Annotated[str | None, typer.Option("--from", metavar="TIME", help="The first time.")] = None,
    to: Annotated[str | None, typer.Option("--to", metavar="TIME", help="The end (exclusive).")] = None,
    as_of: Annotated[
        str | None, typer.Option(metavar="VERSION", help="The store as it was: a version or an ISO time.")
    ] = None,
    every: Annotated[str | None, typer.Option(metavar="STEP", help="Which grid, if a view has several.")] = None,
    holes: Annotated[
        str, typer.Option(metavar="raise|null", help="What to do if something was not computed: refuse, or give nulls.")
    ] = "raise",
    limit: Limit = 20,
    out: Out = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the backfilled values of a view, or the rows of a source."""
    with reported(as_json):
        _check_times(start, to)
        shown, file = _at_least_one(limit), None if out is None else checked_out(out)
        rows = stored_here(store).scan(name, start, to, as_of=version_of(as_of), every=every, holes=holes)
        if file is None:
            _rows(rows.head(shown).collect(), as_json)
        else:
            rows.sink_parquet(file)
            show({"file": out}, as_json, lambda _: f"wrote {out}")


def training(
    name: Annotated[str | None, typer.Argument(help="A saved training set; without it all are listed.")] = None,
    diff: Annotated[str | None, typer.Option(metavar="OTHER", help="Another training set to compare it with.")] = None,
    out: Out = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """List saved training sets, show one, write it to a file, or compare two."""
    with reported(as_json):
        _check_training(name, diff, out)
        file, place = None if out is None else checked_out(out), stored_here(store)
        if name is None:
            listed = place.training_sets()
            show(
                [one.as_json() for one in listed],
                as_json,
                lambda _: "\n".join(map(repr, listed)) or "none has been saved yet",
            )
            return
        one = place.open_training_set(name)
        if diff is not None:
            found = one.diff(place.open_training_set(diff))
            show(found.as_json(), as_json, lambda _: repr(found))
        elif file is not None:
            one.collect().write_parquet(file)
            show({"file": out, "rows": one.rows}, as_json, lambda _: f"wrote {one.rows:,} rows into {out}")
        else:
            show(one.as_json(), as_json, lambda _: repr(one))


def version_of(given: str | None) -> int | datetime | None:
    """A version of the store: its number, or the time it stood at."""
    if given is None or (given.isascii() and given.isdigit()):
        return None if given is None else int(given)
    try:
        found = datetime.fromisoformat(given)
    except ValueError:
        raise Invalid(
            f"{given!r} is neither a version (a whole number) nor a time such as 2026-01-31T12:00Z."
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _check_training(name: str | None, diff: str | None, out: str | None) -> None:
    """Refuse options that say nothing without a training set, or beside one another."""
    option = "--diff" if diff is not None else "--out"
    if name is None and (diff is not None or out is not None):
        raise Invalid(f"{option} needs the name of a training set: nowthen training NAME {option} {diff or out}.")
    if diff is not None and out is not None:
        raise Invalid("--diff compares two training sets, --out writes one into a file. Pass one or the other.")


def _check_times(start: str | None, to: str | None) -> None:
    """Refuse a stretch of time that ends before it begins."""
    if start is None or to is None:
        return
    from ..store.sources.grid import moment_us

    if moment_us(to, "--to") <= moment_us(start, "--from"):
        raise Invalid(f"--from {start} --to {to} holds no time: --to must come after --from.")


def _at_least_one(limit: int) -> int:
    if limit < 1:
        raise Invalid(f"--limit {limit}: give at least one.")
    return limit


def _entity(place: Any, name: str) -> Any:
    """The entity of that name, as the sources in the store know it."""
    sources = [one.made().spec for (kind, _), one in place.registry.current().items() if kind == "source"]
    known = {entity.name: entity for source in sources for entity in source.entities}
    if name not in known:
        raise NotFound(f"no source in the store has an entity {name!r}. {did_you_mean(name, known)}")
    return known[name]


def _rows(frame: Any, as_json: bool) -> None:
    from .cli_table import table
    from .json_values import plain

    columns = {column.name: plain(column) for column in frame.get_columns()}
    show(columns, as_json, lambda _: table(frame))


def _time(at: int) -> str:
    return datetime_of(at).isoformat(sep=" ", timespec="seconds").removesuffix("+00:00")


def _line(one: dict[str, Any]) -> str:
    named = f"  [{one['tag']}]" if one["tag"] else ""
    return f"{one['version']:6}  {one['at']}  {one['what']}{named}"
