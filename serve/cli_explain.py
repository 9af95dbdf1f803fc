"""The command `nowthen explain`: its options, and what it prints."""

from __future__ import annotations

from typing import Annotated

import typer

from .cli_backfill import Engine, Memory, Target, Workers
from .cli_options import DefinitionsOption, JsonOption, StoreOption
from .cli_report import note, reported, show

Spine = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="A Parquet, CSV or Lance file with keys and times: explain its training set."),
]
At = Annotated[
    str | None,
    typer.Option(metavar="COLUMN", help="The column of the spine that holds the time to compute features at."),
]
Analyze = Annotated[
    bool, typer.Option("--analyze", help="Compute the training set, discard it, and show what each part took.")
]
Svg = Annotated[str | None, typer.Option(metavar="FILE", help="Also draw the plan into this file.")]


def explain(
    target: Target,
    spine: Spine = None,
    at: At = None,
    analyze: Analyze = False,
    svg: Svg = None,
    engine: Engine = "auto",
    memory: Memory = None,
    workers: Workers = None,
    store: StoreOption = None,
    definitions: DefinitionsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show how the features of a service or view are computed: which folds over which source by which keys.

    With --spine FILE --at COLUMN: the plan of the training set over its rows. With --analyze as well: what a run of it did.
    """
    with reported(as_json):
        from .explaining import Asked, asked_for, drawn, explained, told

        asked = Asked(target, spine, at, analyze, engine, memory, workers)
        asked.check()
        found = asked_for(asked, store, definitions)
        if svg is not None:
            note(f"drawn into {drawn(found.explained, svg)}")
        if spine is None:
            show(explained(found), as_json, told)
        else:
            show(found.explained.to_dict(), as_json, lambda _: str(found.explained))
