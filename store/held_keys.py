"""The keys that stored rows hold."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from ..engine.errors import Invalid
from ..engine.lower import Open
from ..engine.nodes import Reference
from ..engine.pieces import pieces, pinned
from ..engine.training_set import keys_of
from .training import sources_of

_ROWS = 4_000_000  # that are looked at together


def held_keys(features: Mapping[str, Reference], open_source: Open) -> pl.DataFrame:
    """Every combination of the features' key columns that stands in a row of one of their sources, each once, sorted; no nulls.

    Only sources that have all the columns count; where none has, the combinations that matter are not to be known: `Invalid`.
    """
    keys = {name: dtype for reference in features.values() for name, dtype in keys_of(reference).items()}
    if not keys:
        return pl.DataFrame()
    sources = [spec for spec in sources_of(features) if set(keys) <= set(spec.keys)]
    if not sources:
        raise Invalid(
            f"which keys? No source of these features has all of {', '.join(keys)}. Give the keys, in a file with these columns."
        )
    found = pl.DataFrame(schema=keys)
    for spec in sources:
        for _, piece in pieces(pinned(open_source(spec)), _ROWS):
            more = piece.read(list(keys)).unique().cast(keys)  # type: ignore[arg-type]
            found = pl.concat([found, more]).unique()
    return found.drop_nulls().sort(list(keys))
