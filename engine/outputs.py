"""The feature columns of a training set, from what the folds answered; those that need no fold are computed while the folds run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import polars as pl

from . import dtype as types
from .ask import Answer
from .column import Column
from .errors import WrongType
from .evaluate import Evaluation, with_default
from .instant import instants, refuse_nanoseconds
from .lower import clock_slot, clocks_of
from .nodes import RequestField, walk
from .plan import Output, Plan
from .status import NAMES, Statuses
from .window import floor

Answers = Mapping[str, Answer]


def outputs(
    plan: Plan, frame: pl.DataFrame, run: Callable[[], list[dict[str, Answer]]], with_status: bool
) -> list[pl.Series]:
    """The columns of all outputs, in order, with their statuses beside them if asked; `run` answers the folds."""
    request, asked_at = fields(plan, frame), clocks(plan, frame)

    def columns(output: Output, answers: Answers) -> list[pl.Series]:
        slots = {slot: answers[slot].value for slot in output.slots} | asked_at
        plain = Evaluation(request, frame.height, slots)(output.expr)
        made = [] if output.name in frame.columns else [with_default(plain, output.default).to_series(output.name)]
        if with_status:
            made.append(
                pl.Series(
                    f"{output.name}__status",
                    NAMES[Statuses(answers, frame.height).codes(output, plain)],
                    dtype=pl.String,
                )
            )
        return made

    with ThreadPoolExecutor(2) as pool:
        early = {output.name: pool.submit(columns, output, {}) for output in plan.outputs if not output.slots}
        answers = {slot: answer for result in run() for slot, answer in result.items()}
        late = {output.name: pool.submit(columns, output, answers) for output in plan.outputs if output.slots}
        return [column for output in plan.outputs for column in (early | late)[output.name].result()]


def clocks(plan: Plan, frame: pl.DataFrame) -> dict[str, Column]:
    """The time asked, rounded down to every chain of clocks that the output expressions read."""
    columns = {}
    for chain in {chain for output in plan.outputs for chain in clocks_of(output.expr)}:
        times = instants(frame[plan.input.spine.time], "the spine's time")
        for step in chain:
            times = floor(times, step)
        columns[clock_slot(chain)] = Column(types.UTC, np.asarray(times))
    return columns


def fields(plan: Plan, frame: pl.DataFrame) -> dict[str, Column]:
    """The request fields that the output expressions read, in their own types."""
    return {field.name: _field(frame[plan.input.spine.request[field.name]], field) for field in _fields(plan.outputs)}


def _field(series: pl.Series, field: RequestField) -> Column:
    refuse_nanoseconds(series, f"request field {field.name!r}")
    try:
        return Column.from_series(series if series.dtype == field.dtype else series.cast(field.dtype))
    except pl.exceptions.PolarsError as error:
        raise WrongType(
            f"request field {field.name!r} does not fit its type {field.dtype}: {str(error).splitlines()[0]}"
        ) from None


def _fields(outputs: Sequence[Output]) -> list[RequestField]:
    return [node for output in outputs for node in walk(output.expr) if isinstance(node, RequestField)]
