"""The spine of a backfill over a grid of times."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..engine.errors import Invalid
from ..engine.language.nodes import Reference, RequestField, walk
from ..engine.plan.lower import Open
from ..engine.plan.pieces import width
from ..engine.plan.reader import Loaded, Reader
from ..store.rows.held_keys import held_keys
from ..store.sources.grid import grid, grid_height, grid_keys, grid_times
from ..store.sources.reading import reader_of


def grid_over(
    features: Mapping[str, Reference], open_source: Open, times: tuple[str, str, str], keys: str | None, memory: int
) -> Reader:
    """Every key at every time: those in a file, or all that the sources hold. Refused if the rows alone would not fit in memory."""
    points = grid_times(*times)
    rows = grid_keys(_keys(features, open_source, keys))
    _check_request(features, rows.columns)
    height = grid_height(rows, points)
    size = height * (8 + width(dict(rows.schema), rows.columns))
    if size > memory:
        raise Invalid(
            f"a grid of {rows.height:,} keys at {len(points):,} times has {height:,} rows, about {size / 2**30:,.1f} GiB of keys and times, "
            f"and memory is {memory / 2**30:,.1f} GiB. Fill shorter stretches of time one after another, each into a file of its own."
        )
    return Loaded(grid(rows if rows.width else {}, *times), "grid")


def _keys(features: Mapping[str, Reference], open_source: Open, keys: str | None) -> Any:
    if keys is None:
        return held_keys(features, open_source)
    reader = reader_of(keys, "keys")
    return reader.read(list(reader.schema()))


def _check_request(features: Mapping[str, Reference], columns: list[str]) -> None:
    """A grid asks at times when nobody requested anything."""
    for name, reference in features.items():
        for node in walk(reference):
            if isinstance(node, RequestField) and node.name not in columns:
                raise Invalid(
                    f"feature {name!r} reads request field {node.name!r}, which a grid does not have. Give --spine FILE with that column, "
                    "name a view that reads no request field, or add the column to --keys FILE."
                )
