"""What one engine costs: wall time, CPU seconds and peak memory, taken in a fresh process so that no engine sees another's caches, threads or memory.

Warm runs share one process, which runs once before any of them; cold runs have a process each, and its start belongs to them. The process that measures samples
the memory of the one that is measured, because a thread inside it would wait for the interpreter's lock just when memory peaks.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pages import take_in_hand
from watch import Deadline, PeakMemory

RUN_ENGINE = Path(__file__).with_name("run_engine.py")
# Bytecode may be kept, as for installed packages: else this checkout would be compiled anew in every process, and no other engine.
_ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


@dataclass(frozen=True)
class Job:
    """An engine's way through a workload: on what, where its values go, and in which interpreter."""

    workload: str
    engine: str
    data: Path
    result: Path
    options: Mapping[str, object] = field(default_factory=dict)
    python: str = sys.executable

    def command(self, runs: int, *more: str) -> list[str]:
        """The command line of the process."""
        given = [self.workload, self.engine, str(self.data), "--runs", str(runs), "--options", json.dumps(self.options)]
        return [self.python, str(RUN_ENGINE), *given, *more]


@dataclass(frozen=True)
class Cost:
    """What the runs of an engine cost, one number for each run, the memory at the worst moment of all of them, and which version ran."""

    wall_s: list[float]
    cpu_s: list[float]
    peak_bytes: int
    version: str

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


class TookTooLong(EngineFailed):
    """A run of an engine took longer than it may."""


@dataclass
class Heard:
    """What an engine's process reported, and the peak of the memory seen in the meantime."""

    runs: list[dict[str, Any]] = field(default_factory=list)
    peak_bytes: int = 0
    version: str = "?"


def measure(job: Job, *, runs: int, limit_s: float, cold: bool) -> Cost:
    """Runs the job, which leaves its values in `job.result`.

    EngineFailed, with the last lines it wrote, if it fails; TookTooLong if one run, or getting ready for it, takes more than `limit_s`.
    """
    return cold_runs(job, runs, limit_s) if cold else warm_runs(job, runs, limit_s)


def warm_runs(job: Job, runs: int, limit_s: float) -> Cost:
    """The cost of `runs` runs in one process, after one that does not count."""
    heard, _ = listen(job, job.command(runs, "--result", str(job.result)), runs, limit_s)
    return Cost(
        [run["wall_s"] for run in heard.runs], [run["cpu_s"] for run in heard.runs], heard.peak_bytes, heard.version
    )


def cold_runs(job: Job, runs: int, limit_s: float) -> Cost:
    """The cost of `runs` processes from start to end, after one that does not count, whose values are kept: the others write none."""
    listen(job, job.command(1, "--cold", "--result", str(job.result)), 1, limit_s)
    heard = [listen(job, job.command(1, "--cold"), 1, limit_s) for _ in range(runs)]
    return Cost(
        [wall for _, wall in heard],
        [each.runs[0]["cpu_s"] for each, _ in heard],
        max(each.peak_bytes for each, _ in heard),
        heard[0][0].version,
    )


def listen(job: Job, command: list[str], runs: int, limit_s: float) -> tuple[Heard, float]:
    """What a process reports until it ends, and the seconds from its start to its end."""
    errors = job.result.with_suffix(".stderr")
    take_in_hand()
    heard, begin = Heard(), time.perf_counter()
    with (
        errors.open("w") as stderr,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True, env=_ENVIRONMENT) as process,
        Deadline(process.pid, limit_s=limit_s) as deadline,
        PeakMemory(process.pid) as memory,
    ):
        for line in process.stdout or ():
            deadline.start_over()
            hear(parse(line), heard, memory)
    wall_s = time.perf_counter() - begin
    if deadline.passed:
        raise TookTooLong(f"a run took more than {limit_s:g} s")
    if process.returncode != 0 or len(heard.runs) != runs:
        said = errors.read_text().strip().splitlines()[-60:]
        raise EngineFailed("\n".join([*said, f"exit code {process.returncode}"]))
    return heard, wall_s


def hear(report: dict[str, Any], heard: Heard, memory: PeakMemory) -> None:
    """Takes a report in: memory counts from the beginning of a run that counts to its end."""
    heard.version = report.get("version", heard.version)
    if report.get("event") == "begin":
        memory.start_over()
    elif report.get("event") == "run":
        heard.runs.append(report)
        heard.peak_bytes = max(heard.peak_bytes, memory.peak_bytes)


def parse(line: str) -> dict[str, Any]:
    """A report, or nothing where the line is something a library printed."""
    try:
        report = json.loads(line)
    except json.JSONDecodeError:
        return {}
    return report if isinstance(report, dict) else {}
