"""An At over a source that is stored in buckets by its keys: only questions are split, and a step reads its own buckets itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from ..folds.column import Index
from ..plan.pieces import Layout, batches, layout
from ..plan.plan import at_name
from ..plan.reader import Reader
from ..plan.way import grouped
from ..record import record
from ..rules.check import needed_columns
from .packed import Packed
from .parts import Part
from .settling import ROW
from .step import Each, Need, Outcome, Report, Step
from .streamed import Asking, can_stream
from .task import AtTask, known_column, source_columns
from .work import Ask, Cut, by_number

if TYPE_CHECKING:
    from .answering import Tables


@record(eq=False)
class AskedBuckets:
    """Questions of some rows of the spine, ready for rows that pass by."""

    rows: Index
    asking: Asking


@record
class AskBuckets:
    """Gets the questions in some buckets of a packed spine ready for rows that pass by."""

    ask: Ask
    first: int
    last: int

    def __call__(self, each: Each, asked: Packed) -> Outcome:
        """The questions, and the numbers of their rows in the spine."""
        spine = by_number(asked.buckets(self.first, self.last))
        made = self.ask(each, spine)
        return Outcome(AskedBuckets(spine.frame[ROW].to_numpy(), made.value), made.report)


@record
class PassBuckets:
    """Lets buckets of a source pass by their questions, which then say the answers."""

    task: AtTask
    source: Reader

    def __call__(self, each: Each, asked: AskedBuckets) -> Outcome:
        """The answers for these rows of the spine."""
        found = batches(self.source, source_columns(self.task, self.source), self.task.side.scan.bound)
        part = Part(asked.rows, self.task.passed(asked.asking, found))
        return Outcome(part, Report(len(asked.rows), part.nbytes))


@record
class StoredBuckets:
    """Answers some buckets of an At, from the packed spine and the buckets of the source where they lie."""

    task: AtTask
    first: int
    last: int
    source: Reader

    def __call__(self, each: Each, asked: Packed) -> Outcome:
        """The answers for the spine's rows in these buckets."""
        spine = by_number(asked.buckets(self.first, self.last))
        part = Part(spine.frame[ROW].to_numpy(), self.task.run(spine, self.source, each))
        return Outcome(part, Report(spine.frame.height, part.nbytes))


class AnswerStored:
    """An At answered some buckets after others from a source that is stored so. Buckets that nobody asks about are not read."""

    kept = False

    def __init__(self, task: AtTask, order: int, tables: Tables) -> None:
        task = without_versions(task)
        self._task, self._order, self._tables = task, order, tables
        self._name, self._node = task.side.scan.source.name, at_name(order)
        self._layout, way, types = layout_of(task), task.side.way, dict(task.side.keys)
        self._spine = tables.split(task, None, tuple((key, types[key]) for key in self._layout.keys))
        cuts = [way.buckets * step // way.steps for step in range(way.steps + 1)]
        self._asks: dict[tuple[int, int], Step] = {}
        if can_stream(task.side, known_column(task)):
            self._asks = {(first, last): tables.ask(task, self._spine, first, last) for first, last in pairwise(cuts)}
        self._cut = Step(f"cut {self._name}", self._node, Cut(), order=order, here=True, behind=(self._spine,))

    def begin(self) -> Sequence[Step]:
        """The cut into steps, which waits for the questions."""
        return [self._cut]

    def after(self, step: Step, report: Report) -> Sequence[Step]:
        """When questions are split, a step for every group of buckets; at least one."""
        if step is not self._cut:
            return []
        asked = np.array(self._tables.reports[self._spine].sizes)
        cost = np.where(asked > 0, self._cost(asked), 0)
        groups = list(self._asks) or grouped(cost, self._task.side.way.steps)
        groups = [(first, last) for first, last in groups if asked[first:last].any()] or groups[:1]
        return [
            self._answer(f"{number}/{len(groups)}", first, last, cost, asked)
            for number, (first, last) in enumerate(groups, 1)
        ]

    def _answer(self, number: str, first: int, last: int, cost: Index, asked: Index) -> Step:
        alone, ask = self._task.alone(), self._asks.get((first, last))
        wanted = [bucket for bucket in range(first, last) if asked[bucket]]
        source = self._layout.bucket(wanted, self._task.side.scan.bound)
        work = StoredBuckets(alone, first, last, source) if ask is None else PassBuckets(alone, source)
        return Step(
            f"answer {self._name} {number}", self._node, work, (Need(ask or self._spine),), int(cost[first:last].sum()),
            self._order, wanted=True, key=f"{self._order} answer {first} {last}", hands_on=True,
        )  # fmt: skip

    def _cost(self, asked: Index) -> Index:
        """Bytes that answering each bucket is projected to take."""
        cost: Index = self._task.projected(asked, np.array(self._layout.sizes))
        return cost


def layout_of(task: AtTask) -> Layout:
    """How the source of a task lies by its keys."""
    found = layout(task.source, dict(task.side.keys))
    assert found is not None, "only chosen where it does"
    return found


def without_versions(task: AtTask) -> AtTask:
    """A task over rows that are settled: none is a version of another, so what tells versions apart is not read."""
    scan = task.side.scan
    if scan.source.row_id is None:
        return task
    plain = replace(task.side, scan=replace(scan, source=replace(scan.source, row_id=None, deleted=None)))
    needed = needed_columns(plain)
    columns = tuple(column for column in scan.columns if column in needed)
    return replace(task, side=replace(plain, scan=replace(plain.scan, columns=columns)))
