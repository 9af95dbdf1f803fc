"""A look at all rows of a source before anything is written: what each is known by, when it was, and whether it can be stored at all.

Which rows are new can only be decided over all of them: of several versions of a row the last may count alone. Rows that fit the memory are
kept, others are read a second time, a piece at a time, once it is known which are new.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from ...engine.errors import Conflict, Invalid
from ...engine.folds.column import Index, Mask
from ...engine.folds.memory import give_back
from ...engine.language.source import SourceSpec
from ...engine.plan.pieces import height, pieces, width
from ...engine.plan.reader import Reader
from ...engine.record import record
from ...engine.showing.progress import Progress
from .erased_keys import Erased
from .fresh import CONTENT, with_content
from .layout import known_times, layout_of, times
from .passing import Passing
from .placed import storable

DAY_US = 86_400_000_000
_KEPT = 4  # rows are kept if they fit so many times: the rows, the same by place, and what lies between
_PIECE = 16  # how often a piece that passes by fits the memory
_LEAST_PIECE = 50_000  # rows


@record
class Look:
    """What a look at all rows tells."""

    ids: pl.DataFrame  # the row id of each, if it has one, and a hash of what it says
    days: Index  # the days that there are event times on, rising
    span_us: int
    pieces: tuple[tuple[int, Reader], ...]
    rows: pl.DataFrame | None  # where they fit the memory
    dropped: Mask | None  # rows of erased keys

    def portions(self, spec: SourceSpec, kept: Mask) -> Iterator[tuple[int, int, pl.DataFrame]]:
        """The rows to keep, portion by portion, each with the numbers of the rows [first, end) that it was chosen from."""
        if self.rows is not None:
            yield 0, self.rows.height, self.rows if kept.all() else self.rows.filter(pl.Series(kept))
            return
        ends = [*(first for first, _ in self.pieces[1:]), self.ids.height]
        for (first, piece), end in zip(self.pieces, ends, strict=True):
            if kept[first:end].any():
                rows = _as_before(read(spec, piece), end - first)
                content = self.ids[CONTENT][first:end]
                yield first, end, storable(rows).with_columns(content).filter(pl.Series(kept[first:end]))
                give_back()


def look(spec: SourceSpec, reader: Reader, erased: Erased, memory: int, progress: Progress) -> Look:
    """Read all rows once and check them."""
    size = max(width(dict(spec.schema), list(spec.schema)), 1)
    total = height(reader)
    fits = total is None or total * size * _KEPT <= memory
    parts = [(0, reader)] if fits else pieces(reader, max(memory // (_PIECE * size), _LEAST_PIECE))
    ids, days, ends, dropped, kept, passed = [], [], [], [], None, Passing(progress, "reading", total)
    for first, piece in parts:
        rows = with_content(spec, storable(read(spec, piece)))
        when = _checked(spec, rows, first)
        ids.append(rows.select([*([spec.row_id] if spec.row_id else []), CONTENT]))
        days.append(days_of(when))
        ends += [] if not len(when) else [int(when.min()), int(when.max())]
        dropped.append(erased.mask(rows))
        passed(rows.height)
        kept = rows if len(parts) == 1 else None
        if kept is None:
            del rows
            give_back()
    span = max(ends) - min(ends) if ends else 0
    out = np.concatenate(dropped)
    return Look(pl.concat(ids), np.unique(np.concatenate(days)), span, tuple(parts), kept, out if out.any() else None)


def read(spec: SourceSpec, reader: Reader) -> pl.DataFrame:
    """All columns of a piece, in the types of the source."""
    rows = reader.read(list(spec.schema))
    unlike = [name for name, dtype in spec.schema.items() if rows.schema[name] != dtype]
    if unlike:
        raise Invalid(f"{spec.name}.{unlike[0]} was read as {rows.schema[unlike[0]]}, not {spec.schema[unlike[0]]}.")
    return rows


def _checked(spec: SourceSpec, rows: pl.DataFrame, first: int) -> Index:
    """The event times, all of which are instants, as the known times are."""
    layout = layout_of(spec)
    known_times(spec.name, layout, rows, first)
    return times(spec.name, layout, rows, first)


def days_of(when: Index) -> Index:
    """The days of some times."""
    if not len(when):
        return np.zeros(0, dtype=np.int64)
    days = when // DAY_US
    low = int(days.min())
    span = int(days.max()) - low + 1
    return (
        np.unique(days)
        if span > 4 * len(days) + 1024
        else low + np.flatnonzero(np.bincount(days - low, minlength=span))
    )


def _as_before(rows: pl.DataFrame, height: int) -> pl.DataFrame:
    """The rows of a piece, refused where there were others at the first look."""
    if rows.height != height:
        raise Conflict(f"a piece had {height:,} rows, now {rows.height:,}: it changed while it was read. Run it again.")
    return rows
