"""Events made ready: what folds prepare of them before any question is asked, once for all questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from .ask import Ask, Span
from .column import Column, Index, Mask
from .events import Events
from .fold import Ranged
from .fused import Fused
from .ranges import Over, greatest, least
from .tree import Tree


@dataclass(frozen=True, eq=False)
class Ready:
    """Events with all that the folds of some asks need of them, so that any number of questions can be asked."""

    events: Events
    fused: Fused | None  # the asks that are answered together
    single: Sequence[tuple[Ask, Ranged]]  # the others
    spans: Sequence[Span]  # of the others, each once
    latest_known: Over | None = None  # of ranges of rows: when the last of them is known
    first_ended: Over | None = None  # and when the first of them ends

    @staticmethod
    def of(events: Events, asks: Sequence[Ask]) -> Ready:
        """The events made ready. Cost: linear in the events for each fold and column."""
        made = {ask.folded: ask for ask in asks}
        ranged = {folded: prepared(ask, events) for folded, ask in made.items()}
        fused = Fused.of(events, asks, [ranged[ask.folded] for ask in asks])
        together = set() if fused is None else {ask.name for ask in fused.asks}
        single = [(ask, ranged[ask.folded]) for ask in asks if ask.name not in together]
        spans = tuple(dict.fromkeys(span for ask, _ in single for span in (ask.span, ask.whole_span)))
        return Ready(events, fused, single, spans, *_known(events))


def prepared(ask: Ask, events: Events, rows: Index | None = None, offsets: Index | None = None) -> Ranged:
    """The fold over ranges of the events; or of some rows of them, in groups that begin at the offsets."""
    column = events.columns[ask.column] if ask.column else Column(pl.Datetime("us", "UTC"), events.time)
    kept = _kept(ask, events, column)
    if rows is not None:
        column, kept = column.take(rows), None if kept is None else kept[rows]
    groups = events.offsets if offsets is None else offsets
    return _whole(ask, column, groups) if kept is None else _dense(ask, column, kept, groups)


def _kept(ask: Ask, events: Events, column: Column) -> Mask | None:
    """The rows that the fold sees; None where it sees all."""
    kept = events.columns[ask.kept] if ask.kept else None
    mask = None if kept is None else (kept.values if kept.valid is None else kept.values & kept.valid)
    if ask.fold.sees_nulls or column.valid is None:
        return mask
    return column.valid if mask is None else mask & column.valid


def _dense(ask: Ask, column: Column, kept: Mask, offsets: Index) -> Ranged:
    """The fold over the rows kept, asked by ranges of all rows."""
    position = np.concatenate([[0], np.cumsum(kept)])
    dense = column.where(kept)
    if not ask.fold.sees_nulls:
        dense = Column(column.dtype, dense.values)
    ranged = _whole(ask, dense, position[offsets])
    return lambda start, stop: ranged(position[start], position[stop])


def _whole(ask: Ask, column: Column, offsets: Index) -> Ranged:
    """The fold's own way with ranges, or its states on a tree."""
    fold, dtype = ask.fold, ask.dtype
    bulk = fold.bulk(column, offsets, dtype)
    if bulk is not None:
        return bulk
    tree = Tree.of(fold, column)
    return lambda start, stop: fold.value(tree.over(start, stop, fold.empty(len(start), column)), dtype)


def _known(events: Events) -> tuple[Over | None, Over | None]:
    if events.known_from is None or events.known_until is None:
        return None, None
    return greatest(events.known_from), least(events.known_until)
