"""Watching another process and its descendants from outside: how much memory they hold, and whether they take too long.

Memory of several processes is their private pages plus the largest share of common ones, so that Ray's object store counts once.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import psutil

SAMPLE_EVERY_S = 0.01
# Looking for descendants reads all of /proc, which would take a third of a core from who is measured.
LIST_EVERY_S = 0.5


@dataclass
class Watch:
    """A thread that looks at a process every now and then while this is open."""

    pid: int
    done: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        threading.Thread(target=self.watch, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.done.set()

    def watch(self) -> None:
        """Looks until closed."""
        while not self.done.wait(SAMPLE_EVERY_S):
            self.look()

    def look(self) -> None:
        """Looks once."""
        raise NotImplementedError


@dataclass
class PeakMemory(Watch):
    """The most memory a process and its descendants held at once while this was open."""

    peak_bytes: int = 0
    processes: list[psutil.Process] = field(default_factory=list)
    listed: float = -LIST_EVERY_S

    def look(self) -> None:
        """Takes one sample."""
        if time.monotonic() - self.listed > LIST_EVERY_S:
            self.processes, self.listed = tree_of(self.pid), time.monotonic()
        self.peak_bytes = max(self.peak_bytes, memory_of(self.processes))

    def start_over(self) -> None:
        """Forgets what was seen before."""
        self.peak_bytes = 0


@dataclass
class Deadline(Watch):
    """Ends a process that says nothing for `limit_s` seconds, and its descendants."""

    limit_s: float = 0.0
    passed: bool = False
    since: float = field(default_factory=time.monotonic)

    def look(self) -> None:
        """Ends the process if its time is over."""
        if time.monotonic() - self.since > self.limit_s and not self.passed:
            self.passed = True
            end_tree(self.pid)

    def start_over(self) -> None:
        """Gives it the whole time once more."""
        self.since = time.monotonic()


def tree_of(pid: int) -> list[psutil.Process]:
    """A process and its descendants, as far as they are there."""
    try:
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def memory_of(processes: list[psutil.Process]) -> int:
    """Bytes resident in some processes, common pages counted once."""
    seen = [pages for process in processes if (pages := resident(process))]
    return sum(rss - shared for rss, shared in seen) + max((shared for _, shared in seen), default=0)


def resident(process: psutil.Process) -> tuple[int, int] | None:
    """Resident and shared bytes of a process, None if it just went away."""
    try:
        memory = process.memory_info()
    except psutil.Error:
        return None
    return memory.rss, memory.shared


def end_tree(pid: int) -> None:
    """Ends a process and its descendants, those of them that have not ended by themselves."""
    try:
        root = psutil.Process(pid)
        processes = [*root.children(recursive=True), root]
    except psutil.NoSuchProcess:
        return
    for process in processes:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
