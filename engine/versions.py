"""Which version of a row exists for an observer: the life [known_from, known_until) of every row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from .at import FOREVER
from .column import Index, Mask
from .window import BEGINNING


@dataclass(frozen=True)
class Lives:
    """Which rows exist at all, and from when to when each is what is known (None: those that exist, always do)."""

    kept: Mask | None
    known_from: Index | None = None
    known_until: Index | None = None


def lives(row_id: pl.Series | None, known: Index | None, deleted: Mask | None, sequence: Index | None = None) -> Lives:
    """The life of every row, given in sequence order (or with its sequence).

    Of several versions of one row_id the one with the greatest (known, sequence) known at s exists, alone. A deletion ends the
    version before it and never exists itself. Rows with a null row_id stand for themselves.
    """
    if row_id is None or (deleted is None and is_unique(row_id)):
        return Lives(None, known, None if known is None else np.full(len(known), FOREVER))
    until = _until(row_id, known, sequence)
    start = np.full(len(row_id), BEGINNING) if known is None else known
    alive = start < until
    if deleted is not None:
        alive &= ~deleted
    return Lives(alive, None if known is None else known, None if known is None else until)


def is_unique(row_id: pl.Series) -> bool:
    """True where no row_id appears twice; instant for ids in rising order."""
    if row_id.dtype.is_integer() and not row_id.null_count():
        ids = row_id.to_numpy()
        if (ids[1:] > ids[:-1]).all():
            return True
    return row_id.drop_nulls().is_unique().all()


def _until(row_id: pl.Series, known: Index | None, sequence: Index | None) -> Index:
    """When the next version of each row became known; FOREVER for the last one."""
    n = len(row_id)
    position = np.arange(n) if sequence is None else sequence
    start = np.full(n, BEGINNING) if known is None else known
    rank = row_id.rank("dense").fill_null(0).to_numpy().astype(np.int64)
    order = np.lexsort((position, start, rank))
    ranked = rank[order]
    until = np.full(n, FOREVER)
    followed = np.flatnonzero((ranked[1:] == ranked[:-1]) & (ranked[1:] > 0))
    until[order[followed]] = start[order[followed + 1]]
    return until
