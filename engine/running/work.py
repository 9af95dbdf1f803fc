"""What steps do: read a table, split one by keys, answer folds. Each is small, picklable and pure: done twice it gives the same."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from ..folds.grouping import typed
from ..folds.hashing import bucket
from ..folds.latest import Knowledge
from ..folds.rows import passing, times_of
from ..plan.plan import Scan
from ..plan.reader import Loaded, Reader, TimeBound
from ..record import record
from .packed import Packed, pack, put_together
from .parts import Part
from .settling import ROW, Settled, rising
from .step import Each, Outcome, Report
from .streamed import Asking, Streamed
from .task import AtTask, source_columns


@record
class Read:
    """Reads columns of a table."""

    reader: Reader
    columns: Sequence[str]
    bound: TimeBound | None = None

    @staticmethod
    def of(task: AtTask, piece: Reader) -> Read:
        """What a task reads of a piece of its source."""
        return Read(piece, source_columns(task), task.side.scan.bound)

    def __call__(self, each: Each) -> Outcome:
        """The table."""
        return _table(self.reader.read(self.columns, self.bound), self.reader.describe())


@record
class Select:
    """Takes columns of a table."""

    columns: Sequence[str]

    def __call__(self, each: Each, table: Loaded) -> Outcome:
        """The table with these columns alone."""
        return _table(table.frame.select(self.columns), table.name)


@record
class Split:
    """Groups the rows of a table, or of a piece of one, by the bucket of their keys."""

    columns: Sequence[str]
    keys: dict[str, pl.DataType]
    buckets: int
    scan: Scan | None = None  # of the source; the spine has none
    first: int = 0  # the number of its first row
    row_id: str | None = None  # where rows may have versions
    groups: tuple[int, ...] = ()  # where the buckets are cut into tables of their own; () for one table

    def __call__(self, each: Each, table: Loaded) -> Outcome:
        """The table, packed."""
        frame = table.frame if self.scan is None else self._checked(table.frame, self.scan)
        if self.scan is None or self.row_id is not None:
            frame = self._numbered(frame)
        ids = None if self.row_id is None else rising(frame[self.row_id])
        packed = pack(frame, bucket(typed(frame, self.keys, table.name, self.first), self.buckets), self.buckets)
        value = packed.groups(self.groups) if len(self.groups) > 2 else packed
        return Outcome(value, Report(frame.height, packed.nbytes, packed.sizes, ids))

    def _numbered(self, frame: pl.DataFrame) -> pl.DataFrame:
        numbers = pl.int_range(self.first, self.first + frame.height, dtype=pl.Int64)
        return frame.select(*self.columns, numbers.alias(ROW))

    def _checked(self, frame: pl.DataFrame, scan: Scan) -> pl.DataFrame:
        """The rows that pass the filter; times are refused here, where the number of a row is known."""
        times_of(scan.source, frame, self.first)
        return passing(scan.kept, frame.select(self.columns))


@record
class ReadAndSplit:
    """Both at once: what is read need not be kept."""

    read: Read
    split: Split

    def __call__(self, each: Each) -> Outcome:
        """The table, packed."""
        return self.split(each, self.read(each).value)


@record
class Cut:
    """Waits for others, so that the next steps are made when all is known; rows are settled as they stand."""

    def __call__(self, each: Each) -> Outcome:
        """Every row exists for ever."""
        return Outcome(Settled(None, None))


@record
class Whole:
    """Answers an At from its whole source; without one the spine's table is the source's too."""

    task: AtTask

    def __call__(self, each: Each, spine: Loaded, source: Loaded | None = None) -> Outcome:
        """The answers for all rows of the spine."""
        part = Part(None, self.task.run(spine, source or spine, each))
        return Outcome(part, Report(spine.frame.height, part.nbytes))


@record
class PassWhole:
    """Answers an At by letting its whole source pass by questions that other At's ask too."""

    task: AtTask

    def __call__(self, each: Each, asking: Asking, source: Loaded) -> Outcome:
        """The answers for all rows of the spine."""
        rows = source.read(source_columns(self.task, source), self.task.side.scan.bound).rechunk()
        part = Part(None, self.task.passed(asking, [rows]))
        return Outcome(part, Report(len(asking.times), part.nbytes))


@record
class Bucket:
    """Answers some buckets of an At, from the packed spine and, unless it is the same table, packed pieces of the source."""

    task: AtTask
    first: int
    last: int

    def __call__(self, each: Each, settled: Settled, asked: Packed, *packed: Packed) -> Outcome:
        """The answers for the spine's rows in these buckets."""
        spine = by_number(asked.buckets(self.first, self.last))
        source = settled.of(self._joined(packed) if packed else spine)
        rows = spine.frame[ROW].to_numpy()
        part = Part(rows, self.task.run(spine, source, each))
        return Outcome(part, Report(len(rows), part.nbytes))

    def _joined(self, packed: Sequence[Packed]) -> Loaded:
        return Loaded(put_together([one.buckets(self.first, self.last) for one in packed]), "a bucket")


@record
class Ask:
    """Gets questions ready for rows that pass by."""

    task: AtTask
    rows: int  # about so many will

    def __call__(self, each: Each, questions: Loaded) -> Outcome:
        """The questions."""
        return Outcome(self.task.asking(questions, rows=self.rows), Report(questions.frame.height))


@record
class Pass:
    """Lets pieces of a source pass by questions, one after another."""

    task: AtTask
    pieces: Sequence[tuple[int, Read]]  # each with the number of its first row

    def __call__(self, each: Each, asking: Asking) -> Outcome:
        """What the questions learned."""
        streamed, rows, size = Streamed.of(self.task.side, asking, with_status=self.task.with_status), 0, 0

        def learn(piece: tuple[int, Read]) -> None:
            nonlocal rows, size
            first, read = piece
            frame = read.reader.read(read.columns, read.bound).rechunk()
            times_of(self.task.side.scan.source, frame, first)
            streamed.add(frame)
            rows, size = rows + frame.height, size + int(frame.estimated_size())

        for piece in self.pieces:  # in order, each as a block of its own: between them a run can be stopped
            for _ in each(learn, [piece]):
                pass
        return Outcome(streamed.latest.knowledge, Report(rows, size))


@record
class Conclude:
    """Puts together what questions learned from pieces that follow each other."""

    task: AtTask

    def __call__(self, each: Each, asking: Asking, first: Knowledge, *later: Knowledge) -> Outcome:
        """The answers for all rows of the spine."""
        streamed = Streamed.of(self.task.side, asking, with_status=self.task.with_status)
        streamed.latest.knows(first)
        for one in later:
            streamed.latest.merge(one)
        part = Part(None, dict(streamed.answers()))
        return Outcome(part, Report(len(asking.times), part.nbytes))


def by_number(frame: pl.DataFrame) -> Loaded:
    """Rows of a spine as they stand there, so that their answers go back one after the other."""
    numbers = frame[ROW]
    return Loaded(frame.rechunk() if numbers.is_sorted() else frame.gather(numbers.arg_sort()), "a bucket")


def _table(frame: pl.DataFrame, name: str) -> Outcome:
    whole = frame.rechunk()
    return Outcome(Loaded(whole, name), Report(whole.height, int(whole.estimated_size())))
