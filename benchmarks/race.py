"""Several engines on the same data in the same run, one after the other, and whether their values are right.

What fraud.py, join.py and windows.py share: the part of the command line that says how to run, the runs, the check, and the end of the program.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl
from figures import Outcome, report, table
from measure import EngineFailed, Job, TookTooLong, measure
from rich.console import Console
from run_engine import WORKLOADS

console = Console(stderr=True)
# Whose values all others are held against, where it ran: SQL, as the most independent.
REFERENCES = ("duckdb", "polars")


@dataclass(frozen=True)
class Workload:
    """What is computed, on what, and how to tell whether values are right.

    `expected` gives the values of some rows by brute force; `differing(found, expected)` how many values at the rows of `expected` differ.
    """

    name: str
    title: str
    data: Path
    about: Mapping[str, object]
    expected: Callable[[], pl.DataFrame]
    differing: Callable[[pl.DataFrame, pl.DataFrame], int]
    options: Callable[[str], Mapping[str, object]] = lambda _engine: {}
    pythons: Mapping[str, str] = field(default_factory=dict)


def parser_of(workload: str, about: str, engines: str) -> argparse.ArgumentParser:
    """A parser of the options that all workloads have."""
    known = WORKLOADS[workload]

    def names(text: str) -> list[str]:
        asked = [name.strip() for name in text.split(",")]
        unknown = [name for name in asked if name not in known]
        if unknown:
            raise argparse.ArgumentTypeError(f"unknown engine {', '.join(unknown)}; there are {', '.join(known)}")
        return asked

    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--engines", type=names, default=names(engines), help=f"of {', '.join(known)}")
    parser.add_argument("--runs", type=int, default=5, help="runs that count, after one that does not")
    parser.add_argument("--cold", action="store_true", help="a process for each run, its start included")
    parser.add_argument("--limit-s", type=float, default=600.0, help="seconds one run may take")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    return parser


def race(workload: Workload, given: argparse.Namespace, folder: Path) -> None:
    """Runs the engines asked for, shows the figures, and ends the program: exit code 1 if an engine failed or differs."""
    load = os.getloadavg()[0]
    outcomes = checked(workload, run_all(workload, given, folder), folder)
    Console(width=None if sys.stdout.isatty() else 140).print(table(outcomes, workload.title, load, cold=given.cold))
    for outcome in outcomes:
        if outcome.failure:
            console.print(f"{outcome.engine} failed:\n{outcome.failure}", markup=False, highlight=False)
    if given.json:
        about = {"benchmark": workload.name, "data": workload.about, "runs": given.runs, "cold": given.cold}
        given.json.write_text(json.dumps(about | report(outcomes, load), indent=2) + "\n")
    sys.exit(0 if all(outcome.right for outcome in outcomes) else 1)


def run_all(workload: Workload, given: argparse.Namespace, folder: Path) -> list[Outcome]:
    """One engine after the other."""
    outcomes = []
    for number, engine in enumerate(given.engines, 1):
        console.print(f"[{number}/{len(given.engines)}] {engine} ...", markup=False)
        python = workload.pythons.get(engine, sys.executable)
        job = Job(workload.name, engine, workload.data, values_of(engine, folder), workload.options(engine), python)
        outcomes.append(outcome_of(job, given))
    return outcomes


def outcome_of(job: Job, given: argparse.Namespace) -> Outcome:
    """What came of one engine, its values not yet checked."""
    try:
        return Outcome(job.engine, measure(job, runs=given.runs, limit_s=given.limit_s, cold=given.cold))
    except TookTooLong:
        return Outcome(job.engine, over_limit_s=given.limit_s)
    except EngineFailed as failed:
        return Outcome(job.engine, failure=str(failed))


def values_of(engine: str, folder: Path) -> Path:
    """Where an engine's values are left."""
    return folder / f"{engine}.parquet"


def checked(workload: Workload, outcomes: list[Outcome], folder: Path) -> list[Outcome]:
    """The outcomes with the number of values that differ from the brute force and from the reference, another engine where there is one."""
    done = [outcome.engine for outcome in outcomes if outcome.cost]
    if not done:
        return outcomes
    console.print("checking the values ...")
    expected = workload.expected()
    reference = pl.read_parquet(values_of(next((name for name in REFERENCES if name in done), done[0]), folder))
    return [
        compared(workload, outcome, expected, reference, folder) if outcome.cost else outcome for outcome in outcomes
    ]


def compared(
    workload: Workload, outcome: Outcome, expected: pl.DataFrame, reference: pl.DataFrame, folder: Path
) -> Outcome:
    """One outcome with its differences counted."""
    found = pl.read_parquet(values_of(outcome.engine, folder))
    try:
        wrong, unlike = workload.differing(found, expected), workload.differing(found, reference)
    except (ValueError, pl.exceptions.PolarsError) as error:
        return replace(outcome, failure=f"{error}")
    return replace(outcome, wrong_in_sample=wrong, unlike_reference=unlike)
