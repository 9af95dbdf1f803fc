"""The steps that answer a plan: tables read once for all, and each At whole in one step or bucket by bucket after an exchange."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import ceil

import numpy as np
import polars as pl

from .column import Index
from .pieces import height, pieces, unordered, width
from .plan import SPINE, Plan, Scan, at_name, scan_name
from .reader import Loaded, Reader
from .schedule import Job
from .settling import Settle, all_rise
from .step import Need, Report, Step
from .stored import AnswerStored
from .task import AtTask, known_column, questions_of, source_columns, version_columns
from .way import grouped, per_question, per_row
from .work import Ask, Bucket, Conclude, Cut, Pass, Read, ReadAndSplit, Select, Split, Whole


def jobs(plan: Plan) -> tuple[Step, list[Job]]:
    """The step whose value is the spine as the driver wants it, and all jobs."""
    tasks = [AtTask(side, plan.input.spine, plan.statuses) for side in plan.input.sides]
    tables = Tables(plan, tasks)
    answers = [_WAYS[task.side.way.kind](task, order, tables) for order, task in enumerate(tasks)]
    return tables.spine, [tables, *answers]


class Tables:
    """What several At's read: the spine, the sources that are read whole, and the questions split by keys."""

    kept = True

    def __init__(self, plan: Plan, tasks: Sequence[AtTask]) -> None:
        spine = plan.input.spine
        read = Read(spine.reader, tuple(spine.schema))
        self.spine = Step("read the spine", SPINE, read, order=-2, here=True, wanted=True, hands_on=True)
        self._tasks = tasks
        self._columns = _union(questions_of(task) for task in tasks)
        self.questions = Step(
            "select questions", SPINE, Select(self._columns), (Need(self.spine),), order=-2, here=True
        )
        self._sources: list[tuple[Scan, Step]] = []
        self._splits: dict[tuple[object, ...], Step] = {}
        self._asks: dict[object, Step] = {}
        self.reports: dict[Step, Report] = {}

    def begin(self) -> Sequence[Step]:
        """All that the answers asked for."""
        asked = [self.questions] if self._tasks else []
        return [self.spine, *asked, *(step for _, step in self._sources), *self._splits.values(), *self._asks.values()]

    def after(self, step: Step, report: Report) -> Sequence[Step]:
        """Nothing more."""
        self.reports[step] = report
        return []

    def whole(self, task: AtTask) -> tuple[Need, ...]:
        """The steps that read what a whole answer needs: the questions and, if it is another table, the source."""
        steps = [self.questions] if task.reads_its_spine else [self.questions, self._source(task)]
        return tuple(map(Need, steps))

    def split(self, task: AtTask, row_id: str | None, by: tuple[tuple[str, pl.DataType], ...] = ()) -> Step:
        """The step that splits the questions by a task's keys, or `by` some of them; At's that agree share it."""
        by = by or task.side.keys
        name = (by, task.side.way.buckets, row_id)
        if name not in self._splits:
            work = Split(self._columns, dict(by), task.side.way.buckets, row_id=row_id)
            keys = ", ".join(key for key, _ in by)
            self._splits[name] = Step(
                f"split spine by {keys}", SPINE, work, (Need(self.questions),), order=-1, here=True
            )
        return self._splits[name]

    def ask(self, task: AtTask) -> Step:
        """The step that sorts the questions for rows that pass by; At's of equal keys share it."""
        keys = task.side.keys
        if keys not in self._asks:
            rows = max(height(other.source) or 0 for other in self._tasks if other.side.keys == keys)
            work = Ask(task.alone(), rows)
            self._asks[keys] = Step(
                "ask " + ", ".join(key for key, _ in keys), "Spine", work, (Need(self.questions),), order=-1
            )
        return self._asks[keys]

    def _source(self, task: AtTask) -> Step:
        """The step that reads a task's source; equal scans share it."""
        scan = task.side.scan
        same = {
            place: other
            for place, other in enumerate(self._tasks)
            if other.side.way.kind == "whole" and alike(other.side.scan, scan)
        }
        for other, step in self._sources:
            if alike(other, scan):
                return step
        work = Read(unordered(scan.reader), _union(map(source_columns, same.values())), scan.bound)
        here = isinstance(scan.reader, Loaded)
        name = f"read {scan.source.name}"
        self._sources.append((scan, Step(name, scan_name(min(same)), work, here=here, hands_on=True)))
        return self._sources[-1][1]


class AnswerWhole:
    """An At answered in one step."""

    kept = False

    def __init__(self, task: AtTask, order: int, tables: Tables) -> None:
        side = task.side
        work, needs = Whole(task.alone()), tables.whole(task)
        name = f"answer {side.scan.source.name}"
        key = f"{order} answer"
        self._step = Step(
            name, at_name(order), work, needs, side.way.memory, order, wanted=True, key=key, hands_on=True
        )

    def begin(self) -> Sequence[Step]:
        """The one step."""
        return [self._step]

    def after(self, step: Step, report: Report) -> Sequence[Step]:
        """Nothing more."""
        return []


class AnswerStreamed:
    """An At answered by letting its source pass by the questions, some pieces in each of several steps."""

    kept = False

    def __init__(self, task: AtTask, order: int, tables: Tables) -> None:
        side, name = task.side, task.side.scan.source.name
        node, alone, ask = at_name(order), task.alone(), tables.ask(task)
        read = [(first, _read(task, piece)) for first, piece in pieces(task.source, side.way.rows)]
        runs = [run.tolist() for run in np.array_split(np.arange(len(read)), min(side.way.steps, len(read)))]
        passes = [
            Step(
                f"pass {name} {number}/{len(runs)}", scan_name(order), Pass(alone, [read[k] for k in run]),
                (Need(ask),), side.way.memory, order, here=isinstance(task.source, Loaded), hands_on=True,
            )
            for number, run in enumerate(runs, 1)
        ]  # fmt: skip
        needs, key = tuple(map(Need, (ask, *passes))), f"{order} answer"
        end = Step(
            f"answer {name}", node, Conclude(alone), needs, side.way.memory, order, wanted=True, key=key, hands_on=True
        )
        self._steps = [*passes, end]

    def begin(self) -> Sequence[Step]:
        """All steps."""
        return self._steps

    def after(self, step: Step, report: Report) -> Sequence[Step]:
        """Nothing more."""
        return []


class AnswerBuckets:
    """An At answered bucket by bucket. Buckets that turn out small are answered together."""

    kept = False

    def __init__(self, task: AtTask, order: int, tables: Tables) -> None:
        self._task, self._order, self._tables = task, order, tables
        self._name, self._node = task.side.scan.source.name, at_name(order)
        self._scan = self._node if task.reads_its_spine else scan_name(order)
        self._row_id = None if task.side.scan.may_leave_out else task.side.scan.source.row_id
        self._spine = tables.split(task, self._row_id if task.reads_its_spine else None)
        way = task.side.way
        self._groups = tuple(way.buckets * group // way.groups for group in range(way.groups + 1))
        self._source = [] if task.reads_its_spine else self._splits()
        self._reports: dict[Step, Report] = {}
        self._settle: Step | None = None
        behind = (self._spine, *self._source)
        self._cut = Step(f"cut {self._name}", self._node, Cut(), order=order, here=True, behind=behind)

    def begin(self) -> Sequence[Step]:
        """The splits of the source; and when all is split, the cut into steps."""
        return [*self._source, self._cut]

    def after(self, step: Step, report: Report) -> Sequence[Step]:
        """When all is split, a step for every group of buckets; before them one that settles versions, where there may be any."""
        self._reports[step] = report
        if step is self._cut and self._may_have_versions():
            self._settle = self._settling()
            return [self._settle]
        return self._answers(step) if step in (self._cut, self._settle) else []

    def _may_have_versions(self) -> bool:
        """Whether some row may be a later version of another."""
        reports = self._reports if self._source else self._tables.reports
        pieces = [reports[step].ids for step in self._source or [self._spine]]
        return self._row_id is not None and not all_rise(pieces)

    def _settling(self) -> Step:
        task, scan = self._task, self._task.side.scan
        needs = (Need(self._tables.questions),) if task.reads_its_spine else ()
        reader = None if needs else unordered(scan.reader)  # whose rows have the numbers that pieces give them
        work = Settle(scan.source, reader, version_columns(task), known_column(task))
        return Step(
            f"settle {self._name}",
            self._scan,
            work,
            needs,
            order=self._order,
            here=isinstance(scan.reader, Loaded),
        )

    def _splits(self) -> list[Step]:
        found = pieces(self._task.source, self._task.side.way.rows)
        return [self._split(f"{number}/{len(found)}", *piece) for number, piece in enumerate(found, 1)]

    def _split(self, number: str, first: int, piece: Reader) -> Step:
        side, columns = self._task.side, source_columns(self._task)
        read = _read(self._task, piece)
        scan = self._task.alone().side.scan
        split = Split(columns, dict(side.keys), side.way.buckets, scan, first, self._row_id, self._groups)
        memory = 3 * (height(piece) or 0) * width(piece.schema(), columns)
        return Step(
            f"split {self._name} {number}", self._scan, ReadAndSplit(read, split), (), memory, self._order,
            here=isinstance(piece, Loaded), values=side.way.groups, key=f"{self._order} split {first}", hands_on=True,
        )  # fmt: skip

    def _answers(self, settled: Step) -> list[Step]:
        cost, way, alone = self._cost(), self._task.side.way, self._task.alone()
        found = [
            (group, begin + first, begin + last)
            for group, (begin, end) in enumerate(pairwise(self._groups))
            for first, last in grouped(cost[begin:end], ceil(way.steps / way.groups))
        ]
        return [
            Step(
                f"answer {self._name} {number}/{len(found)}", self._node, Bucket(alone, first, last),
                (Need(settled), Need(self._spine), *(Need(step, group) for step in self._source)),
                int(cost[first:last].sum()), self._order + group / way.groups, wanted=True,
                key=f"{self._order} answer {first}", hands_on=True,
            )
            for number, (group, first, last) in enumerate(found, 1)
        ]  # fmt: skip

    def _cost(self) -> Index:
        """Bytes that answering each bucket is projected to take."""
        asked = _sizes([self._tables.reports[self._spine]])
        rows = _sizes([self._reports[step] for step in self._source]) if self._source else asked
        asks, task = self._task.side.asks, self._task
        question = per_question(width(dict(task.spine.schema), questions_of(task)), asks)
        return asked * question + rows * per_row(width(task.source.schema(), source_columns(task)), asks)


_WAYS: dict[str, type[AnswerWhole | AnswerStreamed | AnswerBuckets | AnswerStored]] = {
    "whole": AnswerWhole, "streamed": AnswerStreamed, "bucketed": AnswerBuckets, "stored": AnswerStored,
}  # fmt: skip


def _read(task: AtTask, piece: Reader) -> Read:
    return Read(piece, source_columns(task), task.side.scan.bound)


def _sizes(reports: Sequence[Report]) -> Index:
    """The rows of each bucket, over all pieces of a table."""
    sizes: Index = np.array([report.sizes for report in reports]).sum(axis=0)
    return sizes


def alike(one: Scan, other: Scan) -> bool:
    """Whether two scans read the same rows."""
    return one.reader == other.reader and one.bound == other.bound


def _union(columns: Iterable[Iterable[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for one in columns for name in one))
