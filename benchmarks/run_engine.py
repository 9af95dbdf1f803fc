"""One engine in a process of its own: warms up once, runs, and says on standard output what each run cost.

Started by measure.py. Every line it writes is a JSON object with `event`: begin and run for each run, then end. CPU seconds are user and system time
of this process and of all its descendants (Ray's daemons and workers among them); what a run returns is written to a file after the last one, outside of any
measurement.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import json
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from pages import take_in_hand


class Way(NamedTuple):
    """How an engine goes through a workload: `prepare` of a module, with a variant; and the distribution whose version the table shows."""

    module: str
    variant: str
    package: str


# Workload and engine, as on the command line.
WORKLOADS = {
    "fraud": {
        "nowthen": Way("fraud_nowthen", "local", "nowthen"),
        "nowthen-ray": Way("fraud_nowthen", "ray", "nowthen"),
        "polars": Way("fraud_polars", "over", "polars"),
        "polars-frame": Way("fraud_polars", "frame", "polars"),
        "duckdb": Way("fraud_duckdb", "", "duckdb"),
        "pandas": Way("fraud_pandas", "line", "pandas"),
        "pandas-groupby": Way("fraud_pandas", "groupby", "pandas"),
    },
    "join": {
        "nowthen": Way("join_nowthen", "local", "nowthen"),
        "nowthen-ray": Way("join_nowthen", "ray", "nowthen"),
        "nowthen-store": Way("join_nowthen", "store", "nowthen"),
        "nowthen-file": Way("join_nowthen", "file", "nowthen"),
        "polars": Way("join_polars", "eager", "polars"),
        "polars-streaming": Way("join_polars", "streaming", "polars"),
        "duckdb": Way("join_duckdb", "", "duckdb"),
        "pandas": Way("join_pandas", "", "pandas"),
        "daft": Way("join_daft", "", "daft"),
    },
    "windows": {
        "nowthen": Way("windows_nowthen", "local", "nowthen"),
        "nowthen-ray": Way("windows_nowthen", "ray", "nowthen"),
        "nowthen-store": Way("windows_nowthen", "store", "nowthen"),
        "nowthen-file": Way("windows_nowthen", "file", "nowthen"),
        "polars": Way("windows_polars", "frame", "polars"),
        "polars-over": Way("windows_polars", "over", "polars"),
        "duckdb": Way("windows_duckdb", "", "duckdb"),
    },
    "store-ingest": {
        "nowthen": Way("store_nowthen", "ingest", "nowthen"),
        "polars": Way("store_polars", "ingest", "polars"),
        "delta": Way("store_delta", "ingest", "deltalake"),
    },
    "store-replace": {
        "nowthen": Way("store_nowthen", "replace", "nowthen"),
        "polars": Way("store_polars", "replace", "polars"),
        "delta": Way("store_delta", "replace", "deltalake"),
    },
    "store-column": {
        "nowthen": Way("store_nowthen", "column", "nowthen"),
        "compute": Way("store_nowthen", "compute", "nowthen"),
        "polars": Way("store_polars", "column", "polars"),
    },
    "store-versions": {
        "nowthen": Way("store_nowthen", "versions", "nowthen"),
        "delta": Way("store_delta", "versions", "deltalake"),
    },
    "store-scan": {
        "nowthen": Way("store_nowthen", "scan", "nowthen"),
        "polars": Way("store_polars", "scan", "polars"),
        "delta": Way("store_delta", "scan", "deltalake"),
    },
}


def main() -> None:
    """Runs the engine named on the command line."""
    given = arguments()
    way = WORKLOADS[given.workload][given.engine]
    importlib.import_module(
        way.package
    )  # first, as NowThen tells the allocators of Polars and of Arrow to keep what they have
    compute = importlib.import_module(way.module).prepare(given.data, way.variant, **given.options)
    result = once(compute, way) if given.cold else often(compute, way, given.runs)
    if given.result:
        frame_of(result).write_parquet(given.result)


def frame_of(result: Any) -> Any:
    """What an engine left, as a frame; what it left in a file is read only now."""
    import polars as pl  # only here: an engine that does without pays nothing for it

    return result.collect() if isinstance(result, pl.LazyFrame) else pl.DataFrame(result)


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("workload", choices=WORKLOADS)
    parser.add_argument("engine")
    parser.add_argument("data", type=Path)
    parser.add_argument("--result", type=Path, help="a Parquet file for the values")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--cold", action="store_true", help="run once, and count all that this process has done")
    parser.add_argument("--options", type=json.loads, default={}, help="what else the engine is told, in JSON")
    return parser.parse_args()


def once(compute: Callable[[], Any], way: Way) -> Any:
    """The result of one run, with the cost of this process since it was started."""
    result = compute()
    say(event="run", cpu_s=cpu_seconds(), version=version(way.package))
    return result


def often(compute: Callable[[], Any], way: Way, runs: int) -> Any:
    """The result of the last of `runs` runs, after one that does not count."""
    result = compute()
    for _ in range(runs):
        del result
        gc.collect()
        take_in_hand()
        say(event="begin", version=version(way.package))
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
    return own.ru_utime + own.ru_stime + ended.ru_utime + ended.ru_stime + sum(seconds_of_descendants())


def seconds_of_descendants() -> Iterator[float]:
    """Seconds of each, its ended children included; of one that just went away none."""
    if not any(map(_has_children, Path("/proc/self/task").iterdir())):
        return
    import psutil  # not loaded in cold processes, which would pay for it

    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            used = process.cpu_times()
            yield float(used.user + used.system + used.children_user + used.children_system)


def _has_children(task: Path) -> bool:
    """Whether a thread started processes that are alive; False for one that just ended."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return bool((task / "children").read_text())
    return False


if __name__ == "__main__":
    main()
