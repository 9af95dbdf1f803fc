"""Questions of an At that rows of its source pass by, a piece at a time: the rows are neither sorted nor held."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from .ask import Answer
from .column import Column, Index
from .grouping import Coder, Order
from .latest import Latest, looks_at_the_latest
from .plan import At
from .rows import passing, rows_of
from .versions import lives


@dataclass(frozen=True, eq=False)
class Streamed:
    """The questions, and what they know so far."""

    side: At
    coder: Coder
    order: Order
    times: Index  # asked at, in that order
    latest: Latest

    @staticmethod
    def of(side: At, questions: pl.DataFrame, times: Index, *, with_status: bool, rows: int = 0) -> Streamed:
        """Questions at the times given that know nothing yet; about so many rows of the source will come."""
        coder = Coder.of(questions, dict(side.keys), rows=rows)
        order = Order.of(coder.asked, coder.groups, times)
        asked = order.sorted(times)
        return Streamed(side, coder, order, asked, _latest(side, order, asked, with_status))

    def anew(self, *, with_status: bool) -> Streamed:
        """The same questions, that know nothing yet."""
        return replace(self, latest=_latest(self.side, self.order, self.times, with_status))

    def merge(self, later: Streamed) -> None:
        """Learn what the same questions learned from pieces that come later."""
        self.latest.merge(later.latest)

    def add(self, frame: pl.DataFrame) -> None:
        """Let a piece of the source pass by. Pieces come in sequence order; all versions of a row are in one."""
        frame = passing(self.side.scan.kept, frame)
        rows = rows_of(self.side.scan.source, self.side.parts, frame, None)
        group = self.coder.codes(frame)
        kept = lives(rows.row_id, None, rows.deleted, rows.sequence).kept
        self.latest.add(rows, group if kept is None else np.where(kept, group, -1))

    def answers(self) -> Iterator[tuple[str, Answer]]:
        """The name and the answer of each fold, as the questions stood."""
        undone = self.order.undone
        for ask, answer in self.latest.answers():
            value = answer.value
            valid, found, expired = (
                None if part is None else undone(part) for part in (value.valid, answer.found, answer.expired)
            )
            yield ask.name, Answer(Column(value.dtype, undone(value.values), valid), found, expired)


def _latest(side: At, order: Order, asked: Index, with_status: bool) -> Latest:
    latest = Latest.of(side.asks, order.offsets, asked, with_status=with_status)
    assert latest is not None, "only where `can_stream` says so"
    return latest


def can_stream(side: At, known_column: str | None) -> bool:
    """Whether every fold is for the latest row, and rows exist whenever they are asked about.

    All rows may pass by in one piece then; in several ones where the source has neither `row_id` nor `deleted`.
    """
    return known_column is None and all(looks_at_the_latest(ask) for ask in side.asks)


def in_pieces(side: At) -> bool:
    """Whether its rows may pass by in several pieces: none is a version of another."""
    return side.scan.source.row_id is None and side.scan.source.deleted is None
