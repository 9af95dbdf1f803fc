"""The command `nowthen backfill`: its options, and what it prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from .cli_options import DefinitionsOption, JsonOption, StoreOption
from .cli_report import note, reported, show

if TYPE_CHECKING:
    from .backfill import Asked, How

Target = Annotated[
    str,
    typer.Argument(
        metavar="TARGET", help="A service, a view, or view:feature; looked up in the definitions, else in the store."
    ),
]
Spine = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help="A Parquet, CSV or Lance file with the rows to fill: keys, times, request fields. Without --out also a source in the store: its events.",
    ),
]
At = Annotated[
    str | None,
    typer.Option(metavar="COLUMN", help="The column of the spine that holds the time to compute features at."),
]
From = Annotated[
    str | None,
    typer.Option("--from", metavar="TIME", help="Instead of a spine: the first time of a grid, such as 2026-01-31."),
]
To = Annotated[str | None, typer.Option(metavar="TIME", help="The end of the grid (exclusive).")]
Every = Annotated[str, typer.Option(metavar="STEP", help="The step of the grid.")]
Keys = Annotated[
    str | None, typer.Option(metavar="FILE", help="A file with the keys of the grid. Default: all keys in the sources.")
]
Out = Annotated[
    str | None,
    typer.Option(
        metavar="FILE", help="A Parquet file to write. Without it the values go into the store's own feature tables."
    ),
]
Engine = Annotated[
    str,
    typer.Option(
        metavar="ENGINE",
        help="local: this process. ray: a cluster. auto: the cluster within a Ray job, else this process.",
    ),
]
Memory = Annotated[
    str | None,
    typer.Option(
        metavar="SIZE",
        help="How much memory to use at most, besides the spine, such as 4GiB. Default: 60 % of the machine's.",
    ),
]
Workers = Annotated[int | None, typer.Option(metavar="NUMBER", help="How many cores to use at most. Default: all.")]
Deadline = Annotated[str | None, typer.Option(metavar="TIME", help="How long to run before giving up, such as 2h.")]
Resume = Annotated[
    str | None,
    typer.Option(
        metavar="FOLDER",
        help="Where finished work is kept until the end, so that the same command can resume after a stop. Default: beside --out.",
    ),
]
Fresh = Annotated[bool, typer.Option("--fresh", help="Discard what an earlier run has done.")]
Status = Annotated[bool, typer.Option("--status", help="Write <feature>__status beside each feature.")]
FullNames = Annotated[bool, typer.Option("--full-names", help="Name columns <view>__<feature>.")]
KnownAt = Annotated[
    str | None,
    typer.Option(
        metavar="WHEN",
        help="Use what was known at: a column of the spine, an ISO time, or latest. Default: each row's own time.",
    ),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Show what would be done and roughly what it would take; do nothing.")
]
Sources = Annotated[bool, typer.Option("--sources", help="Read the sources themselves, even if a store is configured.")]


def backfill(
    target: Target,
    out: Out = None,
    spine: Spine = None,
    at: At = None,
    start: From = None,
    to: To = None,
    every: Every = "1d",
    keys: Keys = None,
    engine: Engine = "auto",
    memory: Memory = None,
    workers: Workers = None,
    deadline: Deadline = None,
    resume: Resume = None,
    fresh: Fresh = False,
    status: Status = False,
    full_names: FullNames = False,
    known_at: KnownAt = None,
    dry_run: DryRun = False,
    sources: Sources = False,
    store: StoreOption = None,
    definitions: DefinitionsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compute features at many past times, into the store's feature tables or a Parquet file; here or on a Ray cluster.

    The times and keys are the rows of --spine FILE --at COLUMN, or a grid: --from 2026-01-01 --to 2026-02-01 --every 1d over all keys.
    For the store, only what is missing, changed or stale is computed. For a file, the event tables of the store are read if there is one,
    else the sources themselves. A run that was stopped resumes when the same command is given again.
    """
    with reported(as_json):
        from .backfill import Asked, How

        asked = Asked(target, spine, at, start, to, every, keys, known_at, full_names)
        how = How(out, engine, memory, workers, deadline, resume, fresh, status)
        fill = _into_the_store if out is None else _into_a_file
        fill(asked, how, store, definitions, dry_run=dry_run, read_sources=sources, as_json=as_json)


def _into_the_store(
    asked: Asked, how: How, store: str | None, definitions: str | None, *, dry_run: bool, read_sources: bool, as_json: bool
) -> None:  # fmt: skip
    from .backfill_store import filled, told

    found = filled(asked, how, store, definitions, dry_run=dry_run, read_sources=read_sources, note=note)
    show({"target": asked.target, **found.as_json()}, as_json, lambda _: told(found))


def _into_a_file(
    asked: Asked, how: How, store: str | None, definitions: str | None, *, dry_run: bool, read_sources: bool, as_json: bool
) -> None:  # fmt: skip
    from .backfill import prepared
    from .backfill_plan import estimated, told_plan
    from .backfill_run import carried_out, told_result

    ready = prepared(asked, how, None if read_sources else store, definitions, read_sources=read_sources)
    if dry_run:
        show(estimated(ready), as_json, told_plan)
    else:
        show(carried_out(ready, note), as_json, told_result)
