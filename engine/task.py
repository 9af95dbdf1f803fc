"""A task: one At over one spine. It opens its inputs itself, so it runs the same in this process, on another node, or again.

Inside, keys are taken a block at a time: what a block needs fits the processor's cache, and blocks may run side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from .at import FOREVER, Answer, Ask, Asked, Driver
from .column import Array, Column, Index, Mask, physical
from .grouping import codes, sort_by_group
from .instant import instants
from .plan import At, Spine
from .ranges import put, take
from .reader import Reader
from .rows import ARRIVAL, SEQUENCE, Arranged, arrange, rows_of

Each = Callable[[Callable[[Any], None], Iterable[Any]], Iterable[None]]
_BLOCK = 131_072  # events and questions together; 1 MB a column (benchmarks/fraud.py, 2026-11)


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

    def run(self, spine: Reader, source: Reader, each: Each = map) -> dict[str, Answer]:
        """The answer of each fold in the spine's order; `each` says how blocks run, one after another or side by side."""
        gathered = gather(self.side, self.spine, spine, source)
        outs = [_Out(ask, len(gathered.times), self.with_status) for ask in self.side.asks]

        def answer(block: tuple[int, int]) -> None:
            questions, driver = gathered.block(*block)
            for out in outs:
                out.put(questions, driver.answer(out.ask) if self.with_status else driver.value(out.ask))

        for _ in each(answer, gathered.blocks()):
            pass
        return {out.ask.name: out.answer() for out in outs}


@dataclass(frozen=True)
class Gathered:
    """Events and questions of the same groups, before they are put in order block by block."""

    events: Arranged
    times: Index
    known: Index | None
    order: Index  # sorts the questions by (group, time)
    offsets: Index  # where each group's questions begin in that order

    def blocks(self) -> list[tuple[int, int]]:
        """Ranges of groups of about equal work."""
        work = self.events.offsets + self.offsets
        cuts = np.searchsorted(work, np.arange(_BLOCK, work[-1], _BLOCK))
        ends = np.unique(np.concatenate([cuts, [len(work) - 1]])).tolist()
        return list(zip([0, *ends], ends, strict=False))

    def block(self, first: int, last: int) -> tuple[Index, Driver]:
        """The rows of the spine that ask about the groups [first, last), and what answers them."""
        offsets = self.offsets[first : last + 1]
        questions = self.order[offsets[0] : offsets[-1]]
        group = np.repeat(np.arange(last - first), np.diff(offsets))
        events = self.events.events(first, last)
        times = events.time if self.order is self.events.order else take(self.times, questions)
        known = None if self.known is None else take(self.known, questions)
        return questions, Driver(events, Asked(group, times, known))


@dataclass
class _Out:
    """The answer to one fold, filled block by block; blocks write to different rows."""

    ask: Ask
    n: int
    with_status: bool
    values: Array = field(init=False)
    missing: Mask = field(init=False)  # zeros cost nothing until they are written to
    found: Mask = field(init=False)
    expired: Mask = field(init=False)

    def __post_init__(self) -> None:
        self.values = np.empty(self.n, dtype=physical(self.ask.dtype))
        self.missing, self.found, self.expired = (np.zeros(self.n, dtype=np.bool_) for _ in range(3))

    def put(self, rows: Index, answer: Answer) -> None:
        """Write a block's answer to its rows."""
        put(self.values, rows, answer.value.values)
        if answer.value.valid is not None:
            put(self.missing, rows, ~answer.value.valid)
        if answer.found is not None:
            put(self.found, rows, answer.found)
        if answer.expired is not None:
            put(self.expired, rows, answer.expired)

    def answer(self) -> Answer:
        """The whole answer, in the order of the spine."""
        value = Column(self.ask.dtype, self.values, ~self.missing if self.missing.any() else None)
        return Answer(value, self.found, self.expired) if self.with_status else Answer(value)


def gather(side: At, spine: Spine, spine_reader: Reader, source: Reader) -> Gathered:
    """The questions of the spine and the rows of the source, by the groups of their keys."""
    keys = dict(side.keys)
    known_column = _known_column(side, spine, source)
    asked, read = _questions(side, spine), _columns(side, source, known_column)
    questions = spine_reader.read(list(dict.fromkeys([*asked, *read])) if spine_reader == source else asked)
    rows = questions if spine_reader == source else source.read(read, side.scan.bound)
    times = instants(questions[spine.time], f"the spine's {spine.time!r}")
    group, asked_group, groups = codes(rows, questions, keys)
    events = arrange(rows_of(side.scan.source, side.parts, rows, known_column), group, groups)
    known = _known(spine, questions)
    if rows is questions and _asks_about_itself(events, side, spine):
        return Gathered(events, times, known, events.order, events.offsets)
    return Gathered(events, times, known, *sort_by_group(asked_group, groups, times))


def _asks_about_itself(events: Arranged, side: At, spine: Spine) -> bool:
    """True where the questions are the events, row by row: what a transaction asks about its own customer. One order serves both."""
    source = side.scan.source
    plain = source.time_zone in (None, "UTC") and source.available is None and source.known_time is None
    return plain and spine.time == source.event_time and len(events.order) == len(events.rows)


def _questions(side: At, spine: Spine) -> list[str]:
    """The spine's columns that an At asks by."""
    extra = [spine.known] if isinstance(spine.known, str) else []
    return list(dict.fromkeys([*dict(side.keys), spine.time, *extra]))


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
