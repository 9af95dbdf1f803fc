"""One engine in a process of its own: warms up once, runs, and says on standard output what each run cost.

Started by measure.py. Every line it writes is a JSON object with `event`: begin, run, end. CPU seconds are user and system time of this process and of all
its descendants (Ray's daemons and workers among them); what a run returns is written to a file after the last one, outside of any measurement.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import json
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import psutil

# Name on the command line: module, variant, distribution whose version the table shows.
ENGINES = {
    "nowthen": ("fraud_nowthen", "local", "nowthen"),
    "nowthen-ray": ("fraud_nowthen", "ray", "nowthen"),
    "polars": ("fraud_polars", "over", "polars"),
    "polars-frame": ("fraud_polars", "frame", "polars"),
    "duckdb": ("fraud_duckdb", "", "duckdb"),
    "pandas": ("fraud_pandas", "line", "pandas"),
    "pandas-groupby": ("fraud_pandas", "groupby", "pandas"),
}


def main() -> None:
    """Runs the engine named on the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("engine", choices=ENGINES)
    parser.add_argument("data", type=Path)
    parser.add_argument("result", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    module, variant, _ = ENGINES[given.engine]
    compute = importlib.import_module(module).prepare(given.data, variant)
    result = run_often(compute, given.runs)
    pl.DataFrame(result).write_parquet(given.result)


def run_often(compute: Callable[[], Any], runs: int) -> Any:
    """The result of the last of `runs` runs, after one that does not count."""
    result = compute()
    say(event="begin")
    for _ in range(runs):
        del result
        gc.collect()
        cpu, wall = cpu_seconds(), time.perf_counter()
        result = compute()
        wall = time.perf_counter() - wall
        say(event="run", wall_s=wall, cpu_s=cpu_seconds() - cpu)
    say(event="end")
    return result


def say(**fields: object) -> None:
    """One line for the process that measures."""
    print(json.dumps(fields), flush=True)


def cpu_seconds() -> float:
    """User and system seconds so far of this process and its descendants, those that ended included."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    alive = psutil.Process().children(recursive=True)
    return own.ru_utime + own.ru_stime + ended.ru_utime + ended.ru_stime + sum(map(seconds_of, alive))


def seconds_of(process: psutil.Process) -> float:
    """Seconds of another process and of its ended children; 0 if it just went away."""
    try:
        used = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(used.user + used.system + used.children_user + used.children_system)


if __name__ == "__main__":
    main()
