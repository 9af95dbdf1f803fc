"""The loop that runs steps, on a pool whose steps are done, lost or slow as a test says."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

import nowthen as nt
from nowthen.engine.running import schedule
from nowthen.engine.running.schedule import Lost, Schedule
from nowthen.engine.running.step import Need, Outcome, Report, Step


@dataclass(eq=False)
class Handle:
    """What a step made, or that it was lost."""

    step: Step
    value: Any


@dataclass
class Pool:
    """Runs a step when it is waited for, unless it is one to lose or to keep waiting."""

    slots: int = 2
    elsewhere: bool = True
    lose: dict[str, int] = field(default_factory=dict)  # how often a step is lost
    slow: set[str] = field(default_factory=set)  # steps whose first try is never done
    gone: set[str] = field(default_factory=set)  # steps whose values vanish after they were done
    started: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    most: int = 0

    def start(self, step: Step, needs: Sequence[tuple[Handle, int]]) -> Handle:
        """Run it at once."""
        self.started.append(step.name)
        if any(handle.step.name in self.gone for handle, _ in needs):
            return Handle(step, Lost)
        if self.lose.get(step.name, 0):
            self.lose[step.name] -= 1
            return Handle(step, Lost)
        return Handle(step, step.work(map, *[handle.value for handle, _ in needs]).value)

    def hold(self, step: Step, outcome: Outcome) -> Handle:
        """What was made before."""
        return Handle(step, outcome.value)

    def wait(self, handles: Sequence[Handle], timeout_s: float) -> Sequence[Handle]:
        """The first that is not slow."""
        self.most = max(self.most, len(handles))
        done = [h for h in handles if h.step.name not in self.slow or self.started.count(h.step.name) > 1]
        if not done:
            time.sleep(0.001)
        return done[:1]

    def report(self, handle: Handle) -> Report:
        """An empty report."""
        if handle.value is Lost:
            raise Lost(handle.step.name)
        return Report()

    def value(self, handle: Handle) -> Any:
        """What was made."""
        return handle.value

    def lost(self, handle: Handle) -> bool:
        """Whether it vanished; it comes back when it is made again."""
        return handle.step.name in self.gone and not self.gone.discard(handle.step.name)  # type: ignore[func-returns-value]

    def drop(self, handle: Handle, number: int | None = None) -> None:
        """Remember it."""
        self.dropped.append(handle.step.name if number is None else f"{handle.step.name}/{number}")

    def tidy(self) -> None:
        """Nothing."""


class Job:
    """Some steps, and those that follow when one is done."""

    kept = False

    def __init__(self, *steps: Step, then: dict[str, list[Step]] | None = None) -> None:
        self.steps, self.then = steps, then or {}

    def begin(self) -> Sequence[Step]:
        """The first steps."""
        return self.steps

    def after(self, step: Step, report: Report) -> Sequence[Step]:
        """Those that follow."""
        return self.then.get(step.name, [])


class Unwatched:
    """Sees nothing."""

    def made(self, steps: Sequence[Step]) -> None:
        """Nothing."""

    def done(self, step: Step, report: Report) -> None:
        """Nothing."""


def step(name: str, *needs: Step, **more: Any) -> Step:
    """A step whose value is its name in brackets round the values it needs."""
    return Step(
        name, "node", lambda each, *values: Outcome(f"{name}({','.join(values)})"), tuple(map(Need, needs)), **more
    )


def ran(pool: Pool, *jobs: Job, memory: int = 100, until: float | None = None) -> list[Any]:
    """The wanted values, as they came."""
    return [value for _, value in Schedule(pool, memory, Unwatched(), until).run(jobs)]


def test_a_step_gets_the_values_it_needs() -> None:
    a, b = step("a"), step("b")
    assert ran(Pool(), Job(a, b, step("c", a, b, wanted=True))) == ["c(a(),b())"]


def test_steps_that_follow_from_others_are_run_too() -> None:
    a = step("a")
    assert ran(Pool(), Job(a, then={"a": [step("b", a, wanted=True)]})) == ["b(a())"]


def test_lower_orders_go_first_and_among_equals_the_largest() -> None:
    pool = Pool(slots=1)
    ran(pool, Job(step("late", order=1, memory=9), step("small", memory=1), step("large", memory=5)))
    assert pool.started == ["large", "small", "late"]


@pytest.mark.parametrize("slots", [1, 3])
def test_a_driver_that_does_its_own_steps_sends_others_off_before_each(slots: int) -> None:
    pool = Pool(slots=slots)
    mine = [step(f"mine {n}", order=-1, here=True) for n in range(2)]
    ran(pool, Job(*mine, *[step(f"far {n}", order=n) for n in range(3)]))
    started = {1: ["far 0", "mine 0", "far 1", "mine 1", "far 2"], 3: ["far 0", "far 1", "far 2", "mine 0", "mine 1"]}
    assert pool.started == started[slots]


@pytest.mark.parametrize("slots", [1, 3])
def test_where_all_run_in_one_place_the_order_decides_alone(slots: int) -> None:
    pool = Pool(slots=slots, elsewhere=False)
    last = step("last", order=9, here=True)
    ran(pool, Job(last, step("far 1", order=1), step("mine", order=-1, here=True), step("far 0")))
    assert pool.started == ["mine", "far 0", "far 1", "last"]


def test_a_driver_does_its_own_steps_where_nobody_else_is_there_yet() -> None:
    pool = Pool(slots=0)
    with pytest.raises(nt.Deadline):
        ran(pool, Job(step("mine", here=True), step("far")), until=time.monotonic() + 0.05)
    assert pool.started == ["mine"]


def test_no_more_run_than_there_are_slots() -> None:
    pool = Pool(slots=2)
    ran(pool, Job(*[step(str(n)) for n in range(6)]))
    assert pool.most == 2


def test_no_more_run_than_the_memory_allows() -> None:
    pool = Pool(slots=4)
    ran(pool, Job(*[step(str(n), memory=60) for n in range(4)]), memory=100)
    assert pool.most == 1


def test_a_step_beyond_the_memory_runs_alone() -> None:
    assert ran(Pool(), Job(step("huge", memory=1000, wanted=True)), memory=10) == ["huge()"]


def test_a_lost_step_is_run_again() -> None:
    pool = Pool(lose={"a": 2})
    assert ran(pool, Job(step("a", wanted=True))) == ["a()"]
    assert pool.started == ["a"] * 3


def test_a_step_that_is_always_lost_ends_the_run_with_a_reason() -> None:
    with pytest.raises(nt.Unavailable, match="a: its worker was lost 20 times"):
        ran(Pool(lose={"a": 1000}), Job(step("a")))


def test_values_that_vanished_are_made_again_before_the_step_that_needs_them() -> None:
    pool = Pool(gone={"a"})
    a = step("a")
    assert ran(pool, Job(a, step("b", a, wanted=True))) == ["b(a())"]
    assert pool.started == ["a", "b", "a", "b"]


def test_steps_that_were_ready_wait_for_a_value_that_vanished() -> None:
    pool = Pool(slots=1, gone={"a"})
    a = step("a")
    job = Job(a, *[step(f"b{n}", a, wanted=True, order=n) for n in range(3)])
    assert sorted(ran(pool, job)) == ["b0(a())", "b1(a())", "b2(a())"]
    assert pool.started.count("a") == 2


def test_a_run_waits_until_somebody_is_there_to_work() -> None:
    with pytest.raises(nt.Deadline):
        ran(Pool(slots=0), Job(step("a")), until=time.monotonic() + 0.05)


def test_a_wanted_value_comes_once_however_often_it_was_made() -> None:
    pool = Pool(gone={"a"})
    a = step("a", wanted=True)
    job = Job(a, step("b", a, wanted=True))
    job.kept = True
    assert sorted(ran(pool, job)) == ["a()", "b(a())"]


def test_a_slow_step_is_started_a_second_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "_LEAST_S", 0.0)
    pool = Pool(slots=3, slow={"like slow"})
    values = ran(pool, Job(*[step(f"like {n}", wanted=True) for n in range(4)], step("like slow", wanted=True)))
    assert "like slow()" in values
    assert pool.started.count("like slow") == 2


@dataclass
class Late(Pool):
    """Of `like slow` the first try comes late, as a lost one or not; `long` and what is made again take their time too."""

    looks: int = 0
    until: int = 300
    made: list[Handle] = field(default_factory=list)

    def start(self, step: Step, needs: Sequence[tuple[Handle, int]]) -> Handle:
        """Remember it."""
        self.made.append(super().start(step, needs))
        return self.made[-1]

    @property
    def late(self) -> Handle | None:
        """The first try of `like slow`."""
        return next((one for one in self.made if one.step.name == "like slow"), None)

    def wait(self, handles: Sequence[Handle], timeout_s: float) -> Sequence[Handle]:
        """Those whose time has come."""
        self.looks += 1
        late = [self.late, *(one for one in handles if one.step.name == "long")]
        late += [one for one in handles if one.step.name == "a" and self.started.count("a") > 1 and self.looks < 200]
        done = [one for one in handles if one not in late or self.looks > self.until]
        if not done:
            time.sleep(0.001)
        return done[:1]


def likes(*needs: Step) -> list[Step]:
    return [step(f"like {n}", *needs, wanted=True) for n in [0, 1, 2, 3, "slow"]]


@pytest.mark.parametrize("lost", [False, True])
def test_a_step_that_was_handed_over_is_not_begun_again(lost: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "_LEAST_S", 0.0)

    class Lose(Late):
        def report(self, handle: Handle) -> Report:
            if lost and handle is self.late:
                raise Lost(handle.step.name)
            return super().report(handle)

    pool = Lose(slots=4)
    assert len(ran(pool, Job(*likes(), step("long", wanted=True), step("long", wanted=True)))) == 7
    assert pool.started.count("like slow") == 2


def test_a_slow_step_is_not_begun_again_while_what_it_needs_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "_LEAST_S", 0.0)
    a = step("a")
    *early, slow = likes(a)
    before = step("before", behind=tuple(early))
    after = step("after", a, order=1, behind=(before,), wanted=True)

    class Vanishing(Late):
        def report(self, handle: Handle) -> Report:
            if handle.step is before:
                self.gone.add("a")
            return super().report(handle)

    pool = Vanishing(slots=3)
    assert len(ran(pool, Job(a, *early, slow, before, after))) == 6
    assert pool.started.count("a") == 2


def test_a_run_that_takes_too_long_ends_with_deadline() -> None:
    with pytest.raises(nt.Deadline, match="unfinished: never"):
        ran(Pool(slots=1, elsewhere=False, slow={"never"}), Job(step("never")), until=time.monotonic() + 0.05)


def test_the_values_of_a_job_are_dropped_when_it_is_over() -> None:
    pool = Pool()
    a = step("a")
    ran(pool, Job(a, step("b", a, wanted=True)))
    assert sorted(pool.dropped) == ["a", "b"]


def test_one_of_several_values_is_dropped_when_its_last_user_is_done() -> None:
    pool = Pool(slots=1)
    a = Step("a", "node", lambda each: Outcome(("x", "y")), values=2)
    users = [Step(f"u{n}", "node", lambda each, value: Outcome(value), (Need(a, n),), order=n) for n in (0, 1)]
    ran(pool, Job(a, *users))
    assert pool.dropped[:2] == ["a/0", "a/1"]


def test_the_last_user_of_a_value_is_done_while_the_step_that_made_it_is_made_again() -> None:
    class Vanishing(Pool):
        def lost(self, handle: Handle) -> bool:
            return self.started.count(handle.step.name) == 1

    pool = Vanishing(lose={"u0": 1})
    a = Step("a", "node", lambda each: Outcome("xy"), values=2)
    users = [
        Step(f"u{n}", "node", lambda each, value: Outcome(value), (Need(a, n),), order=n, wanted=True) for n in (0, 1)
    ]
    assert ran(pool, Job(a, *users)) == ["xy", "xy"]
    assert pool.started == ["a", "u0", "u1", "a", "u0"]
