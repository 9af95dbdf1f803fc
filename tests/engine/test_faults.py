"""Runs that are disturbed: workers that are killed, a user who interrupts. Real processes, real signals."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import polars as pl
import psutil
import pytest

import nowthen as nt
from nowthen.engine.running.training_set import TrainingSet

from .shop import SHOP

pytestmark = pytest.mark.fault


def events(n: int) -> pl.DataFrame:
    """Events of a hundred shops."""
    rng = np.random.default_rng(1)
    time_us = pl.Series(np.sort(rng.integers(0, 10**12, n))).cast(pl.Datetime("us", "UTC"))
    return pl.DataFrame({"shop_id": rng.integers(0, 100, n), "time": time_us, "amount": rng.normal(size=n)})


def training_set(folder: Path, n: int) -> TrainingSet:
    """Many folds over them, asked at some of their own times."""
    frame = events(n)
    frame.write_parquet(folder / "events.parquet", row_group_size=max(n // 20, 1))
    frame.sample(n // 2, seed=1).select("shop_id", "time").write_parquet(folder / "spine.parquet")
    source = nt.Source("sales", nt.Parquet(folder / "events.parquet"), event_time="time", entities=SHOP)
    features = {f"m{h}": source.amount.mean().over(f"{h}h") for h in range(1, 12)}
    made: TrainingSet = nt.training_set(
        folder / "spine.parquet", nt.feature_view("v", entity=SHOP, features=features), at="time"
    )
    return made


def workers() -> list[psutil.Process]:
    """The engine's worker processes on this machine's Ray."""
    found = []
    for process in psutil.Process().children(recursive=True):
        try:
            if "ray::Worker" in " ".join(process.cmdline()):
                found.append(process)
        except psutil.Error:
            continue
    return found


@pytest.mark.ray
@pytest.mark.usefixtures("ray_cluster", "bucketed")
def test_a_run_whose_workers_are_killed_gives_the_same_rows(tmp_path: Path) -> None:
    made = training_set(tmp_path, 400_000)
    expected = made.collect(engine="local")
    done, killed = threading.Event(), []

    def kill() -> None:
        while not done.wait(0.7):
            for process in workers()[:1]:
                process.kill()
                killed.append(process.pid)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        for _ in range(20):
            assert made.collect(engine="ray").equals(expected)
            if len(killed) >= 3:
                break
    finally:
        done.set()
        thread.join()
    assert len(killed) >= 3


INTERRUPTED = """
import sys, time, pathlib, threading, os, signal
sys.path.insert(0, {root!r})
from tests.engine import test_faults as t
made = t.training_set(pathlib.Path({folder!r}), 4_000_000)
threading.Timer(0.7, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
began = time.monotonic()
try:
    for frame in made.batches(1000, engine="local", memory="128MiB"):
        pass
except KeyboardInterrupt:
    print("interrupted after", time.monotonic() - began)
"""


def test_an_interrupted_run_ends_soon_and_leaves_nothing_behind(tmp_path: Path) -> None:
    spill = tmp_path / "spill"
    spill.mkdir()
    program = INTERRUPTED.format(root=str(Path(__file__).parents[2]), folder=str(tmp_path))
    environment = {**os.environ, "TMPDIR": str(spill)}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=200, check=False
    )
    assert done.stdout.startswith("interrupted after"), done.stderr
    assert float(done.stdout.split()[2]) < 10
    assert list(spill.iterdir()) == []
