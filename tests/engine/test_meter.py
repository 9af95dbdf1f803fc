"""CPU time by step: what is used is shared out, all of it, to those it was used for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest

from nowthen.engine.running import meter
from nowthen.engine.running.meter import Meter
from nowthen.engine.running.step import Outcome, carried_out

_WORK_S = 0.2
_NOISE_S = 0.1  # of other threads of the test run


def burn(seconds: float = _WORK_S) -> None:
    """Use this much CPU time of this thread, most of it without the interpreter lock."""
    until = time.thread_time() + seconds
    square = np.ones((100, 100))
    while time.thread_time() < until:
        np.sort(square, axis=None)


def measured(works: list[Callable[[], None]]) -> list[float]:
    """CPU seconds of each, run side by side."""
    one = Meter()

    def cpu_s(work: Callable[[], None]) -> float:
        def step(each: object) -> Outcome:
            work()
            return Outcome(None)

        return carried_out(step, map, (), one).report.cpu_s

    with ThreadPoolExecutor(len(works)) as threads:
        return list(threads.map(cpu_s, works))


def elsewhere() -> None:
    """Have another thread work, and wait for it."""
    thread = threading.Thread(target=burn)
    thread.start()
    thread.join()


def test_a_step_is_told_what_its_own_thread_used() -> None:
    assert measured([burn])[0] == pytest.approx(_WORK_S, abs=_NOISE_S)


def test_what_unknown_threads_use_goes_to_the_step_that_waits_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    used = {"process": 0.0, "clock": 0.0, "driver": 0.0, "busy": 0.0, "waiting": 0.0}
    names = iter(("driver", "busy", "waiting"))
    monkeypatch.setattr(time, "process_time", lambda: used["process"])
    monkeypatch.setattr(time, "perf_counter", lambda: used["clock"])
    monkeypatch.setattr(meter, "thread_clock", lambda: partial(used.__getitem__, next(names)))
    one = Meter()
    with one.step() as busy, one.step() as waiting:
        used.update(process=3.0, clock=2.0, busy=2.0)  # another thread used a second
    assert (busy.cpu_s, waiting.cpu_s) == (2.0, 1.0)


def test_all_steps_together_used_what_the_process_did() -> None:
    before = time.process_time()
    found = sum(measured([burn, elsewhere, burn]))
    assert found == pytest.approx(time.process_time() - before, abs=_NOISE_S)


def test_blocks_on_other_threads_count_for_their_step() -> None:
    with ThreadPoolExecutor(2) as blocks:

        def step(each: Callable[[Callable[[float], None], list[float]], object]) -> Outcome:
            list(each(burn, [_WORK_S] * 3))  # type: ignore[call-overload]
            return Outcome(None)

        report = carried_out(step, blocks.map, (), Meter()).report
    assert report.cpu_s == pytest.approx(3 * _WORK_S, abs=_NOISE_S)
    assert report.ended - report.began == pytest.approx(report.wall_s)
