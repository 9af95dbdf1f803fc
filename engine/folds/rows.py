"""Rows of a source as arrays, and how they become events: dead versions dropped, sorted by key and time.

The one body for a scan in training and for the rows a shard holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from ..language.dtype import WIDE, settled
from ..language.expr import Expr
from ..language.instant import in_unit, refuse_nanoseconds
from ..language.nodes import SourceColumn, walk
from ..language.source import SourceSpec
from ..record import record
from .column import Array, Column, Index, Mask, concat
from .evaluate import Evaluation, true_rows
from .events import Events
from .grouping import Order
from .versions import Lives, lives

ARRIVAL, SEQUENCE = "__arrival", "__sequence"
UNTIL = "__until"  # microseconds UTC; when a later version ended a row, where that was settled before

_COUNTED = (
    pl.Binary,
    pl.Struct,
    pl.Array,
    *WIDE,
    pl.Object,
)  # numpy has no such values, and no operator but `count` takes them


@record
class Rows:
    """Rows (n,) with what folds read computed on them. Parts that the source has not are None."""

    time: Index
    columns: Mapping[str, Column]
    sequence: Index | None = None
    known: Index | None = None
    row_id: Array | None = None
    deleted: Mask | None = None
    until: Index | None = None  # when a later version, perhaps not among these rows, ended each as far as is known

    def __len__(self) -> int:
        return len(self.time)

    def take(self, index: Index | slice) -> Rows:
        """The rows at these positions."""

        def cut(part: Any) -> Any:
            return None if part is None else part[index]

        columns = {name: Column(c.dtype, c.values[index], cut(c.valid)) for name, c in self.columns.items()}
        parts = (cut(part) for part in (self.sequence, self.known, self.row_id, self.deleted, self.until))
        return Rows(self.time[index], columns, *parts)


def rows_of(source: SourceSpec, parts: Mapping[str, Expr], frame: pl.DataFrame, known_column: str | None) -> Rows:
    """The rows of a frame of the source; `parts` are the expressions that folds read, by content key."""
    time = times_of(source, frame)
    known = None if known_column is None else source.instants(frame, known_column)
    deleted = true_rows(Column.from_series(frame[source.deleted])) if source.deleted else None
    sequence = frame[SEQUENCE].to_numpy() if SEQUENCE in frame.columns else None
    row_id = _plain(frame[source.row_id]) if source.row_id else None
    until = frame[UNTIL].to_numpy() if UNTIL in frame.columns else None
    return Rows(time, _computed(parts, frame), sequence, known, row_id, deleted, until)


def times_of(source: SourceSpec, frame: pl.DataFrame, first: int = 0) -> Index:
    """When each row happened, microseconds UTC; refused where a row has no clear time. `first` is the number of the first row."""
    return source.instants(frame, source.event_time, first)


def passing(kept: Expr | None, frame: pl.DataFrame) -> pl.DataFrame:
    """The rows of a frame of the source for which a filter is true, in order; the frame itself where there is no filter."""
    if kept is None:
        return frame
    return frame.filter(pl.Series(true_rows(_computed({kept.key: kept}, frame)[kept.key]))).rechunk()


def taken(source: SourceSpec, kept: Expr | None, frame: pl.DataFrame) -> pl.DataFrame:
    """The rows that pass; those that do not need a clear time all the same, so that it does not matter when a filter is applied."""
    if kept is not None:
        times_of(source, frame)
    return passing(kept, frame)


@record
class Arranged:
    """Rows in the order of events: by (group, event_time, known_time, sequence), those that never exist left out."""

    rows: Rows
    lives: Lives
    order: Order

    @cached_property
    def events(self) -> Events:
        """The events of all groups."""
        order = self.order

        def moved(part: Any) -> Any:
            return None if part is None else order.sorted(part)

        columns = {
            name: Column(c.dtype, order.sorted(c.values), moved(c.valid)) for name, c in self.rows.columns.items()
        }
        bounds = (moved(self.lives.known_from), moved(self.lives.known_until))
        return Events(order.sorted(self.rows.time), order.offsets, columns, *bounds)


def arrange(rows: Rows, group: Index, groups: int) -> Arranged:
    """The rows arranged by the group given for each; -1 is nobody's."""
    life = lives(rows.row_id, rows.known, rows.deleted, rows.sequence)
    if rows.until is not None:
        life = life.ended(rows.until)
    if life.kept is not None and not life.kept.all():
        group = np.where(life.kept, group, -1)
    ties = [part for part in (rows.known, rows.sequence) if part is not None]
    return Arranged(rows, life, Order.of(group, groups, rows.time, *ties))


def joined(pieces: Sequence[Rows]) -> Rows:
    """The rows of all pieces, one after another."""

    def each(part: Callable[[Rows], Any]) -> Any:
        return None if part(pieces[0]) is None else np.concatenate([part(piece) for piece in pieces])

    columns = {name: concat([piece.columns[name] for piece in pieces]) for name in pieces[0].columns}
    return Rows(
        each(lambda p: p.time),
        columns,
        each(lambda p: p.sequence),
        each(lambda p: p.known),
        each(lambda p: p.row_id),
        each(lambda p: p.deleted),
        each(lambda p: p.until),
    )


def read_by(parts: Iterable[Expr]) -> set[str]:
    """The columns of the source that expressions are computed from."""
    return {node.name for part in parts for node in walk(part) if isinstance(node, SourceColumn)}


def settled_values(series: pl.Series, first: int = 0) -> pl.Series:
    """A column in the type it has inside the engine, and as truth where only its nulls are of use there; times that have none there are refused.

    `first` is the number of the first row.
    """
    wanted = settled(series.dtype)
    refuse_nanoseconds(series, series.name, first)
    if isinstance(wanted, _COUNTED):
        return _presence(series)
    if series.dtype == wanted:
        return series
    return in_unit(series, "us", series.name, first) if wanted.is_temporal() else series.cast(wanted)


def _presence(series: pl.Series) -> pl.Series:
    """True where there is a value, else null."""
    present = series.is_not_null()
    return present if present.all() else present.set(~present, None)


def _computed(parts: Mapping[str, Expr], frame: pl.DataFrame) -> dict[str, Column]:
    columns = {name: Column.from_series(settled_values(frame[name])) for name in read_by(parts.values())}
    evaluate = Evaluation(columns, frame.height)
    return {key: evaluate(part) for key, part in parts.items()}


def _plain(row_id: pl.Series) -> Array:
    """Row ids as an array, times as the numbers they are; a null id (a row that stands for itself) becomes None in an object array."""
    plain = row_id.to_physical() if row_id.dtype.is_temporal() else row_id
    whole = plain.dtype.is_integer() and not plain.null_count()
    return plain.to_numpy() if whole else np.array(plain.to_list(), dtype=object)
