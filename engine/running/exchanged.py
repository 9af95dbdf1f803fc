"""An At answered bucket by bucket: its source and the questions are split by a hash of the keys, and buckets answered for themselves."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from ..folds.column import Index
from ..plan.pieces import height, pieces, unordered, width
from ..plan.plan import at_name, scan_name
from ..plan.reader import Loaded, Reader
from ..plan.way import HOT, grouped
from ..record import record
from .settling import Settle, all_rise
from .slices import Carry, Slice, Slicing, may_slice, needs_carry
from .step import Need, Report, Step
from .task import AtTask, known_column, source_columns, version_columns
from .work import Bucket, Cut, Read, ReadAndSplit, Split

if TYPE_CHECKING:
    from .answering import Tables


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
        read = Read.of(self._task, piece)
        scan = self._task.alone().side.scan
        split = Split(columns, dict(side.keys), side.way.buckets, scan, first, self._row_id, self._groups)
        memory = 3 * (height(piece) or 0) * width(piece.schema(), columns)
        return Step(
            f"split {self._name} {number}", self._scan, ReadAndSplit(read, split), (), memory, self._order,
            here=isinstance(piece, Loaded), values=side.way.groups, key=f"{self._order} split {first} {height(piece)}", hands_on=True,
        )  # fmt: skip

    def _answers(self, settled: Step) -> list[Step]:
        """The steps that answer neighbouring buckets together, or slices of one that is hot."""
        asked = _sizes([self._tables.reports[self._spine]])
        cost, way = self._cost(asked), self._task.side.way
        found = [
            (group, begin + first, begin + last)
            for group, (begin, end) in enumerate(pairwise(self._groups))
            for first, last in grouped(cost[begin:end], ceil(way.steps / way.groups))
        ]
        fair = way.fair(int(cost.sum()))
        steps: list[Step] = []
        for number, (group, first, last) in enumerate(found, 1):
            size = int(cost[first:last].sum())
            count = self._slices(size, fair, int(asked[first])) if last == first + 1 and settled is self._cut else 1
            tables = (Need(self._spine), *(Need(step, group) for step in self._source))
            made = _Made(tables, size, self._order + group / way.groups)
            if count > 1:
                steps += self._sliced(first, count, made)
            else:
                steps.append(self._answer(f"{number}/{len(found)}", first, last, settled, made))
        return steps

    def _slices(self, size: int, fair: int, asked: int) -> int:
        """Into how many slices a bucket is cut, if it takes much more than a step may: each reads again what windows reach back for."""
        return min(ceil(size / fair), asked) if size > HOT * fair and may_slice(self._task) else 1

    def _answer(self, number: str, first: int, last: int, settled: Step, made: _Made) -> Step:
        work = Bucket(self._task.alone(), first, last)
        return Step(
            f"answer {self._name} {number}", self._node, work, (Need(settled), *made.tables), made.size, made.order,
            wanted=True, key=f"{self._order} answer {first} {last}", hands_on=True,
        )  # fmt: skip

    def _sliced(self, bucket: int, count: int, made: _Made) -> list[Step]:
        slicing, name = Slicing(self._task.alone(), bucket, count), f"{self._name} bucket {bucket}"
        carries = [
            Step(
                f"carry {name} {number}/{count}", self._node, Carry(slicing, number - 1), made.tables, made.size,
                made.order,
            )
            for number in range(1, count if needs_carry(self._task) else 1)
        ]  # fmt: skip
        spine, *source = made.tables
        return carries + [
            Step(
                f"answer {name} {number + 1}/{count}", self._node, Slice(slicing, number, len(carries[:number])),
                (spine, *map(Need, carries[:number]), *source), made.size, made.order, wanted=True,
                key=f"{self._order} answer {bucket} {number} {count}", hands_on=True,
            )
            for number in range(count)
        ]  # fmt: skip

    def _cost(self, asked: Index) -> Index:
        """Bytes that answering each bucket is projected to take."""
        rows = _sizes([self._reports[step] for step in self._source]) if self._source else asked
        cost: Index = self._task.projected(asked, rows)
        return cost


@record
class _Made:
    """What the steps over some buckets take: tables, memory, and their turn."""

    tables: tuple[Need, ...]
    size: int
    order: float


def _sizes(reports: Sequence[Report]) -> Index:
    """The rows of each bucket, over all pieces of a table."""
    sizes: Index = np.array([report.sizes for report in reports]).sum(axis=0)
    return sizes
