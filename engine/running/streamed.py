"""Questions of an At that rows of its source pass by, a piece at a time: the rows are neither sorted nor held."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from ..folds.ask import Answer
from ..folds.column import Column, Index
from ..folds.grouping import Coder, Order
from ..folds.latest import Latest, looks_at_the_latest
from ..folds.rows import rows_of, taken
from ..folds.versions import lives
from ..plan.plan import At
from ..record import record


@record(eq=False)
class Asking:
    """Questions by some keys, sorted: what At's that ask alike share."""

    coder: Coder
    order: Order
    times: Index  # asked at, in that order

    @staticmethod
    def of(questions: pl.DataFrame, keys: dict[str, pl.DataType], times: Index, *, rows: int = 0) -> Asking:
        """Questions at the times given; about so many rows of a source will come."""
        coder = Coder.of(questions, keys, rows=rows, lean=True)
        order = Order.of(coder.asked, coder.groups, times)
        return Asking(coder, order, order.sorted(times))


@record(eq=False)
class Streamed:
    """The questions of an At, and what they know so far."""

    side: At
    asking: Asking
    latest: Latest

    @staticmethod
    def of(side: At, asking: Asking, *, with_status: bool) -> Streamed:
        """Questions that know nothing yet."""
        latest = Latest.of(side.asks, asking.order.offsets, asking.times, with_status=with_status)
        assert latest is not None, "only where `can_stream` says so"
        return Streamed(side, asking, latest)

    def add(self, frame: pl.DataFrame) -> None:
        """Let a piece of the source pass by. Pieces come in sequence order; all versions of a row are in one."""
        frame = taken(self.side.scan.source, self.side.scan.kept, frame)
        rows = rows_of(self.side.scan.source, self.side.parts, frame, None)
        group = self.asking.coder.codes(frame)
        kept = lives(rows.row_id, None, rows.deleted, rows.sequence).kept
        self.latest.add(rows, group if kept is None else np.where(kept, group, -1))

    def answers(self) -> Iterator[tuple[str, Answer]]:
        """The name and the answer of each fold, as the questions stood."""
        undone = self.asking.order.undone
        for ask, answer in self.latest.answers():
            value = answer.value
            valid, found, expired = (
                None if part is None else undone(part) for part in (value.valid, answer.found, answer.expired)
            )
            yield ask.name, Answer(Column(value.dtype, undone(value.values), valid), found, expired)


def can_stream(side: At, known_column: str | None) -> bool:
    """Whether every fold is for the latest row, and rows exist whenever they are asked about.

    All rows may pass by in one piece then; in several ones where the source has neither `row_id` nor `deleted`.
    """
    return known_column is None and all(looks_at_the_latest(ask) for ask in side.asks)


def in_pieces(side: At) -> bool:
    """Whether its rows may pass by in several pieces: none is a version of another."""
    return side.scan.source.row_id is None and side.scan.source.deleted is None
