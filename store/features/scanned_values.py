"""The backfilled values of a view on one grid: which are good, and those of a stretch of time as frames."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Self

import polars as pl

from ...engine.errors import Conflict, Invalid, NotFound, did_you_mean
from ...engine.language import dtype as types
from ...engine.language.definition_values import type_of
from ...engine.language.duration import microseconds, written
from ...engine.language.nodes import Reference
from ...engine.language.service import references
from ...engine.language.view import ViewSpec
from ..definitions.registry import Registry
from ..ports import Entry, Here, Stretch
from ..sources.grid import AT as TIME
from .chunks import Chunk, Hole, holes
from .feature_table import AT, Chunks, FeatureTable, column_of, states_of, stretches_of, table_of, values


class Wanted(NamedTuple):
    """A feature that is scanned: its hash, and its type."""

    version: str
    dtype: pl.DataType


@dataclass(frozen=True)
class Values:
    """The values of some features of a view on a grid, at times in [start, end), as of an entry."""

    here: Here
    entry: Entry
    view: str
    table: FeatureTable
    features: Mapping[str, Wanted]
    chunks: tuple[Chunk, ...]  # by time, those of a spine in its order
    start: int
    end: int

    @classmethod
    def of(cls, here: Here, entry: Entry, name: Any, span: tuple[int | None, int | None], every: str | None) -> Self:
        """What was backfilled of a view, or features of one; of one of its grids if there are several."""
        view, chosen = _chosen(here, entry, name)
        table = table_of(entry, here, view)
        if table is None or not table.chunks:
            raise NotFound(f"nothing of view {view!r} was backfilled. Call store.backfill({view!r}, start, end) first.")
        chunks = sorted(_of_one_grid(view, Chunks(here).of(table), every), key=lambda chunk: (chunk.first, chunk.start))
        start = min(chunk.start for chunk in chunks) if span[0] is None else span[0]
        end = max(chunk.end for chunk in chunks) if span[1] is None else span[1]
        return cls(here, entry, view, table, _features(here, table, chosen), tuple(chunks), start, end)

    @cached_property
    def schema(self) -> dict[str, pl.DataType]:
        """Keys, the time, features."""
        keys = {name: type_of(written) for name, written in self.table.keys.items()}
        return {**keys, TIME: types.UTC, **{name: wanted.dtype for name, wanted in self.features.items()}}

    @cached_property
    def holes(self) -> list[Hole]:
        """What is missing or stale."""
        states = states_of(self.entry, self.here, self.chunks)
        span = Hole(self.view, self.chunks[0].grid, self.start, self.end, tuple(self.features))
        return holes(self.chunks, states, {name: wanted.version for name, wanted in self.features.items()}, span)

    def check(self) -> None:
        """Refuse a stretch with holes."""
        if self.holes:
            raise Conflict(
                f"{len(self.holes)} stretches are missing or stale, the first: {self.holes[0]}. Call store.backfill(...), "
                "or pass holes='null' for nulls where rows lack values, without the rows that were never filled."
            )

    def frames(self, wanted: Sequence[str]) -> Iterator[pl.DataFrame]:
        """The columns wanted by time; nulls where they are missing or stale. Stretches without rows are left out."""
        lacking = {(hole.start, hole.first): set(hole.features) for hole in self.holes}
        for chunk in self.chunks:
            if chunk.rows and chunk.start < self.end and self.start < chunk.end:
                yield from self._of_chunk(chunk, wanted, lacking.get((chunk.start, chunk.first), set()))

    def _of_chunk(self, chunk: Chunk, wanted: Sequence[str], lacking: set[str]) -> Iterator[pl.DataFrame]:
        read = {name: self._column(chunk, name) for name in wanted if name not in lacking}
        cuts = chunk.start < self.start or self.end < chunk.end
        columns = list(dict.fromkeys([*read.values(), *([AT] if cuts or not read else [])]))
        made = [pl.col(column).cast(self.schema[name]).alias(name) for name, column in read.items()]
        made += [pl.lit(None, dtype=self.schema[name]).alias(name) for name in wanted if name in lacking]
        inside = pl.col(AT).to_physical().is_between(self.start, self.end, closed="left")
        for frame in values(self.here, self.table, chunk, columns, self._stretches):
            yield (frame.filter(inside) if cuts else frame).with_columns(made).select(wanted)

    @cached_property
    def _stretches(self) -> Mapping[str, Stretch]:
        return stretches_of(self.here, self.table)

    def _column(self, chunk: Chunk, name: str) -> str:
        """The stored column of a column that is scanned."""
        if name not in self.features:
            return AT if name == TIME else name
        version = self.features[name].version
        return column_of(chunk.columns[version].feature, version)


def _chosen(here: Here, entry: Entry, name: Any) -> tuple[str, list[Reference] | str]:
    """The name of a view, and the features meant: by what defines them at the entry, or the name of one of an unregistered view."""
    if not isinstance(name, str):
        found = list(
            references(name if not isinstance(name, ViewSpec) else [name.reference(one) for one in name.features])
        )
        views = {reference.view.name for reference in found}
        if not views:
            raise Invalid("a scan is of a view, of features of one, or of a source; none was given.")
        if len(views) > 1:
            raise Invalid(f"a scan is of one view; these are features of {', '.join(sorted(views))}.")
        return views.pop(), found
    view, _, feature = name.partition(":")
    registry = Registry(here).at(entry)
    try:
        spec: ViewSpec = registry.find("view", view).made().spec
    except NotFound:
        if "view/" + view not in entry.names:
            raise
        return view, feature
    return spec.name, [spec.reference(one) for one in ([feature] if feature else spec.features)]


def _features(here: Here, table: FeatureTable, chosen: list[Reference] | str) -> dict[str, Wanted]:
    """The features chosen; of a whole view those that were ever filled."""
    if isinstance(chosen, str):
        return _last_filled(here, table, chosen)
    found = {one.name: Wanted(one.view.version(one.name), types.settled(one.dtype)) for one in chosen}
    whole = len(chosen) == len(chosen[0].view.features)
    return {name: wanted for name, wanted in found.items() if not whole or name in table.columns} or found


def _last_filled(here: Here, table: FeatureTable, feature: str) -> dict[str, Wanted]:
    """The features of a view that is not registered, as each was filled last."""
    if feature and feature not in table.columns:
        raise NotFound(f"feature {feature!r} was never backfilled. {did_you_mean(feature, table.columns)}")
    kinds: dict[
        str, pl.DataType
    ] = {}  # of columns that have a file: one that was filled where no rows are has none, and no type
    if table.version is not None:
        schema, _ = here.tables.opened(table.place, table.version)
        empty: Any = pl.from_arrow(schema.empty_table())
        kinds = {column.rpartition("@")[2]: dtype for column, dtype in empty.schema.items()}
    names = [feature] if feature else list(table.columns)
    versions = {name: table.columns[name] for name in names}
    return {
        name: Wanted(version, kinds.get(column_of("", version)[1:], pl.Null())) for name, version in versions.items()
    }


def _of_one_grid(view: str, chunks: Sequence[Chunk], every: str | None) -> list[Chunk]:
    """The chunks of the grid that is named, or of the only one."""
    labels = sorted({chunk.grid.label for chunk in chunks})
    if every is None and len(labels) > 1:
        raise Invalid(
            f"view {view!r} was backfilled on several grids; pass every=, one of: {', '.join(map(repr, labels))}."
        )
    label = labels[0] if every is None else _label(every)
    if label not in labels:
        raise NotFound(f"view {view!r} was not backfilled every {every!r}. {did_you_mean(every, labels)}")
    return [chunk for chunk in chunks if chunk.grid.label == label]


def _label(every: str) -> str:
    """A step as it is written shortest; the name of another grid as it is."""
    try:
        return written(microseconds(every))
    except Invalid:
        return every
