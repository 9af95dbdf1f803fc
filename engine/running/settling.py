"""Versions of rows, settled before rows go to buckets: a correction may move a row to another key, so no bucket can tell alone."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import polars as pl

from ..folds.column import Index, Mask
from ..folds.positions import rises
from ..folds.rows import UNTIL, rows_of
from ..folds.versions import lives
from ..language.source import SourceSpec
from ..plan.reader import Loaded, Reader
from ..record import record
from .step import Each, Outcome, Report

ROW = "__row"  # the number of a row in its table
Ids = tuple[int, int]  # the first and the last of ids that rise


@record(eq=False)
class Settled:
    """Which rows of a table, by number, exist at all (None: every one), and until when (None: for ever)."""

    kept: Mask | None
    until: Index | None

    def of(self, table: Loaded) -> Loaded:
        """The rows of a table, numbered, that exist at all; with the time of their end where one has an end."""
        frame = table.frame
        if self.kept is not None:
            frame = frame.filter(pl.Series(self.kept[frame[ROW].to_numpy()])).rechunk()
        if self.until is not None:
            frame = frame.with_columns(pl.Series(UNTIL, self.until[frame[ROW].to_numpy()]))
        return table if frame is table.frame else Loaded(frame, table.name)


@record
class Settle:
    """The work of a step that reads what tells versions apart, of all rows of a source, and nothing else."""

    source: SourceSpec
    reader: Reader | None  # None: the table it is given
    columns: Sequence[str]
    known: str | None

    def __call__(self, each: Each, table: Loaded | None = None) -> Outcome:
        """What is settled."""
        frame = table.frame if table is not None else _opened(self.reader).read(self.columns)
        rows = rows_of(self.source, {}, frame, self.known)
        life = lives(rows.row_id, rows.known, rows.deleted, rows.sequence)
        kept = None if life.kept is None or life.kept.all() else life.kept
        until = life.known_until if life.known_until is not None and len(np.unique(life.known_until)) > 1 else None
        return Outcome(Settled(kept, until), Report(len(rows)))


def rising(ids: pl.Series) -> Ids | None:
    """The first and the last of a piece's row ids, if they rise; then none appears twice."""
    if not ids.dtype.is_integer() or ids.null_count() or not len(ids):
        return None
    values = ids.cast(pl.Int64, strict=False)
    if values.null_count() or not rises(values.to_numpy()):
        return None
    return int(values[0]), int(values[-1])


def all_rise(pieces: Sequence[Ids | None]) -> bool:
    """Whether ids rise through all pieces, so that every row is the only version of itself."""
    return all(pieces) and all(one[1] < other[0] for one, other in pairwise(piece for piece in pieces if piece))


def _opened(reader: Reader | None) -> Reader:
    assert reader is not None, "a step has a table or a reader"
    return reader
