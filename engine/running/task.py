"""A task: one At over one spine. It opens its inputs itself, so it runs the same in this process, on another node, or again.

Inside, questions are taken a block at a time in the order of their keys and times: what a block needs fits the processor's cache, and
blocks may run side by side.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import polars as pl

from ..folds import compiled
from ..folds.ask import Answer, Ask
from ..folds.at import FOREVER, Asked, Driver
from ..folds.column import Index
from ..folds.events import Events
from ..folds.filling import Filling
from ..folds.grouping import Order, codes
from ..folds.memory import nowhere
from ..folds.ready import Ready
from ..folds.rows import ARRIVAL, SEQUENCE, UNTIL, Arranged, arrange, rows_of, taken
from ..plan.pieces import width
from ..plan.plan import At, Spine
from ..plan.reader import Loaded, Reader
from ..plan.way import per_question, per_row
from ..record import record
from .step import Each
from .streamed import Asking, Streamed, can_stream

_BLOCK = 16_384  # questions at a time: 128 KB a column, so that what lies between them stays in the cache (benchmarks/windows.py, 2026-11)


@record
class AtTask:
    """The answers of one At for all rows of a spine."""

    side: At
    spine: Spine
    with_status: bool = False

    @property
    def source(self) -> Reader:
        """What it reads beside the spine."""
        return self.side.scan.reader

    @property
    def reads_its_spine(self) -> bool:
        """Whether the spine's table is the source's."""
        return self.spine.reader == self.source

    def projected(self, asked: Any, rows: Any) -> Any:
        """Bytes that so many questions and rows of the source are projected to take, for numbers or for arrays of them."""
        asks = self.side.asks
        question = per_question(width(dict(self.spine.schema), questions_of(self)), asks)
        return asked * question + rows * per_row(width(self.source.schema(), source_columns(self)), asks)

    def alone(self) -> AtTask:
        """The task without its tables, for travel."""
        nothing = Loaded(pl.DataFrame(), "elsewhere")
        side = replace(self.side, scan=replace(self.side.scan, reader=nothing))
        return replace(self, side=side, spine=replace(self.spine, reader=nothing))

    def run(self, spine: Reader, source: Reader, each: Each = map) -> dict[str, Answer]:
        """The answer of each fold in the spine's order; `each` says how blocks run, one after another or side by side."""
        if can_stream(self.side, _known_column(self.side, self.spine, source)):
            return self._at_once(spine, source)
        gathered = gather(self.side, self.spine, spine, source)
        return self.answered(gathered, Ready.of(gathered.events, self.side.asks), each)

    def answered(self, gathered: Gathered, ready: Ready, each: Each) -> dict[str, Answer]:
        """The answers to what was gathered, as its questions stood."""
        outs = {ask.name: _Out(ask, gathered.order, self.with_status) for ask in self.side.asks}

        def answer(rows: slice) -> None:
            driver = Driver(ready, gathered.asked(rows))
            for ask, one in driver.answers() if self.with_status else driver.values():
                outs[ask.name].put(rows, one)

        blocks = [slice(begin, begin + _BLOCK) for begin in range(0, gathered.order.size, _BLOCK)]

        for step, parts in ((answer, blocks), (_Out.finish, outs.values())):
            for _ in each(step, parts):
                pass
        return {name: out.answer() for name, out in outs.items()}

    def asking(self, spine: Reader, *, rows: int) -> Asking:
        """The questions, ready for about so many rows that pass by."""
        questions = spine.read(_questions(self.side, self.spine)).rechunk()
        times = self.spine.times(questions)
        return Asking.of(questions, dict(self.side.keys), times, rows=rows)

    def _at_once(self, spine: Reader, source: Reader) -> dict[str, Answer]:
        rows = source.read(_columns(self.side, source, None), self.side.scan.bound).rechunk()
        return self.passed(self.asking(spine, rows=rows.height), [rows])

    def passed(self, asking: Asking, rows: Iterable[pl.DataFrame]) -> dict[str, Answer]:
        """The answer of each fold in the order of the questions, after rows passed by; all versions of a row come together."""
        streamed = Streamed.of(self.side, asking, with_status=self.with_status)
        for some in rows:
            streamed.add(some)
        return dict(streamed.answers())


@record
class Gathered:
    """Events in order; and the questions, their times and what was known, in theirs."""

    events: Events
    order: Order
    times: Index
    known: Index | None

    def asked(self, rows: slice) -> Asked:
        """A stretch of the questions, in order."""
        known = None if self.known is None else self.known[rows]
        return Asked(self.order.groups(rows), self.times[rows], known)


class _Out:
    """The answer to one fold: filled block by block in the order of the questions, then put back as the spine's rows stand."""

    def __init__(self, ask: Ask, order: Order, with_status: bool) -> None:
        self._order = order
        self._filling = Filling(ask.dtype, order.size)
        self._found = nowhere(order.size) if with_status else None
        self._expired = nowhere(order.size) if with_status and ask.span.ttl is not None else None

    def put(self, rows: slice, answer: Answer) -> None:
        """Write a block's answer to its rows."""
        self._filling.put(rows, answer.value)
        if self._found is not None:
            self._found[rows] = answer.found
        if self._expired is not None:
            self._expired[rows] = answer.expired

    def finish(self) -> None:
        """Put everything back; one array after the other, so that each takes the memory that the one before it left."""
        undone, filling = self._order.undone, self._filling
        filling.values = undone(filling.values)
        if filling.nullable:
            filling.missing = undone(filling.missing)
        self._found, self._expired = (None if part is None else undone(part) for part in (self._found, self._expired))

    def answer(self) -> Answer:
        """The whole answer, as the spine's rows stand."""
        return Answer(self._filling.column(), self._found, self._expired)


def gather(side: At, spine: Spine, spine_reader: Reader, source: Reader) -> Gathered:
    """The questions of the spine and the rows of the source, sorted by the groups of their keys."""
    keys = dict(side.keys)
    known_column = _known_column(side, spine, source)
    questions, rows = _tables(side, spine, spine_reader, source, known_column)
    rows = taken(side.scan.source, side.scan.kept, rows)
    times = spine.times(questions)
    compiled.kernels(len(times) + rows.height)
    group, asked_group, groups = codes(rows, questions, keys)
    arranged = arrange(rows_of(side.scan.source, side.parts, rows, known_column), group, groups)
    own = rows is questions and _asks_about_itself(arranged, side, spine)
    order = arranged.order if own else Order.of(asked_group, groups, times)
    known = spine.known_times(questions)
    sorted_times = arranged.events.time if own else order.sorted(times)
    return Gathered(arranged.events, order, sorted_times, None if known is None else order.sorted(known))


def _tables(
    side: At, spine: Spine, spine_reader: Reader, source: Reader, known_column: str | None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What is asked by of the spine, and what is read of the source; one table where they are one."""
    asked, read = _questions(side, spine), _columns(side, source, known_column)
    if spine_reader == source:
        both = source.read(list(dict.fromkeys([*asked, *read]))).rechunk()
        return both, both
    return spine_reader.read(asked).rechunk(), source.read(read, side.scan.bound).rechunk()


def _asks_about_itself(arranged: Arranged, side: At, spine: Spine) -> bool:
    """True where the questions are the events, row by row: what a transaction asks about its own customer. One order serves both."""
    source = side.scan.source
    plain = source.time_zone in (None, "UTC") and source.available is None and source.known_time is None
    return plain and spine.time == source.event_time and arranged.order.size == len(arranged.rows)


def questions_of(task: AtTask) -> list[str]:
    """The columns of the spine's table that a task reads, as questions and, where it is the source as well, as events."""
    own = source_columns(task) if task.reads_its_spine else []
    return list(dict.fromkeys([*_questions(task.side, task.spine), *own]))


def source_columns(task: AtTask, reader: Reader | None = None) -> list[str]:
    """The columns of the source, or of a reader of some of its rows, that a task reads."""
    source = reader or task.source
    return _columns(task.side, source, _known_column(task.side, task.spine, source))


def known_column(task: AtTask) -> str | None:
    """The column of the source that says when a row was known, if that is asked."""
    return _known_column(task.side, task.spine, task.source)


def version_columns(task: AtTask) -> list[str]:
    """The columns of the source that tell versions of rows apart."""
    source = task.side.scan.source
    fixed = (source.event_time, source.row_id, source.deleted, known_column(task))
    stored = SEQUENCE if SEQUENCE in task.source.schema() else None
    return list(dict.fromkeys(name for name in (*fixed, stored) if name is not None))


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
    schema = source.schema()
    extra = [name for name in (SEQUENCE, UNTIL) if name in schema]
    return list(dict.fromkeys([*side.scan.columns, *extra, *([known_column] if known_column else [])]))
