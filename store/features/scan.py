"""Scans: what was backfilled of a view, or the rows of a source, as a lazy frame that reads and checks only what is asked of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import polars as pl
from polars.io.plugins import register_io_source

from ...engine.errors import Invalid, NotFound, did_you_mean
from ...engine.folds.rows import times_of
from ...engine.language.instant import instant
from ...engine.language.source import Rows, SourceSpec
from ...engine.plan.pieces import batches, unordered
from ...engine.plan.reader import TimeBound
from ..definitions.registry import Registry
from ..ports import Entry, Here
from ..rows.living import living
from ..rows.pinned import opener
from ..sources.grid import Moment, moment_us
from ..tables.lost import looked_again
from .scanned_values import Values

Span = tuple[int | None, int | None]
Frames = Callable[[Sequence[str]], Iterator[pl.DataFrame]]


def scanned(
    here: Here,
    name: Any,
    start: Moment | None = None,
    end: Moment | None = None,
    as_of: int | datetime | str | None = None,
    *,
    every: str | None = None,
    holes: str = "raise",
    known_at: datetime | None = None,
) -> pl.LazyFrame:
    """What was backfilled of a view, or of some features of it, at times in [start, end); or the rows of a source that exist.

    A view's columns are its keys, "at" and the features; `every` chooses one of several grids. Where values are missing or stale it is refused,
    unless holes="null": then rows that are there have nulls for them, and rows that were never filled are left out. `as_of` is the store as it
    stood; `known_at`, of sources alone, what rows say was known.
    """
    if holes not in ("raise", "null"):
        raise Invalid(
            f"holes={holes!r}; it is 'raise', or 'null' for nulls where rows lack values, without the rows that were never filled."
        )
    entry = here.ledger.head() if as_of is None else here.ledger.as_of(as_of)
    span = (None if start is None else moment_us(start, "start"), None if end is None else moment_us(end, "end"))
    source = _source(here, entry, name)
    if source is not None:
        known = None if known_at is None else instant(known_at, "known_at")
        return _events(here, source, span, None if as_of is None else entry.number, known)
    if known_at is not None:
        raise Invalid("known_at= is for sources: backfilled values are as they were known at their own times.")
    with looked_again(here.ledger):
        values = Values.of(here, entry, name, span, every)
        if holes == "raise":
            values.check()
    return _lazy(here, values.frames, values.schema)


def _source(here: Here, entry: Entry, name: Any) -> SourceSpec | None:
    """The source that is meant, if one is."""
    if isinstance(name, Rows):
        return name.spec
    if not isinstance(name, str):
        return name if isinstance(name, SourceSpec) else None
    plain = name.partition(":")[0].partition("@")[0]
    views, sources = _names(entry, "view/", "definition/view/"), _names(entry, "definition/source/")
    if plain in views:
        return None
    if plain not in sources:
        raise NotFound(f"no view and no source {plain!r} in the store. {did_you_mean(plain, views | sources)}")
    made: Rows = Registry(here).at(entry).find("source", name).made()
    return made.spec


def _names(entry: Entry, *kinds: str) -> set[str]:
    """What an entry names of these kinds."""
    return {name.removeprefix(kind) for kind in kinds for name in entry.names if name.startswith(kind)}


def _events(here: Here, spec: SourceSpec, span: Span, as_of: int | None, known_at: int | None) -> pl.LazyFrame:
    """The rows of a source with event times in a span, without those that other versions took the place of."""
    table = opener(here, as_of)(spec)
    start, end = span
    bound = TimeBound(spec.event_time, start, None if end is None else end - 1)

    def frames(wanted: Sequence[str]) -> Iterator[pl.DataFrame]:
        columns = list(dict.fromkeys([*wanted, spec.event_time]))
        if known_at is None and table.settled:
            found = batches(unordered(table), columns, bound)
        else:
            found = iter([living(spec, table, columns, known_at=known_at, bound=bound)])
        yield from found if span == (None, None) else (_within(spec, rows, span) for rows in found)

    return _lazy(here, frames, spec.schema)


def _within(spec: SourceSpec, rows: pl.DataFrame, span: Span) -> pl.DataFrame:
    times = pl.Series("", times_of(spec, rows))
    start, end = span
    kept = pl.repeat(True, rows.height, eager=True) if start is None else times >= start
    return rows.filter(kept if end is None else kept & (times < end))


def _lazy(here: Here, frames: Frames, schema: Mapping[str, pl.DataType]) -> pl.LazyFrame:
    """A lazy frame over frames of some columns."""

    def read(
        columns: list[str] | None, predicate: pl.Expr | None, rows: int | None, _: int | None
    ) -> Iterator[pl.DataFrame]:
        wanted, left = list(schema) if columns is None else columns, rows
        needed = dict.fromkeys([*wanted, *(predicate.meta.root_names() if predicate is not None else ())])
        with looked_again(here.ledger):
            for frame in frames(list(needed)):
                kept = frame if left is None else frame[:left]
                left = None if left is None else left - kept.height
                yield (kept if predicate is None else kept.filter(predicate)).select(wanted)
                if left == 0:
                    return

    return register_io_source(read, schema=dict(schema), is_pure=True)
