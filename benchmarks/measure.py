"""What one engine costs: wall time, CPU seconds and peak memory, taken in a fresh process so that no engine sees another's caches, threads or memory.

The process that measures samples the memory of the one that is measured, because a thread inside it would wait for the interpreter's lock just when memory
peaks. Memory of several processes is their private pages plus the largest share of common ones, so that Ray's object store counts once.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil

SAMPLE_EVERY_S = 0.01
RUN_ENGINE = Path(__file__).with_name("run_engine.py")


@dataclass(frozen=True)
class Cost:
    """What the runs of an engine cost, one number for each run, and the memory at the worst moment of all of them."""

    wall_s: list[float]
    cpu_s: list[float]
    peak_bytes: int

    @property
    def wall_median_s(self) -> float:
        """The median wall time."""
        return statistics.median(self.wall_s)

    @property
    def cpu_median_s(self) -> float:
        """The median CPU time."""
        return statistics.median(self.cpu_s)


class EngineFailed(RuntimeError):
    """An engine's process did not finish."""


def measure(engine: str, data: Path, result: Path, *, runs: int, limit_s: float) -> Cost:
    """Runs the engine in a process of its own, which leaves its values in `result`.

    EngineFailed, with the last lines it wrote, if it fails or takes longer than `limit_s`.
    """
    command = [sys.executable, str(RUN_ENGINE), engine, str(data), str(result), "--runs", str(runs)]
    errors = result.with_suffix(".stderr")
    with (
        errors.open("w") as stderr,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True) as process,
    ):
        too_long = threading.Timer(limit_s, end_tree, [process.pid])
        too_long.start()
        cost = listen(process)
        too_long.cancel()
    if process.returncode != 0 or len(cost.wall_s) != runs:
        said = errors.read_text().strip().splitlines()[-60:]
        raise EngineFailed("\n".join([*said, f"exit code {process.returncode}"]))
    return cost


def listen(process: subprocess.Popen[str]) -> Cost:
    """The costs an engine's process reports, with the peak of the memory seen between its first and last run."""
    runs: list[dict[str, Any]] = []
    peak = 0
    with PeakMemory(process.pid) as memory:
        for line in process.stdout or ():
            report = parse(line)
            if report.get("event") == "begin":
                memory.start_over()
            elif report.get("event") == "run":
                runs.append(report)
                peak = memory.peak_bytes
    return Cost([run["wall_s"] for run in runs], [run["cpu_s"] for run in runs], peak)


def parse(line: str) -> dict[str, Any]:
    """A report, or nothing where the line is something a library printed."""
    try:
        report = json.loads(line)
    except json.JSONDecodeError:
        return {}
    return report if isinstance(report, dict) else {}


@dataclass
class PeakMemory:
    """The most memory a process and its descendants held at once while this was open."""

    pid: int
    peak_bytes: int = 0
    done: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None

    def __enter__(self) -> PeakMemory:
        self.thread = threading.Thread(target=self.watch, daemon=True)
        self.thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.done.set()

    def start_over(self) -> None:
        """Forgets what was seen before."""
        self.peak_bytes = 0

    def watch(self) -> None:
        """Samples until closed."""
        while not self.done.wait(SAMPLE_EVERY_S):
            self.peak_bytes = max(self.peak_bytes, memory_of_tree(self.pid))


def memory_of_tree(pid: int) -> int:
    """Bytes resident in a process and its descendants, common pages counted once."""
    try:
        root = psutil.Process(pid)
        processes = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0
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
    """Ends a process that takes too long, and its descendants."""
    root = psutil.Process(pid)
    for process in [*root.children(recursive=True), root]:
        process.kill()
