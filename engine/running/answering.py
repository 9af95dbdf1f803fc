"""The steps that answer a plan: tables read once for all, and each At whole in one step or bucket by bucket after an exchange."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import polars as pl

from ..folds.latest import LIGHT
from ..plan.pieces import height, pieces, unordered
from ..plan.plan import SPINE, Plan, Scan, at_name, scan_name
from ..plan.reader import Loaded
from .schedule import Job
from .step import Need, Report, Step, Work
from .streamed import can_stream
from .task import AtTask, known_column, questions_of, source_columns
from .work import Ask, Conclude, Pass, PassWhole, Read, Select, Split, Whole


def jobs(plan: Plan) -> tuple[Step, list[Job]]:
    """The step whose value is the spine as the driver wants it, and all jobs."""
    tasks = [AtTask(side, plan.input.spine, plan.statuses) for side in plan.input.sides]
    tables = Tables(plan, tasks)
    answers = [_WAYS[task.side.way.kind](task, order, tables) for order, task in enumerate(tasks)]
    return tables.spine, [tables, *answers]


def folded(plan: Plan) -> int:
    """The most rows, questions among them, that one At folds, of those that just pass by so many as cost as much; of unknown numbers none."""
    return max((_folded(AtTask(side, plan.input.spine, plan.statuses)) for side in plan.input.sides), default=0)


def _folded(task: AtTask) -> int:
    questions, rows = height(task.spine.reader) or 0, height(task.source) or 0
    if can_stream(task.side, known_column(task)):
        return max(questions, (questions + rows) // LIGHT)
    return questions + rows


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

    def whole(self, task: AtTask) -> tuple[Work, tuple[Need, ...]]:
        """What answers a task at once, from the questions and, if it is another table, the source. At's that ask alike sort them once."""
        if self._asked_alike(task):
            source = self.questions if task.reads_its_spine else self._source(task)
            return PassWhole(task.alone()), (Need(self.ask(task)), Need(source))
        steps = [self.questions] if task.reads_its_spine else [self.questions, self._source(task)]
        return Whole(task.alone()), tuple(map(Need, steps))

    def _asked_alike(self, task: AtTask) -> bool:
        """Whether the rows of several sources could pass by the same questions."""
        alike = [one for one in self._tasks if one.side.way.kind == "whole" and one.side.keys == task.side.keys]
        return len(alike) > 1 and all(can_stream(one.side, known_column(one)) for one in alike)

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

    def ask(self, task: AtTask, of: Step | None = None, first: int = 0, last: int = 0) -> Step:
        """The step that sorts questions for rows that pass by: all, or some buckets of a split. At's of equal keys share it."""
        keys = task.side.keys
        name = (keys, of, first, last)
        if name not in self._asks:
            rows = max(height(other.source) or 0 for other in self._tasks if other.side.keys == keys)
            ask = Ask(task.alone(), rows)
            work = ask if of is None else _of_buckets(ask, first, last)
            title = "ask " + ", ".join(key for key, _ in keys)
            self._asks[name] = Step(title, SPINE, work, (Need(of or self.questions),), order=-1)
        return self._asks[name]

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
        work, needs = tables.whole(task)
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
        read = [(first, Read.of(task, piece)) for first, piece in pieces(task.source, side.way.rows)]
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


def _of_buckets(ask: Ask, first: int, last: int) -> Work:
    from .stored import AskBuckets

    return AskBuckets(ask, first, last)


def _bucketed(task: AtTask, order: int, tables: Tables) -> Job:
    from .exchanged import AnswerBuckets  # only here, as below: small work never comes here, and feels what is loaded

    return AnswerBuckets(task, order, tables)


def _stored(task: AtTask, order: int, tables: Tables) -> Job:
    from .stored import AnswerStored

    return AnswerStored(task, order, tables)


_WAYS: dict[str, Callable[[AtTask, int, Tables], Job]] = {
    "whole": AnswerWhole, "streamed": AnswerStreamed, "bucketed": _bucketed, "stored": _stored,
}  # fmt: skip


def alike(one: Scan, other: Scan) -> bool:
    """Whether two scans read the same rows."""
    return one.reader == other.reader and one.bound == other.bound


def _union(columns: Iterable[Iterable[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for one in columns for name in one))
