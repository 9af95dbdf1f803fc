"""The keys that stored rows hold."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from ...engine.errors import Invalid
from ...engine.folds.column import Index
from ...engine.language.instant import instants
from ...engine.language.nodes import Reference
from ...engine.language.source import SourceSpec
from ...engine.plan.lower import Open
from ...engine.plan.pieces import pieces, pinned
from ...engine.running.training_set import keys_of
from ..sources.training import sources_of

_ROWS = 4_000_000  # that are looked at together
SEEN = "__seen"


def held_keys(features: Mapping[str, Reference], open_source: Open) -> pl.DataFrame:
    """Every combination of the features' key columns that stands in a row of one of their sources, each once, sorted; no nulls.

    Only sources that have all the columns count; where none has, the combinations that matter are not to be known: `Invalid`.
    """
    keys, sources = _sources(features)
    found = pl.DataFrame(schema=keys)
    for spec in sources:
        for _, piece in pieces(pinned(open_source(spec)), _ROWS):
            more = piece.read(list(keys)).unique().cast(keys)  # type: ignore[arg-type]
            found = pl.concat([found, more]).unique()
    return found.drop_nulls().sort(list(keys)) if keys else pl.DataFrame()


def seen_keys(features: Mapping[str, Reference], open_source: Open) -> pl.DataFrame:
    """The same with SEEN beside them: from when on a row of each was known to have happened, in microseconds UTC."""
    keys, sources = _sources(features)
    found = pl.DataFrame(schema={**keys, SEEN: pl.Int64})
    for spec in sources:
        for _, piece in pieces(pinned(open_source(spec)), _ROWS):
            clocks = [clock for clock in (spec.event_time, spec.known_time) if clock is not None]
            rows = piece.read(list(dict.fromkeys([*keys, *clocks])))
            seen = np.maximum.reduce([moments(spec, rows, clock) for clock in clocks])
            more = rows.select(list(keys)).cast(keys).with_columns(pl.Series(SEEN, seen))  # type: ignore[arg-type]
            found = pl.concat([found, more]).group_by(list(keys)).agg(pl.col(SEEN).min())
    return found.drop_nulls().sort(list(keys))


def moments(spec: SourceSpec, rows: pl.DataFrame, clock: str) -> Index:
    """A column of times of a source, in microseconds UTC."""
    what = f"{spec.name}.{clock}"
    return instants(rows[clock], what, time_zone=spec.time_zone, available=spec.available)


def key_sources(features: Mapping[str, Reference]) -> list[SourceSpec]:
    """The sources whose rows tell which keys there are."""
    return _sources(features)[1]


def _sources(features: Mapping[str, Reference]) -> tuple[dict[str, pl.DataType], list[SourceSpec]]:
    keys = {name: dtype for reference in features.values() for name, dtype in keys_of(reference).items()}
    sources = [spec for spec in sources_of(features) if set(keys) <= set(spec.keys)] if keys else []
    if keys and not sources:
        raise Invalid(
            f"which keys? No source of these features has all of {', '.join(keys)}. Pass the keys, in a file with these columns."
        )
    return keys, sources
