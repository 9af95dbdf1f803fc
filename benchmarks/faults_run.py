"""One run of the windows on Ray, for faults.py: it may kill its own workers, or remove one of its nodes, and counts the steps it starts."""

from __future__ import annotations

import argparse
import faulthandler
import json
import os
import random
import signal
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import psutil
import ray
from travel_nowthen import holder, source
from windows_columns import COLUMNS, LIGHT, WIDTHS_US, name

import nowthen as nt
from nowthen.engine.running.ray_workers import Workers

_LONG_S = 300.0
_STORE = 2 << 30  # bytes


def main() -> None:
    """Runs once and says what happened."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--memory")
    parser.add_argument("--resume")
    parser.add_argument("--kill-every", type=float)
    parser.add_argument("--remove-after", type=float)
    parser.add_argument("--two-nodes", action="store_true")
    parser.add_argument("--say-begin", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    faulthandler.dump_traceback_later(_LONG_S, repeat=True)  # to stderr, so that who ends it sees where it stood
    nodes = two_nodes() if given.two_nodes else one_node()
    started, done = counted(), threading.Event()
    killed: list[str] = []
    for disturb in disturbances(given, nodes, killed, done):
        threading.Thread(target=disturb, daemon=True).start()
    if given.say_begin:
        print("begin", flush=True)
    began = time.perf_counter()
    frame = training_set(given.data).collect(engine="ray", memory=given.memory, resume=given.resume)
    wall = time.perf_counter() - began
    done.set()
    frame.write_parquet(given.out)
    again = sum(started.values()) - len(started)
    print(
        json.dumps({"wall_s": wall, "killed": len(killed), "started": sum(started.values()), "repeated": again}),
        flush=True,
    )
    os._exit(0)  # Ray's own end waits for nodes that are gone


def training_set(data: Path) -> Any:
    """The folds of windows.py."""
    events = source(data, "a")
    features = {
        name(fold, window): getattr(events[COLUMNS[fold]], fold)().over(window)
        for window in WIDTHS_US
        for fold in LIGHT
    }
    view = nt.feature_view("measured", entity=holder, features=features)
    return nt.training_set(data / "spine.parquet", view, at="time")


def one_node() -> list[Any]:
    """A Ray with a worker for every core."""
    ray.init("local", include_dashboard=False, log_to_driver=False)
    return []


def two_nodes() -> list[Any]:
    """A head without workers, and two nodes with one each."""
    from ray.cluster_utils import Cluster

    os.environ["RAY_TMPDIR"] = folder = tempfile.mkdtemp(prefix="ray-")
    (Path(folder) / "ray").mkdir()
    room = {"object_store_memory": _STORE}  # by itself it would be 150 MB a node, which spills whatever is lost
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, **room})
    nodes = [cluster.add_node(num_cpus=1, **room) for _ in range(2)]
    ray.init(address=cluster.address, log_to_driver=False)
    return [cluster, *nodes]


def counted() -> Counter[str]:
    """How often each step is started on a worker, from now on."""
    started: Counter[str] = Counter()
    start = Workers.start

    def counting(self: Workers, step: Any, needs: Any) -> Any:
        handle = start(self, step, needs)
        if not step.here and not handle.lost:
            started[f"{step.order} {step.name}"] += 1
        return handle

    Workers.start = counting  # type: ignore[method-assign]
    return started


def disturbances(given: argparse.Namespace, nodes: list[Any], killed: list[str], done: threading.Event) -> list[Any]:
    """What disturbs the run, each for a thread of its own."""
    rng = random.Random(given.seed)

    def kill_workers() -> None:
        while not done.wait(given.kill_every):
            if found := workers():
                victim = rng.choice(found)
                victim.send_signal(signal.SIGKILL)
                killed.append(str(victim.pid))

    def remove_node() -> None:
        if not done.wait(given.remove_after):
            cluster, *rest = nodes
            cluster.remove_node(rest[0], allow_graceful=False)
            killed.append("node")

    return [kill_workers] * bool(given.kill_every) + [remove_node] * bool(given.remove_after)


def workers() -> list[psutil.Process]:
    """The worker processes of this run."""
    children = psutil.Process().children(recursive=True)
    return [process for process in children if "ray::Worker" in " ".join(cmdline(process))]


def cmdline(process: psutil.Process) -> list[str]:
    """The command line of a process; nothing if it just went away."""
    try:
        return process.cmdline()
    except psutil.Error:
        return []


if __name__ == "__main__":
    main()
