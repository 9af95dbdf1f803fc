"""Running a plan: its steps on a pool, their answers put in their places, the outputs made of them."""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from math import inf
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import polars as pl

from ..errors import FunctionFailed, Invalid
from ..folds import compiled
from ..language.expr import Expr
from ..language.nodes import load
from ..plan.plan import JOIN, SELECT, Plan
from ..plan.reader import Loaded
from ..plan.way import Resources
from ..record import record
from ..showing.progress import Progress
from .answering import folded, jobs
from .executor import Open
from .outputs import Outputs, take_arrays_ahead
from .parts import Part, Places, stretches
from .schedule import Schedule, Watch, Watches
from .shelf import Shelf
from .spell import Spell
from .step import Each, Step

if TYPE_CHECKING:
    from .journal import Journal


@record
class Run:
    """How a plan is run: on which pool, with what, told to whom, and for how long at most."""

    open_pool: Open
    resources: Resources
    progress: Progress
    seconds: float | None = None
    journal: Journal | None = None
    watch: Watch | None = None  # who is told beside the progress

    def __enter__(self) -> Self:
        self.progress.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.progress.__exit__(kind, error, trace)
        if self.journal is not None:
            self.journal.close(done=kind is None)

    def collected(self, plan: Plan) -> pl.DataFrame:
        """The spine's table with the output columns beside it."""
        with ThreadPoolExecutor(os.cpu_count()) as threads, closing(self._results(plan)) as results:
            frame = _checked(plan, next(results))
            made, driver = Outputs(plan, frame, threads), _Driver(self._watch)
            places = _places(plan, frame.height, threads.map, self.resources.of_shelf)
            for part in results:
                with driver.joins:
                    places.put(part)
                driver.size += part.nbytes
            with driver.selects:
                out = frame.hstack(made.columns(places.answers()))
            driver.done(out.height, int(out.estimated_size()))
            return out

    def batches(self, plan: Plan, rows: int) -> Generator[pl.DataFrame]:
        """The same, one stretch of rows at a time, in the spine's order; answers that wait and do not fit the budget go to files."""
        with (
            ThreadPoolExecutor(os.cpu_count()) as threads,
            Shelf(self.resources.of_shelf) as shelf,
            closing(self._results(plan)) as results,
        ):
            frame, size = _checked(plan, next(results)), 0
            driver = _Driver(self._watch)
            parts = [driver.keeps(shelf, part) for part in results]
            for first, last in stretches(frame.height, rows):
                with driver.joins:
                    stretch, places = frame[first:last], _places(plan, last - first, threads.map)
                    for part in parts:
                        places.put(part.between(first, last))
                with driver.selects:
                    out = stretch.hstack(Outputs(plan, stretch, threads).columns(places.answers()))
                size += int(out.estimated_size())
                yield out
            driver.done(frame.height, size)

    @property
    def _watch(self) -> Watch:
        return self.progress if self.watch is None else Watches((self.progress, self.watch))

    def _results(self, plan: Plan) -> Generator[Any]:
        """The spine's table, then the parts of all answers as they come."""
        load((*(output.expr for output in plan.outputs), *_on_rows(plan)))
        until = None if self.seconds is None else time.monotonic() + self.seconds
        spine, work = jobs(plan)
        take_arrays_ahead()
        early: list[Part] = []
        with _numbering(plan), self.open_pool(self.resources) as pool:
            if not pool.elsewhere:
                compiled.ahead(folded(plan))
            schedule = Schedule(pool, self.resources.of_steps, self._watch, until, self.journal)
            yield from _spine_first(schedule.run(work), spine, early)


class _Driver:
    """What the driver does itself: it puts answers in their places and makes the features of them."""

    def __init__(self, watch: Watch) -> None:
        self.joins = Spell(watch, "place answers", JOIN)
        self.selects = Spell(watch, "make features", SELECT, time.process_time)
        self.size = self._spilled = 0

    def keeps(self, shelf: Shelf, part: Part) -> Any:
        """A part on the shelf, or what stands for it."""
        with self.joins:
            kept = shelf.keep(part)
        self.size += part.nbytes
        self._spilled += shelf.spilled(kept)
        return kept

    def done(self, rows: int, size: int) -> None:
        """Tell of it: so many rows and bytes came of it."""
        self.joins.done(rows, self.size, self._spilled)
        self.selects.done(rows, size)


def _spine_first(results: Iterator[tuple[Step, Any]], spine: Step, early: list[Part]) -> Iterator[Any]:
    """The values of steps, the spine's before all others."""
    for step, value in results:
        if step is spine:
            yield value
            yield from early
            break
        early.append(value)
    for _, value in results:
        yield value


@contextmanager
def _numbering(plan: Plan) -> Iterator[None]:
    """Where a row is refused, say which of all the rows of its source it is."""
    try:
        yield
    except Invalid as error:
        if isinstance(error, FunctionFailed):
            raise
        from .misfits import refuse_misfits  # only here: few runs fail

        try:
            refuse_misfits(plan)
        except Invalid as numbered:
            raise numbered from None
        raise


def _on_rows(plan: Plan) -> Iterator[Expr]:
    """What is computed on the rows of sources."""
    for side in plan.input.sides:
        yield from (folding.node for folding in side.foldings)
        if side.scan.kept is not None:
            yield side.scan.kept


def _checked(plan: Plan, spine: Loaded) -> pl.DataFrame:
    asks = plan.input.spine  # refused where a time is no clear instant, by the number of its row among all
    asks.times(spine.frame)
    if isinstance(asks.known, str):
        asks.known_times(spine.frame)
    return spine.frame


def _places(plan: Plan, n: int, each: Each, room: float = inf) -> Places:
    asks = [ask for side in plan.input.sides if side.way.in_parts for ask in side.asks]
    return Places(asks, n, plan.statuses, each, room)
