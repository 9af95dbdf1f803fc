"""Rows of sources that a run refuses, by their numbers: a step that met one may have read some of the rows alone."""

from __future__ import annotations

import numpy as np
import polars as pl

from ..folds.grouping import typed
from ..folds.rows import read_by, settled_values, times_of
from ..plan.pieces import pieces, unordered
from ..plan.plan import At, Plan
from ..plan.reader import TimeBound, within
from ..record import record

_ROWS = 4_000_000  # looked at together


def refuse_misfits(plan: Plan) -> None:
    """Raise `Invalid` for a row of a source that no step can take, with its number among all rows. Only called where a step met one."""
    for side in plan.input.sides:
        for first, piece in pieces(unordered(side.scan.reader), _ROWS):
            frame = piece.read(list(side.scan.columns))
            _refuse(side, _Inside.of(frame, side.scan.bound, first))


@record(eq=False)
class _Inside:
    """The rows of a piece from its first one inside a bound on; in the place of each other one stands the one before it."""

    frame: pl.DataFrame
    first: int

    @staticmethod
    def of(frame: pl.DataFrame, bound: TimeBound | None, first: int) -> _Inside:
        """Those of a frame whose first row has this number."""
        kept = None if bound is None else within(bound, frame.schema[bound.column])
        inside = np.ones(frame.height, dtype=np.bool_) if kept is None else frame.select(kept).to_series().to_numpy()
        if inside.all() or not inside.any():
            return _Inside(frame if len(inside) and inside.all() else frame.clear(), first)
        begin = int(inside.argmax())
        places = np.maximum.accumulate(np.where(inside, np.arange(len(inside)), 0))
        return _Inside(frame[places[begin:]], first + begin)


def _refuse(side: At, rows: _Inside) -> None:
    source, frame, first = side.scan.source, rows.frame, rows.first
    times_of(source, frame, first)
    if source.known_time in frame.columns:
        source.instants(frame, source.known_time, first)
    typed(frame, dict(side.keys), "the source", first)
    for name in read_by(side.parts.values()):
        settled_values(frame[name], first)
