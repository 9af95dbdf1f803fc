"""The one loop that runs steps, on whatever pool: in order, largest first, within a budget; lost ones again, slow ones twice."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from ..errors import Deadline, Unavailable
from ..record import record
from .step import Need, Outcome, Report, Step

_TICK_S = 1.0
_TRIES = 20  # of one step; a worker may be lost for reasons of its own, over and over
_PATIENCE_S = 120.0  # for a step of whose like too few were finished
_ALIKE = 3
_LEAST_S = 5.0  # no step is slow before that
_TIMES = 3.0  # as long as its like


class Lost(Exception):
    """The worker of a step, or what it needed, is gone; nothing is wrong with the step."""


class Pool(Protocol):
    """Where steps run. A handle stands for a step's outcome, which stays where it was made."""

    slots: int  # steps that run at a time; 0 as long as nobody is there to run them
    elsewhere: bool  # steps may be lost, or be slow for reasons of their place; those that belong here are done when they are started

    def start(self, step: Step, needs: Sequence[tuple[Any, int]]) -> Any:
        """Begin a step; `needs` are handles of steps that are done, and which of their values. Returns its handle."""

    def hold(self, step: Step, outcome: Outcome) -> Any:
        """A handle of what a step made before."""

    def wait(self, handles: Sequence[Any], timeout_s: float) -> Sequence[Any]:
        """Those that are done, as soon as one is; none after the time."""

    def report(self, handle: Any) -> Report:
        """The report of a step that is done; its error is raised as it is, `Lost` where its worker is gone."""

    def value(self, handle: Any) -> Any:
        """The first value of a step that is done; `Lost` where it is gone with its place."""

    def lost(self, handle: Any) -> bool:
        """Whether the values of a step that was done are gone with the place they were at."""

    def drop(self, handle: Any, number: int | None = None) -> None:
        """Nobody needs these values any more, or that one."""

    def tidy(self) -> None:
        """A step is done, and what was wanted of it was taken: a moment to see to the memory."""


class Journal(Protocol):
    """What steps found in a run before this one."""

    def found(self, step: Step) -> Outcome | None:
        """What a step found, if it is there."""

    def kept(self, step: Step) -> Step:
        """The step, such that it leaves what it finds."""


class Job(Protocol):
    """Some of the work, which makes steps as it learns what the ones before found."""

    kept: bool  # others need its steps too, so that they are kept to the end

    def begin(self) -> Sequence[Step]:
        """The first steps."""

    def after(self, step: Step, report: Report) -> Sequence[Step]:
        """The steps that can be made now that one of its own is done."""


class Watch(Protocol):
    """Somebody who is told what happens."""

    def made(self, steps: Sequence[Step]) -> None:
        """There are more steps to do."""

    def done(self, step: Step, report: Report) -> None:
        """A step is done."""


@record
class Watches:
    """Several who are told the same."""

    all: tuple[Watch, ...]

    def made(self, steps: Sequence[Step]) -> None:
        """There are more steps to do."""
        for one in self.all:
            one.made(steps)

    def done(self, step: Step, report: Report) -> None:
        """A step is done."""
        for one in self.all:
            one.done(step, report)


@dataclass(eq=False)
class _Try:
    """One time that a step runs."""

    step: Step
    handle: Any
    began: float


@dataclass(eq=False)
class Schedule:
    """Steps on their way; `memory` is what those that run may take together, in bytes."""

    pool: Pool
    memory: int
    watch: Watch
    until: float | None = None  # time.monotonic() when nobody waits any longer
    journal: Journal | None = None
    _job: dict[Step, Job] = field(default_factory=dict)  # of the steps whose job is not over
    _blocked: dict[Step, set[Step]] = field(default_factory=dict)  # what each still waits for
    _ready: dict[Step, float] = field(default_factory=dict)  # and since when others wait for room
    _tries: list[_Try] = field(default_factory=list)
    _handles: dict[Step, Any] = field(default_factory=dict)  # of what is done, as long as somebody may need it
    _done: set[Step] = field(default_factory=set)
    _users: Counter[Need] = field(default_factory=Counter)  # steps not yet done that take a value
    _waited: dict[Step, float] = field(default_factory=dict)
    _failures: dict[Step, int] = field(default_factory=lambda: defaultdict(int))
    _walls: dict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))

    def run(self, jobs: Sequence[Job]) -> Iterator[tuple[Step, Any]]:
        """Run all steps of all jobs; the values of those that are wanted come as they are done."""
        for job in jobs:
            self._take_on(job, job.begin())
        while len(self._done) < len(self._waited) or self._blocked or self._ready:
            self._start()
            for handle in self.pool.wait([one.handle for one in self._tries], self._patience()):
                yield from self._finish(handle)
            self._start_a_slow_one_again()

    def _take_on(self, job: Job, steps: Sequence[Step]) -> None:
        if steps:
            self.watch.made(steps)
        for step in steps:
            self._job[step] = job
            self._users.update(step.needs)
            self._queue(step)

    def _queue(self, step: Step) -> None:
        """Have a step wait, for others or for room."""
        missing = {need.step for need in step.needs if need.step not in self._handles}
        missing |= {other for other in step.behind if other not in self._done}
        if missing:
            self._blocked[step] = missing
        else:
            self._ready[step] = time.monotonic()

    def _start(self) -> None:
        """Start what is ready while there is room; then, where the driver does its own steps, one of those."""
        ready = sorted(self._ready, key=lambda step: (step.order, -step.memory))
        for step in ready:
            if not self._is_own(step) and not self._begun(step):
                break
        for step in [step for step in ready if self._is_own(step)][:1]:
            self._begun(step)

    def _begun(self, step: Step) -> bool:
        """Start a step, if there is room; one that is alone always finds some. What it needs may have been lost: then it waits again."""
        if any(need.step not in self._handles for need in step.needs):
            del self._ready[step]
            self._queue(step)
            return True
        others = [one.step for one in self._tries if not self._is_own(one.step)]
        full = len(others) >= self.pool.slots or sum(one.memory for one in others) + step.memory > self.memory
        if not step.here and (not self.pool.slots or (full and others)):
            return False
        self._waited.setdefault(step, time.monotonic() - self._ready.pop(step))
        self._tries.append(self._started(step))
        return True

    def _is_own(self, step: Step) -> bool:
        """Whether the driver does a step itself, while others work elsewhere."""
        return step.here and self.pool.elsewhere

    def _started(self, step: Step) -> _Try:
        found = None if self.journal is None else self.journal.found(step)
        if found is not None:
            return _Try(step, self.pool.hold(step, found), time.monotonic())
        needs = [(self._handles[need.step], need.number) for need in step.needs]
        noted = step if self.journal is None else self.journal.kept(step)
        return _Try(step, self.pool.start(noted, needs), time.monotonic())

    def _finish(self, handle: Any) -> Iterator[tuple[Step, Any]]:
        one = next(one for one in self._tries if one.handle is handle)
        self._tries.remove(one)
        if self._is_over(one.step):
            self.pool.drop(handle)  # another try of it was faster
            return
        try:
            report = self.pool.report(handle)
            value = self.pool.value(handle) if one.step.wanted and one.step not in self._done else None
        except Lost:
            self._lost(one.step)
            return
        self._handles[one.step] = handle
        self._unblock(one.step)
        if one.step not in self._done:
            self._walls[one.step.like].append(time.monotonic() - one.began)
            yield from self._first_done(one.step, replace(report, waited_s=self._waited[one.step]), value)

    def _first_done(self, step: Step, report: Report, value: Any) -> Iterator[tuple[Step, Any]]:
        job = self._job[step]
        self._done.add(step)
        self._used(step)
        self.watch.done(step, report)
        if step.wanted:
            yield step, value
            if not job.kept:
                self.pool.drop(self._handles.pop(step))
        self._take_on(job, job.after(step, report))
        if not job.kept and all(other in self._done for other, mine in self._job.items() if mine is job):
            self._let_go(job)
        self.pool.tidy()

    def _used(self, step: Step) -> None:
        """Let go of the values that nobody takes any more, of steps that others do not keep."""
        for need in step.needs:
            self._users[need] -= 1
            if self._users[need] or need.step.values == 1:
                continue
            job, handle = self._job.get(need.step), self._handles.get(need.step)
            if (
                job is not None and not job.kept and handle is not None
            ):  # no handle: it was lost, and is on its way again
                self.pool.drop(handle, need.number)

    def _unblock(self, step: Step) -> None:
        for other in [other for other, missing in self._blocked.items() if step in missing]:
            self._blocked[other].discard(step)
            if not self._blocked[other]:
                del self._blocked[other]
                self._ready[other] = time.monotonic()

    def _let_go(self, job: Job) -> None:
        for step in [step for step, other in self._job.items() if other is job]:
            del self._job[step]
            if step in self._handles:
                self.pool.drop(self._handles.pop(step))

    def _lost(self, step: Step) -> None:
        """Once more, after what it needs if that is gone too, unless another try of it still runs."""
        self._failures[step] += 1
        if self._failures[step] >= _TRIES:
            raise Unavailable(
                f"{step.name}: its worker was lost {_TRIES} times. Does it need more memory than there is?"
            )
        for need in {need.step for need in step.needs}:
            if need in self._handles and self.pool.lost(self._handles[need]):
                self.pool.drop(self._handles.pop(need))
                self._lost(need)
        if not self._on_its_way(step):
            self._queue(step)

    def _is_over(self, step: Step) -> bool:
        """Whether nobody waits for a step: its values are there, or were handed over, or its job is over."""
        job = self._job.get(step)
        return job is None or step in self._handles or (step.wanted and step in self._done and not job.kept)

    def _on_its_way(self, step: Step) -> bool:
        return step in self._blocked or step in self._ready or any(one.step is step for one in self._tries)

    def _patience(self) -> float:
        """Seconds to wait for something to happen."""
        if self.until is None:
            return _TICK_S
        left = self.until - time.monotonic()
        if left <= 0:
            running = ", ".join(one.step.name for one in self._tries[:3])
            raise Deadline(f"the work was not done in time; unfinished: {running or 'everything'}.")
        return min(_TICK_S, left)

    def _start_a_slow_one_again(self) -> None:
        """A second try for a step that takes much longer than its like, where a slot is free and nothing else to do."""
        if not self.pool.elsewhere or self._ready or len(self._tries) >= self.pool.slots:
            return
        for one in sorted(self._tries, key=lambda one: one.began):
            if time.monotonic() - one.began > self._long(one.step) and self._may_begin_again(one.step):
                self._tries.append(self._started(one.step))
                return

    def _may_begin_again(self, step: Step) -> bool:
        """Whether somebody waits for a step that runs once, and what it needs is there."""
        alone = sum(other.step is step for other in self._tries) == 1
        return alone and not self._is_over(step) and all(need.step in self._handles for need in step.needs)

    def _long(self, step: Step) -> float:
        """Seconds after which a step is slow."""
        like = sorted(self._walls[step.like])
        return max(_LEAST_S, _TIMES * like[len(like) // 2]) if len(like) >= _ALIKE else _PATIENCE_S
