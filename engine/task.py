"""A task: one At over one spine. It opens its inputs itself, so it runs the same in this process, on another node, or again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from .at import FOREVER, Answer, Asked, Driver, Events
from .column import Column, Index, Mask
from .grouping import codes, sort_by_group
from .instant import instants
from .plan import At, Spine
from .reader import Reader
from .rows import ARRIVAL, SEQUENCE, arrange, rows_of


@dataclass(frozen=True)
class AtTask:
    """The answers of one At for all rows of a spine."""

    side: At
    spine: Spine
    with_status: bool = False

    @property
    def source(self) -> Reader:
        """What it reads beside the spine."""
        return self.side.scan.reader

    def run(self, spine: Reader, source: Reader) -> dict[str, Answer]:
        """The answer of each fold in the spine's order."""
        events, asked, order = gather(self.side, self.spine, spine, source)
        driver = Driver(events, asked)
        answer = driver.answer if self.with_status else driver.value
        return {ask.name: _in_order(answer(ask), order) for ask in self.side.asks}


def gather(side: At, spine: Spine, spine_reader: Reader, source: Reader) -> tuple[Events, Asked, Index]:
    """Events and questions sorted by key and time, and the order that sorted the questions."""
    keys = dict(side.keys)
    extra = [spine.known] if isinstance(spine.known, str) else []
    questions = spine_reader.read(list(dict.fromkeys([*keys, spine.time, *extra])))
    times = instants(questions[spine.time], f"the spine's {spine.time!r}")
    known_column = _known_column(side, spine, source)
    frame = source.read(_columns(side, source, known_column), side.scan.bound)
    group, asked_group, groups = codes(frame, questions, keys)
    events, _ = arrange(rows_of(side.scan.source, side.parts, frame, known_column), group, groups)
    order, _ = sort_by_group(asked_group, groups, times)
    known = _known(spine, questions)
    return events, Asked(asked_group[order], times[order], None if known is None else known[order]), order


def _known_column(side: At, spine: Spine, source: Reader) -> str | None:
    """The column that says when a row was known; arrival stands in where known_at asks and the source has none."""
    if side.scan.source.known_time is not None:
        return side.scan.source.known_time
    asks = spine.known is not None and spine.known != FOREVER - 1
    return ARRIVAL if asks and ARRIVAL in source.schema() else None


def _columns(side: At, source: Reader, known_column: str | None) -> list[str]:
    extra = [SEQUENCE] if SEQUENCE in source.schema() else []
    return list(dict.fromkeys([*side.scan.columns, *extra, *([known_column] if known_column else [])]))


def _known(spine: Spine, questions: pl.DataFrame) -> Index | None:
    if isinstance(spine.known, str):
        return instants(questions[spine.known], f"known_at column {spine.known!r}")
    return None if spine.known is None else np.full(questions.height, spine.known)


def _in_order(answer: Answer, order: Index) -> Answer:
    """The answer in the order the questions were asked in."""
    value = Column(answer.value.dtype, _scattered(answer.value.values, order), _maybe(answer.value.valid, order))
    return Answer(value, _maybe(answer.found, order), _maybe(answer.expired, order))


def _maybe(mask: Mask | None, order: Index) -> Mask | None:
    return None if mask is None else _scattered(mask, order)


def _scattered(values: Any, order: Index) -> Any:
    out = np.empty_like(values)
    out[order] = values
    return out
