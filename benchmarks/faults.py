"""Runs on Ray that lose workers, a node or their driver: are the rows those of an undisturbed run, and what had to be done twice?

    python benchmarks/faults.py --size L --rounds 20
    python benchmarks/faults.py --size M --rounds 3 --every 1 --scenarios workers,driver

The work is that of windows.py. What is killed and what is counted: benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import travel
from rich.console import Console
from rich.table import Table
from travel_data import travel_data

ONE_RUN = Path(__file__).with_name("faults_run.py")
LONGEST_S = 900.0
SCENARIOS = ("workers", "node", "driver")
console = Console(stderr=True)


@dataclass(frozen=True)
class Round:
    """What came of one disturbed run."""

    scenario: str
    wall_s: float
    same: bool
    killed: int
    started: int  # steps
    repeated: int  # of them, beyond the first time


def main() -> None:
    """Runs the scenarios; exit code 1 if any round gave other rows."""
    parser = argparse.ArgumentParser(description="Kill workers, a node, the driver, and compare.")
    travel.add_arguments(parser)
    parser.add_argument("--rounds", type=int, default=20, help="of each scenario")
    parser.add_argument("--every", type=float, default=10.0, help="seconds between two kills of a worker")
    parser.add_argument("--scenarios", type=lambda text: text.split(","), default=list(SCENARIOS))
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    data = travel_data(given.size, given.hot, given.cache)
    with tempfile.TemporaryDirectory(prefix="nowthen-faults-") as folder:
        rounds = played(given, data, Path(folder))
    Console(width=None if sys.stdout.isatty() else 120).print(table(rounds))
    if given.json:
        given.json.write_text(json.dumps([vars(one) for one in rounds], indent=2) + "\n")
    sys.exit(0 if all(one.same for one in rounds) else 1)


def played(given: argparse.Namespace, data: Path, folder: Path) -> list[Round]:
    """All rounds of all scenarios, after one run that nobody disturbs."""
    calm = run(given, data, folder / "calm.parquet", [])
    console.print(f"undisturbed: {calm['wall_s']:.1f} s, {calm['started']} steps")
    expected = pl.read_parquet(folder / "calm.parquet")
    rounds = []
    for scenario in given.scenarios:
        for number in range(given.rounds):
            one = disturbed(scenario, number, given, data, folder, calm["wall_s"], expected)
            console.print(
                f"{scenario} {number + 1}/{given.rounds}: {'same' if one.same else 'DIFFERENT'}, {one.wall_s:.1f} s"
            )
            rounds.append(one)
    return rounds


def disturbed(
    scenario: str,
    number: int,
    given: argparse.Namespace,
    data: Path,
    folder: Path,
    usual_s: float,
    expected: pl.DataFrame,
) -> Round:
    """One run that is disturbed, and what it gave."""
    out = folder / f"{scenario}-{number}.parquet"
    rng = random.Random(number)
    if scenario == "workers":
        told = run(given, data, out, ["--kill-every", str(given.every), "--seed", str(number)])
    elif scenario == "node":
        told = run(given, data, out, ["--two-nodes", "--remove-after", str(usual_s * rng.uniform(0.1, 0.9))])
    else:
        resume = ["--resume", str(folder / f"resume-{number}")]
        killed_after(usual_s * rng.uniform(0.2, 0.9), given, data, out, resume)
        told = run(given, data, out, resume)
    found = pl.read_parquet(out)
    out.unlink()
    return Round(scenario, told["wall_s"], found.equals(expected), told["killed"], told["started"], told["repeated"])


def command(given: argparse.Namespace, data: Path, out: Path, more: list[str]) -> list[str]:
    """How a run is started."""
    memory = ["--memory", given.memory] if given.memory else []
    return [sys.executable, str(ONE_RUN), str(data), str(out), *memory, *more]


def run(given: argparse.Namespace, data: Path, out: Path, more: list[str]) -> dict[str, Any]:
    """A run to its end; what it says of itself."""
    asked = command(given, data, out, more)
    try:
        done = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=LONGEST_S)
    except subprocess.TimeoutExpired as error:
        raise SystemExit(f"a run had not ended after {LONGEST_S:.0f} s; it stood here:\n{told_last(error)}") from None
    if done.returncode:
        raise SystemExit(f"a run failed:\n{done.stderr[-3000:]}")
    told: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return told


def told_last(error: subprocess.TimeoutExpired) -> str:
    """The end of what a run wrote to stderr before it was ended."""
    content = error.stderr or b""
    return (content if isinstance(content, str) else content.decode(errors="replace"))[-6000:]


def killed_after(seconds: float, given: argparse.Namespace, data: Path, out: Path, more: list[str]) -> None:
    """A run whose driver dies so long after its work began."""
    process = subprocess.Popen(
        command(given, data, out, [*more, "--say-begin"]), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None, "it is a pipe"
    process.stdout.readline()
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    process.wait()


def table(rounds: list[Round]) -> Table:
    """The rounds by scenario."""
    shown = Table(
        "scenario", "rounds", "same rows", "median s", "killed", "steps", "done again", title="Runs that lost something"
    )
    for scenario in dict.fromkeys(one.scenario for one in rounds):
        mine = [one for one in rounds if one.scenario == scenario]
        walls = sorted(one.wall_s for one in mine)
        sums = [sum(getattr(one, name) for one in mine) for name in ("killed", "started", "repeated")]
        shown.add_row(
            scenario,
            str(len(mine)),
            str(sum(one.same for one in mine)),
            f"{walls[len(walls) // 2]:.1f}",
            *map(str, sums),
        )
    return shown


if __name__ == "__main__":
    main()
