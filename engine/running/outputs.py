"""The feature columns of a training set, from what the folds answered; those that need no fold are computed while the folds run."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Thread

import numpy as np
import polars as pl

from ..errors import WrongType
from ..folds.ask import Answer
from ..folds.column import Array, Column
from ..folds.evaluate import Evaluation, with_default
from ..folds.filling import Filling
from ..language import dtype as types
from ..language.instant import in_unit, refuse_nanoseconds
from ..language.nodes import RequestField, Slot, walk
from ..language.status import NAMES, Statuses
from ..language.window import rounded
from ..loading import loaded
from ..plan.lower import clock_slot, clocks_of
from ..plan.plan import Output, Plan
from .step import Each

Answers = Mapping[str, Answer]
_STRETCH = 65_536  # rows; 512 KB a column


class Outputs:
    """Makes the columns of all outputs, those that need no fold while the folds still run."""

    def __init__(self, plan: Plan, frame: pl.DataFrame, pool: ThreadPoolExecutor) -> None:
        self._plan, self._pool = plan, pool
        self._made = _Made(plan, frame, plan.statuses)
        self._early = pool.submit(self._made.early, [output for output in plan.outputs if not output.slots])

    def columns(self, answers: Answers) -> list[pl.Series]:
        """The columns in order, with their statuses beside them if asked."""
        late = [output for output in self._plan.outputs if output.slots]
        columns = self._made.columns(late, answers, self._pool.map) | self._early.result()
        return [series for output in self._plan.outputs for series in columns[output.name]]


def take_arrays_ahead() -> None:
    """Have Polars load what it needs to take arrays, 10 ms in a process, beside what is done now, such as reading."""
    if "numpy.ma" not in sys.modules:
        Thread(target=loaded, args=["numpy.ma", ""], name="nowthen-arrays").start()


class _Made:
    """Makes outputs, a stretch of rows after the other, so that what lies between stays in the processor's cache."""

    def __init__(self, plan: Plan, frame: pl.DataFrame, with_status: bool) -> None:
        self._n, self._with_status = frame.height, with_status
        self._passed = set(frame.columns)
        self._request, self._asked_at = fields(plan, frame), clocks(plan, frame)

    def early(self, outputs: Sequence[Output]) -> dict[str, list[pl.Series]]:
        """The columns of outputs that need no fold."""
        return self.columns(outputs, {}, map)

    def columns(self, outputs: Sequence[Output], answers: Answers, each: Each) -> dict[str, list[pl.Series]]:
        """The column of each output, if the spine has none of its name, and its status if asked."""
        slots = {slot: answer.value for slot, answer in answers.items()} | self._asked_at
        made = [output for output in outputs if output.name not in self._passed]
        fillings = {output.name: Filling(output.expr.dtype, self._n) for output in made if not _is_slot(output)}
        codes = {output.name: np.empty(self._n, dtype=np.uint8) for output in outputs if self._with_status}

        def fill(rows: slice) -> None:
            held = {slot: answer.slice(rows) for slot, answer in answers.items()}
            n = len(range(self._n)[rows])
            evaluate = Evaluation(_cut(self._request, rows), n, _cut(slots, rows))
            statuses = Statuses(held, n)
            for output in outputs:
                if output.name in fillings or output.name in codes:
                    plain = evaluate(output.expr)
                if output.name in fillings:
                    fillings[output.name].put(rows, with_default(plain, output.default))
                if output.name in codes:
                    codes[output.name][rows] = statuses.codes(output, plain)

        if fillings or codes:
            for _ in each(fill, [slice(begin, begin + _STRETCH) for begin in range(0, self._n, _STRETCH)]):
                pass
        return {output.name: self._series(output, slots, fillings, codes) for output in outputs}

    def _series(
        self, output: Output, slots: Mapping[str, Column], fillings: Mapping[str, Filling], codes: Mapping[str, Array]
    ) -> list[pl.Series]:
        out = []
        if output.name not in self._passed:
            column = fillings[output.name].column() if output.name in fillings else slots[_slot(output)]
            out.append(column.to_series(output.name))
        if output.name in codes:
            out.append(pl.Series(f"{output.name}__status", NAMES[codes[output.name]], dtype=pl.String))
        return out


def _cut(columns: Mapping[str, Column], rows: slice) -> dict[str, Column]:
    return {name: column.slice(rows) for name, column in columns.items()}


def _is_slot(output: Output) -> bool:
    """Whether an output is what a fold answered, and nothing else."""
    return isinstance(output.expr, Slot) and output.default is None


def _slot(output: Output) -> str:
    assert isinstance(output.expr, Slot), "only asked of outputs that are slots"
    return output.expr.name


def clocks(plan: Plan, frame: pl.DataFrame) -> dict[str, Column]:
    """The time asked, rounded down to every chain of clocks that the output expressions read."""
    columns = {}
    for chain in {chain for output in plan.outputs for chain in clocks_of(output.expr)}:
        times = plan.input.spine.times(frame)
        columns[clock_slot(chain)] = Column(types.UTC, rounded(times, chain))
    return columns


def fields(plan: Plan, frame: pl.DataFrame) -> dict[str, Column]:
    """The request fields that the output expressions read, in their own types."""
    return {field.name: _field(frame[plan.input.spine.request[field.name]], field) for field in _fields(plan.outputs)}


def _field(series: pl.Series, field: RequestField) -> Column:
    what = f"request field {field.name!r}"
    refuse_nanoseconds(series, what)
    if isinstance(field.dtype, pl.Datetime | pl.Duration) and isinstance(series.dtype, pl.Datetime | pl.Duration):
        series = in_unit(series, field.dtype.time_unit, what)
    try:
        return Column.from_series(series if series.dtype == field.dtype else series.cast(field.dtype))
    except pl.exceptions.PolarsError as error:
        raise WrongType(
            f"request field {field.name!r} does not fit its type {field.dtype}: {str(error).splitlines()[0]}"
        ) from None


def _fields(outputs: Sequence[Output]) -> list[RequestField]:
    return [node for output in outputs for node in walk(output.expr) if isinstance(node, RequestField)]
