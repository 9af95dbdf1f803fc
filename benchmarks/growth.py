"""How the cost of NowThen grows with the rows: the same work at two sizes, taking turns, within the same memory.

    python benchmarks/growth.py --memory 2GiB --json growth.json
    python benchmarks/growth.py --workload join --engines nowthen

The work is that of windows.py or of join.py, which check its values. Sizes take turns because a machine that others share changes its speed within minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path

import travel
from measure import Cost, Job, measure
from rich.console import Console
from rich.table import Table
from travel_data import SIZES, default_cache, travel_data
from windows_columns import LIGHT, WIDTHS_US

console = Console(stderr=True)
_ASKED = {"windows": {"windows": list(WIDTHS_US), "folds": list(LIGHT)}, "join": {}}


@dataclass(frozen=True)
class Turns:
    """What one size cost, turn by turn."""

    size: str
    costs: list[Cost]

    @property
    def wall_s(self) -> float:
        """The median wall time of all runs."""
        return statistics.median(chain.from_iterable(cost.wall_s for cost in self.costs))

    @property
    def cpu_s(self) -> float:
        """The median CPU time of all runs."""
        return statistics.median(chain.from_iterable(cost.cpu_s for cost in self.costs))

    @property
    def peak_bytes(self) -> int:
        """The memory at the worst moment."""
        return max(cost.peak_bytes for cost in self.costs)


def main() -> None:
    """Runs the benchmark."""
    given = parser().parse_args()
    with tempfile.TemporaryDirectory(prefix="nowthen-bench-") as folder:
        found = {engine: in_turns(engine, given, Path(folder)) for engine in given.engines}
    Console(width=None if sys.stdout.isatty() else 120).print(table(found, given))
    if given.json:
        about = {"workload": given.workload, "memory": given.memory, "cores": os.cpu_count()}
        kept = {engine: [asdict(turns) for turns in both] for engine, both in found.items()}
        given.json.write_text(json.dumps(about | {"engines": kept}, indent=2) + "\n")


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = argparse.ArgumentParser(description="Measure how the cost grows with the rows.")
    made.add_argument("--workload", choices=_ASKED, default="windows")
    made.add_argument("--engines", type=lambda text: text.split(","), default=["nowthen-file", "nowthen"])
    made.add_argument("--sizes", nargs=2, choices=SIZES, default=["M", "L"], help=travel.sizes())
    made.add_argument("--memory", default="2GiB", help="what NowThen may use")
    made.add_argument("--turns", type=int, default=3, help="of each size, in a process each, which warms up once")
    made.add_argument("--runs", type=int, default=2, help="of a turn, that count")
    made.add_argument("--limit-s", type=float, default=600.0, help="seconds one run may take")
    made.add_argument("--cache", type=Path, default=default_cache(), help="where generated files are kept")
    made.add_argument("--json", type=Path, help="where to write the figures")
    return made


def in_turns(engine: str, given: argparse.Namespace, folder: Path) -> list[Turns]:
    """The costs of an engine at both sizes."""
    found = [Turns(size, []) for size in given.sizes]
    for turn in range(given.turns):
        for turns in found:
            console.print(f"{engine}, turn {turn + 1}/{given.turns}: {turns.size} ...", markup=False)
            turns.costs.append(cost(engine, turns.size, given, folder))
    return found


def cost(engine: str, size: str, given: argparse.Namespace, folder: Path) -> Cost:
    """What an engine costs at a size."""
    options = {**_ASKED[given.workload], "memory": given.memory}
    job = Job(given.workload, engine, travel_data(size, 0.0, given.cache), folder / "found.parquet", options)
    return measure(job, runs=given.runs, limit_s=given.limit_s, cold=False)


def table(found: dict[str, list[Turns]], given: argparse.Namespace) -> Table:
    """The figures to look at."""
    small, large = given.sizes
    rows = SIZES[large].events / SIZES[small].events
    drawn = Table(title=f"{given.workload} within {given.memory}: {large} over {small}, {rows:g} times the rows")
    drawn.caption = f"{os.cpu_count()} cores; medians of {given.turns} x {given.runs} warm runs"
    drawn.add_column("engine")
    for of in ("wall", "CPU"):
        for heading in (f"{of} s, {small}", f"{of} s, {large}", "times"):
            drawn.add_column(heading, justify="right")
    drawn.add_column(f"peak MB, {large}", justify="right")
    for engine, (one, other) in found.items():
        seconds = [*beside(one.wall_s, other.wall_s), *beside(one.cpu_s, other.cpu_s)]
        drawn.add_row(engine, *seconds, f"{other.peak_bytes / 1e6:,.0f}")
    return drawn


def beside(small: float, large: float) -> list[str]:
    """Both seconds, and how they grow."""
    return [f"{small:.2f}", f"{large:.2f}", f"{large / small:.2f}"]


if __name__ == "__main__":
    main()
