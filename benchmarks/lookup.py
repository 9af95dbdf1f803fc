"""What a lookup of features costs over a Ray Serve handle, next to an empty method called the same way in the same run.

    python benchmarks/lookup.py --calls 2000 --json lookup.json

The transactions of the demo are generated, the service `fraud_model` is published and served on this machine; then one client calls an empty method, asks for
one key and asks for a hundred keys, all 15 features, in blocks that take turns, so that whatever else the machine does hits all three alike. The values of the
hundred keys are first compared with the training set's: a wrong answer is not worth timing.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from fraud_check import FEATURES, differing
from lookup_serving import empty_handle, publish, serving
from rich.console import Console
from rich.table import Table

BLOCK = 50  # calls of one kind in a row
WARM_CALLS = 200
KEYS = 100
QUERIES = 64  # different questions taking turns, so that no answer can be remembered from the call before
console = Console(stderr=True)


@dataclass(frozen=True)
class Case:
    """One kind of call and how long each took."""

    name: str
    keys: int
    call: Callable[[], Awaitable[Any]]
    seconds: list[float] = field(default_factory=list)

    def quantile_us(self, share: float) -> float:
        """The microseconds that this share of the calls did not exceed."""
        return float(np.quantile(self.seconds, share)) * 1e6


def main() -> None:
    """Runs the benchmark; exit code 1 if a value is wrong or `--at-most` is exceeded."""
    given = arguments()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="nowthen-bench-") as folder:
        console.print("publishing ...")
        facts = publish(Path(folder), given.rows)
        console.print("starting Ray Serve ...")
        with serving(Path(folder)) as handle:
            cases, wrong = asyncio.run(measured(handle, facts, given.calls))
    Console(width=None if sys.stdout.isatty() else 120).print(table(cases, wrong, load))
    if given.json:
        given.json.write_text(json.dumps(report(cases, wrong, load, given), indent=2) + "\n")
    slow = given.at_most is not None and max(ratio(case, cases) for case in cases) > given.at_most
    sys.exit(1 if wrong or slow else 0)


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description="Time lookups over a Serve handle against an empty method.")
    parser.add_argument("--calls", type=int, default=2_000, help="calls of each kind")
    parser.add_argument("--rows", type=int, default=300_000, help="transactions to generate and publish")
    parser.add_argument("--at-most", type=float, help="fail where a p50 is more than so many times the empty call's")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    return parser.parse_args()


async def measured(handle: Any, facts: pl.DataFrame, calls: int) -> tuple[list[Case], int]:
    """The three kinds of call with their times, and how many of the values of all questions are wrong."""
    empty = empty_handle()
    ones = cycle(map(call, questions(facts, 1)))
    hundreds = cycle(map(call, questions(facts, KEYS)))
    cases = [
        Case("empty method", 0, lambda: empty.nothing.remote()),
        Case("1 key", 1, lambda: ask(handle, *next(ones))),
        Case(f"{KEYS} keys", KEYS, lambda: ask(handle, *next(hundreds))),
    ]
    wrong = sum([differing(await answered(handle, rows), rows) for rows in questions(facts, KEYS)])
    await in_turns(cases, WARM_CALLS)
    for case in cases:
        case.seconds.clear()
    await in_turns(cases, calls)
    return cases, wrong


def questions(facts: pl.DataFrame, keys: int) -> list[pl.DataFrame]:
    """Different sets of rows to ask about, each of that many keys."""
    return [facts.sample(keys, seed=seed) for seed in range(QUERIES)]


def call(rows: pl.DataFrame) -> tuple[dict[str, list[int]], dict[str, list[float]], datetime]:
    """What a call is made with, as a caller has it: keys, request fields, and the one time that the rows share."""
    keys = {key: rows[key].to_list() for key in ("customer_id", "terminal_id")}
    return keys, {"amount": rows["amount"].to_list()}, rows["tx_datetime"][0]


def ask(handle: Any, keys: dict[str, list[int]], request: dict[str, list[float]], at: datetime) -> Awaitable[Any]:
    """The features of all keys, by one call."""
    return handle.get.remote(keys, request=request, at=at)  # type: ignore[no-any-return]


async def answered(handle: Any, rows: pl.DataFrame) -> pl.DataFrame:
    """The answer to a question, as a frame with the transactions asked about."""
    answer = (await ask(handle, *call(rows))).to_polars()
    return rows.select("transaction_id").hstack(answer.select(FEATURES))


async def in_turns(cases: list[Case], calls: int) -> None:
    """That many calls of each case, one after the other, in blocks that take turns."""
    for begin in range(0, calls, BLOCK):
        for case in cases:
            for _ in range(min(BLOCK, calls - begin)):
                before = time.perf_counter()
                await case.call()
                case.seconds.append(time.perf_counter() - before)


def ratio(case: Case, cases: list[Case]) -> float:
    """How many times the p50 of the empty call this one's is."""
    return case.quantile_us(0.5) / cases[0].quantile_us(0.5)


def table(cases: list[Case], wrong: int, load: float) -> Table:
    """The figures to look at."""
    drawn = Table(
        title=f"lookup over a Serve handle, {len(FEATURES)} features, {len(cases[0].seconds):,} calls of each"
    )
    drawn.add_column("call")
    for heading in ("p50 us", "p99 us", "p50 / empty", "keys a second"):
        drawn.add_column(heading, justify="right")
    for case in cases:
        p50, p99 = case.quantile_us(0.5), case.quantile_us(0.99)
        rate = f"{case.keys * 1e6 / p50:,.0f}" if case.keys else ""
        drawn.add_row(case.name, f"{p50:,.0f}", f"{p99:,.0f}", f"{ratio(case, cases):.2f}", rate)
    drawn.caption = f"{wrong} values unlike the training set's; {os.cpu_count()} cores, load average before {load:.2f}"
    return drawn


def report(cases: list[Case], wrong: int, load: float, given: argparse.Namespace) -> dict[str, object]:
    """The figures to keep."""
    return {
        "benchmark": "lookup",
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"cores": os.cpu_count(), "system": platform.platform(), "python": platform.python_version()},
        "load_average_before": load,
        "rows": given.rows,
        "calls": given.calls,
        "wrong_values": wrong,
        "cases": [
            {
                "call": case.name,
                "p50_us": case.quantile_us(0.5),
                "p99_us": case.quantile_us(0.99),
                "p50_ratio": ratio(case, cases),
            }
            for case in cases
        ],
    }


if __name__ == "__main__":
    main()
