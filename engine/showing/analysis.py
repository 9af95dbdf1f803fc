"""What a run did, operator by operator: it watches the steps and adds their reports up by the plan's node that they worked for."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..plan.plan import Plan
from ..record import record
from ..running.memory_peak import Peak
from ..running.run import Run
from ..running.step import Report, Step

_ROWS = 1_000_000  # that are made and thrown away at a time


@record
class Figures:
    """What the steps of one node did together. Steps run side by side, so `wall_s` may be more than `span_s`."""

    steps: int = 0
    rows: int = 0  # that it handed on
    bytes: int = 0
    cpu_s: float = 0.0
    wall_s: float = 0.0  # the sum over its steps
    waited_s: float = 0.0  # for a slot or for memory, the sum over its steps
    spilled: int = 0
    began: float = 0.0  # the first of its steps, in seconds since 1970
    ended: float = 0.0  # the last of them
    places: frozenset[str] = frozenset()

    @property
    def span_s(self) -> float:
        """From the first begin to the last end."""
        return self.ended - self.began

    def plus(self, step: Step, report: Report) -> Figures:
        """With one more step."""
        return Figures(
            self.steps + 1,
            self.rows + (report.rows if step.hands_on else 0),
            self.bytes + (report.bytes if step.hands_on else 0),
            self.cpu_s + report.cpu_s,
            self.wall_s + report.wall_s,
            self.waited_s + report.waited_s,
            self.spilled + report.spilled,
            min(self.began, report.began) if self.steps else report.began,
            max(self.ended, report.ended),
            self.places | {report.place},
        )


class Analysis:
    """Watches a run."""

    def __init__(self) -> None:
        self.figures: dict[str, Figures] = defaultdict(Figures)
        self.far_cpu_s, self.far_peak = 0.0, 0

    def made(self, steps: Sequence[Step]) -> None:
        """Nothing to note."""

    def done(self, step: Step, report: Report) -> None:
        """One more step of its node."""
        self.figures[step.node] = self.figures[step.node].plus(step, report)
        if report.peak:
            self.far_cpu_s += report.cpu_s
            self.far_peak = max(self.far_peak, report.peak)


@record
class Ran:
    """A run that is over: the figures of each node by its name, and what all of it took."""

    figures: Mapping[str, Figures]
    rows: int
    wall_s: float
    cpu_s: float  # of this process and of all workers
    peak: int  # bytes this process held at most
    worker_peak: int  # bytes the largest worker had held at most, where workers are processes of their own; else 0
    engine: str
    slots: int
    memory: int

    @property
    def rows_per_s(self) -> float:
        """Rows of the training set for each second on the clock."""
        return self.rows / self.wall_s if self.wall_s else 0.0

    @property
    def spilled(self) -> int:
        """Bytes written to files."""
        return sum(figures.spilled for figures in self.figures.values())

    def of(self, name: str) -> Figures:
        """The figures of a node."""
        return self.figures.get(name, Figures())

    def share(self, name: str) -> float:
        """The part of all steps' time that those of a node took, from 0 to 1."""
        whole = sum(figures.wall_s for figures in self.figures.values())
        return self.of(name).wall_s / whole if whole else 0.0


def analyzed(plan: Plan, run: Run, engine: str) -> Ran:
    """Run a plan, a stretch of rows at a time, and throw the rows away; what it did."""
    watch = Analysis()
    wall, cpu = time.perf_counter(), time.process_time()
    with Peak() as peak, replace(run, watch=watch) as watched:
        rows = sum(frame.height for frame in watched.batches(plan, _ROWS))
    wall_s, cpu_s = time.perf_counter() - wall, time.process_time() - cpu + watch.far_cpu_s
    used = run.resources
    figures = dict(watch.figures)
    name = engine.removeprefix("run_")
    return Ran(figures, rows, wall_s, cpu_s, peak.bytes, watch.far_peak, name, used.slots, used.memory)
