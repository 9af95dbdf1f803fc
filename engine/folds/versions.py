"""Which version of a row exists for an observer: the life [known_from, known_until) of every row."""

from __future__ import annotations

import numpy as np
import polars as pl

from ..language.window import BEGINNING
from ..record import record
from .at import FOREVER
from .column import Array, Index, Mask
from .positions import distinct, rises


@record
class Lives:
    """Which rows exist at all (None: every one), and from when to when each is what is known (None: always)."""

    kept: Mask | None
    known_from: Index | None = None
    known_until: Index | None = None

    def ended(self, until: Index) -> Lives:
        """The same lives where later versions, that are not among these rows, ended some already."""
        if self.known_from is None or self.known_until is None:
            return self
        ends = np.minimum(self.known_until, until)
        kept = self.known_from < ends
        return Lives(kept if self.kept is None else self.kept & kept, self.known_from, ends)


def lives(row_id: Array | None, known: Index | None, deleted: Mask | None, sequence: Index | None = None) -> Lives:
    """The life of every row, given in sequence order (or with its sequence).

    Of several versions of one row_id the one with the greatest (known, sequence) known at s exists, alone. A deletion ends the
    version before it and never exists itself. A row whose row_id is None stands for itself.
    """
    if row_id is None or (deleted is None and is_unique(row_id)):
        return Lives(None, known, None if known is None else np.full(len(known), FOREVER))
    until = _until(row_id, known, sequence)
    start = np.full(len(row_id), BEGINNING) if known is None else known
    kept = (start < until) if known is not None else (until == FOREVER)
    if deleted is not None:
        kept &= ~deleted
    return Lives(kept, known, None if known is None else until)


def is_unique(row_id: Array) -> bool:
    """True where no row_id appears twice; cheap for integers that rise or lie close together."""
    if row_id.dtype == np.object_:
        named = [one for one in row_id.tolist() if one is not None]
        return len(set(named)) == len(named)
    if not len(row_id) or rises(row_id):
        return True
    low, span = row_id.min(), int(row_id.max()) - int(row_id.min()) + 1
    if span > 8 * len(row_id):
        return bool(pl.Series(row_id).n_unique() == len(row_id))
    return distinct(row_id, int(low), span)


def _until(row_id: Array, known: Index | None, sequence: Index | None) -> Index:
    """When the next version of each row became known; FOREVER for the last one."""
    n = len(row_id)
    position = np.arange(n) if sequence is None else sequence
    start = np.full(n, BEGINNING) if known is None else known
    rank = (
        pl.Series(row_id.tolist() if row_id.dtype == np.object_ else row_id)
        .rank("dense")
        .fill_null(0)
        .to_numpy()
        .astype(np.int64)
    )
    order = np.lexsort((np.arange(n), position, start, rank))
    ranked = rank[order]
    until = np.full(n, FOREVER)
    followed = np.flatnonzero((ranked[1:] == ranked[:-1]) & (ranked[1:] > 0))
    until[order[followed]] = start[order[followed + 1]]
    return until
