"""The CPU time of a process, shared out among the steps that run in it side by side.

What a step's own thread and the threads of its blocks use is known. What other threads use (Polars and Arrow have their own) goes to the
steps that wait meanwhile, in proportion to how long they did. So the times of all steps add up to what the process used.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

Each = Callable[[Callable[[Any], None], Iterable[Any]], Iterable[None]]


@dataclass(eq=False)
class Spent:
    """What one step has used so far."""

    cpu_s: float = 0.0
    _clock: Callable[[], float] = field(default_factory=lambda: thread_clock())
    _thread: int = field(default_factory=threading.get_ident)
    _blocks: float = 0.0
    _seen: float = 0.0

    def __post_init__(self) -> None:
        self._seen = self._clock()

    def counted(self, each: Each) -> Each:
        """The same `each`, whose blocks count for this step where they run on other threads."""

        def counting(work: Callable[[Any], None], parts: Iterable[Any]) -> Iterable[None]:
            def block(part: Any) -> None:
                begin = time.thread_time()
                work(part)
                if threading.get_ident() != self._thread:
                    self._blocks += time.thread_time() - begin

            return each(block, parts)

        return counting

    def _new(self) -> float:
        """Seconds of its own threads since this was last asked."""
        now = self._clock() + self._blocks
        new, self._seen = now - self._seen, now
        return new


class Meter:
    """Measures the steps of one process; the thread that makes it drives them, and what it does itself is theirs in no part."""

    def __init__(self) -> None:
        self._lock, self._driver = threading.Lock(), Spent()
        self._running: list[Spent] = []
        self._cpu, self._wall = time.process_time(), time.perf_counter()
        self._owed = 0.0  # counted for others before a block said whose it was

    @contextmanager
    def step(self) -> Iterator[Spent]:
        """Measure a step while it runs; what is found is there when it is over."""
        one = Spent()
        with self._lock:
            self._share()
            self._running.append(one)
        try:
            yield one
        finally:
            with self._lock:
                self._share()
                self._running.remove(one)

    def _share(self) -> None:
        """Share out what was used since the last time."""
        cpu, wall = time.process_time(), time.perf_counter()
        used, passed = cpu - self._cpu, wall - self._wall
        self._cpu, self._wall = cpu, wall
        driver = self._driver._new()
        own = [one._new() for one in self._running]
        drives = all(one._thread != self._driver._thread for one in self._running)
        rest = used - sum(own) - (driver if drives else 0.0) + self._owed
        self._owed = min(rest, 0.0) if self._running else 0.0
        waits = [max(passed - mine, 0.0) for mine in own]
        share = max(rest, 0.0) / sum(waits) if sum(waits) else 0.0
        for one, mine, waited in zip(self._running, own, waits, strict=True):
            one.cpu_s += mine + share * waited


def thread_clock() -> Callable[[], float]:
    """A clock of the CPU time of this thread that other threads may read; one that stands still where there is none."""
    if not hasattr(time, "pthread_getcpuclockid"):
        return lambda: 0.0
    clock = time.pthread_getcpuclockid(threading.get_ident())
    last = 0.0

    def read() -> float:
        nonlocal last
        with suppress(OSError):  # the thread is gone
            last = time.clock_gettime(clock)
        return last

    return read
