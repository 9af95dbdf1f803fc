"""Runs steps on threads of this process. Kernels and Polars release the interpreter lock, so all cores work."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import replace
from threading import Event
from typing import Any

from ..folds.memory import give_back
from ..folds.stopping import may_stop, stopped_by
from ..plan.way import Resources
from .memory_peak import now
from .meter import Meter
from .shelf import Shelf
from .step import Outcome, Report, Step, carried_out

_FULL = 7 / 8  # of the memory: beyond, what is held for the next array goes back to the system

Handle = Future[Outcome]


class Stopped(BaseException):
    """Nobody wants what this thread does; raised inside it."""


class Threads:
    """A pool of threads; values stay in memory, or on the shelf's disk."""

    elsewhere = False

    def __init__(self, slots: int, shelf: Shelf, memory: int) -> None:
        self.slots, self._full = slots, _Full(memory)
        self._shelf, self._stop, self._meter = shelf, Event(), Meter()
        self._steps = ThreadPoolExecutor(slots + 1, "nowthen-step")
        self._blocks = ThreadPoolExecutor(slots, "nowthen-block")
        self._shelved: set[int] = set()  # what is on the shelf, by identity: it lives as long as it is there

    def start(self, step: Step, needs: Sequence[tuple[Handle, int]]) -> Handle:
        """Begin a step."""
        return self._steps.submit(self._run, step, needs)

    def hold(self, step: Step, outcome: Outcome) -> Handle:
        """A handle of what a step made before."""
        handle: Handle = Future()
        handle.set_result(Outcome([outcome.value], outcome.report))
        return handle

    def wait(self, handles: Sequence[Handle], timeout_s: float) -> Sequence[Handle]:
        """Those that are done, as soon as one is."""
        done, _ = wait(handles, timeout_s, FIRST_COMPLETED)
        return [handle for handle in handles if handle in done]

    def report(self, handle: Handle) -> Report:
        """The report of a step that is done; its error is raised as it is."""
        return handle.result().report

    def value(self, handle: Handle) -> Any:
        """The first value of a step that is done."""
        return handle.result().value[0]

    def lost(self, handle: Handle) -> bool:
        """Never: everything is here."""
        return False

    def drop(self, handle: Handle, number: int | None = None) -> None:
        """Take its values, or one of them, off the shelf."""
        if handle.done() and not handle.cancelled() and handle.exception() is None:
            values = handle.result().value
            for place in range(len(values)) if number is None else [number]:
                if id(values[place]) in self._shelved:
                    self._shelved.discard(id(values[place]))
                    self._shelf.drop(values[place])
                values[place] = None

    def tidy(self) -> None:
        """Give back what is held for the next array, where that may be much. By the driver: what threads left that are gone is found by it alone."""
        self._full.watch()

    def close(self) -> None:
        """Stop what still runs, at its next block."""
        self._stop.set()
        for pool in (self._steps, self._blocks):
            pool.shutdown(wait=True, cancel_futures=True)

    def _run(self, step: Step, needs: Sequence[tuple[Handle, int]]) -> Outcome:
        values = [handle.result().value[number] for handle, number in needs]
        outcome = carried_out(step.work, self._each, values, self._meter)
        kept = list(outcome.values)
        if not step.wanted:
            kept = [self._shelf.keep(value) for value in outcome.values]
            self._shelved.update(map(id, kept))
        spilled = sum(self._shelf.spilled(value) for value in kept)
        return Outcome(kept, replace(outcome.report, spilled=spilled))

    def _each(self, step: Callable[[Any], None], parts: Iterable[Any]) -> Iterator[None]:
        def checked(part: Any) -> None:
            with stopped_by(self._check):
                may_stop()
                step(part)

        return self._blocks.map(checked, parts)

    def _check(self) -> None:
        if self._stop.is_set():
            raise Stopped


class _Full:
    """Gives back to the system what is held for the next array, where that may be much."""

    def __init__(self, memory: int) -> None:
        self._least, self._slack = int(_FULL * memory), memory // 2
        self._used = (
            0  # what cannot be given back, such as the frame that is made: what was left the last time, or held since
        )

    def watch(self) -> None:
        """Give back if much is held beside what is in use."""
        held = now()
        self._used = min(self._used, held)
        if held > max(self._least, self._used + self._slack):
            give_back()
            self._used = now()


def cores() -> int:
    """The cores of this machine."""
    return os.cpu_count() or 1


@contextmanager
def pool(resources: Resources) -> Iterator[Threads]:
    """The pool of this process, for as long as it is needed; nothing of it is left behind."""
    with Shelf(resources.of_shelf) as shelf:
        threads = Threads(resources.slots, shelf, resources.memory)
        try:
            yield threads
        finally:
            threads.close()
