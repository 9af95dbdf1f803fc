"""The command line. Every command has `--json`; exit codes are stable: 0 done, 1 an error (`plan`: 2 changes, 3 breaking ones)."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from ..engine.errors import Invalid, NotFound
from . import cli_definitions, cli_store
from .cli_backfill import backfill
from .cli_definitions import definitions_here
from .cli_explain import explain
from .cli_options import DefinitionsOption, JsonOption, Names, StoreOption, UrlOption
from .cli_report import reported, show
from .settings import settings
from .store_here import store_here

main = typer.Typer(
    help="NowThen: define a feature once; get the same value when training on the past and when serving now.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

_DEFINE, _FILL, _ANSWER, _CARE = "Definitions", "Rows, features, training sets", "Answers", "Care of the store"


def _add(panel: str, *commands: Callable[..., None]) -> None:
    for command in commands:
        main.command(rich_help_panel=panel)(command)


_add(
    _DEFINE, cli_definitions.plan, cli_definitions.apply, cli_definitions.versions, cli_definitions.rollback,
    cli_definitions.rename, cli_definitions.deprecate, cli_definitions.remove, cli_definitions.lineage,
    cli_definitions.export,
)  # fmt: skip
main.command("import", rich_help_panel=_DEFINE)(cli_definitions.import_)


@main.command(rich_help_panel=_FILL)
def ingest(
    names: Names = None,
    memory: Annotated[
        str | None, typer.Option(metavar="SIZE", help="How much memory to use at most, such as 4GiB.")
    ] = None,
    store: StoreOption = None,
    definitions: DefinitionsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take new rows of sources, and pushed rows, into the store's tables; safe to repeat."""
    with reported(as_json):
        found, place = definitions_here(definitions), store_here(store)
        sources = [found.source(name) for name in names or found.sources]
        done = [place.ingest(source, memory=memory) for source in sources]
        show([vars(one) for one in done], as_json, lambda _: "\n".join(map(str, done)))


_add(_FILL, backfill, cli_store.scan, cli_store.training, explain)


@main.command(rich_help_panel=_ANSWER)
def snapshot(
    names: Names = None, store: StoreOption = None, definitions: DefinitionsOption = None, as_json: JsonOption = False
) -> None:
    """Publish the online state of services; a running server picks it up."""
    with reported(as_json):
        place = store_here(store)
        done = [place.snapshot(name) for name in names or definitions_here(definitions).services]
        show(
            [{**vars(one), "watermark": str(one.watermark)} for one in done],
            as_json,
            lambda _: "\n".join(map(str, done)),
        )


@main.command(rich_help_panel=_ANSWER)
def serve(
    store: StoreOption = None,
    host: Annotated[str, typer.Option(help="The address HTTP listens on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port HTTP listens on.")] = 8000,
    address: Annotated[
        str | None,
        typer.Option(
            help="The address of a Ray cluster, 'auto' for the one running here. Default: RAY_ADDRESS, else a new one."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Serve what is published, on Ray, until Ctrl-C."""
    with reported(as_json):
        from .run_server import run_server

        run_server(store_here(store), host, port, address, lambda facts: show(facts, as_json, _served))


@main.command(rich_help_panel=_ANSWER)
def get(
    service: Annotated[str, typer.Argument(help="A published service.")],
    keys: Annotated[str, typer.Argument(help="""Keys as JSON, such as '{"customer_id": [1, 2]}'.""")],
    request: Annotated[str | None, typer.Option(help="Request fields as JSON.")] = None,
    at: Annotated[str | None, typer.Option(help="An ISO time. Default: now.")] = None,
    after: Annotated[str | None, typer.Option(help="The token of a push that must be seen.")] = None,
    url: UrlOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask for features now."""
    with reported(as_json):
        from .http import time_of
        from .json_values import argument

        fields = None if request is None else argument(request, "the option --request")
        asked = argument(keys, "the argument KEYS")
        answer = _features(url, store).get(service, asked, request=fields, at=time_of(at), after=after)
        show(answer.as_json(), as_json, lambda _: repr(answer))


@main.command(rich_help_panel=_ANSWER)
def push(
    source: Annotated[str, typer.Argument(help="A source that was applied.")],
    rows: Annotated[
        str,
        typer.Argument(
            help="A Parquet, CSV or JSON file, JSON itself (a list of rows), or - for JSON on standard input."
        ),
    ],
    key: Annotated[
        str | None, typer.Option(help="An idempotency key: the same push with the same key stores nothing again.")
    ] = None,
    url: UrlOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make rows of a source durable and visible."""
    with reported(as_json):
        token = _features(url, store).push(source, _rows(rows), key=key)
        show({"token": token}, as_json, lambda facts: str(facts["token"]))


_add(
    _CARE, cli_store.history, cli_store.tag, cli_store.compact, cli_store.cleanup, cli_store.verify, cli_store.backup,
    cli_store.restore, cli_store.forget,
)  # fmt: skip


@main.command(rich_help_panel=_CARE)
def doctor(
    store: StoreOption = None, definitions: DefinitionsOption = None, url: UrlOption = None, as_json: JsonOption = False
) -> None:
    """Check that everything needed is there and works. Exit code 1 if something does not."""
    with reported(as_json):
        from .doctor import checks, told

        found = checks(settings(store, definitions), url)
        show(found, as_json, told)
        raise typer.Exit(0 if all(check["ok"] for check in found) else 1)


def _served(facts: dict[str, Any]) -> str:
    names = ", ".join(facts["services"]) or "nothing yet: publish with `nowthen snapshot`"
    return (
        f"serving {names}\n  HTTP    {facts['url']}  (POST /v1/get, POST /v1/push, GET /v1/services)\n"
        f"  Python  nt.online({facts['url']!r}); in the cluster nt.handle(service)\nCtrl-C stops it."
    )


def _features(url: str | None, store: str | None) -> Any:
    from .online import online

    return online(url) if url else store_here(store).online()


def _rows(place: str) -> Any:
    import polars as pl

    if place == "-":
        return _json(sys.stdin.read(), "standard input")
    if place.lstrip().startswith(("[", "{")):
        return _json(place, "the argument ROWS")
    if place.endswith(".json"):
        return _json(_existing(place).read_bytes(), place)
    path = _existing(place)
    try:
        return pl.read_csv(path) if path.suffix == ".csv" else pl.read_parquet(path)
    except pl.exceptions.PolarsError as error:
        raise Invalid(f"{place} cannot be read: {str(error).splitlines()[0]}") from None


def _json(text: str | bytes, what: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise Invalid(f"{what} is not valid JSON: {error}") from None


def _existing(place: str) -> Path:
    path = Path(place)
    if not path.is_file():
        raise NotFound(f"{place}: there is no such file.")
    return path


if __name__ == "__main__":
    main()
