"""A backfill whose process is ended in the middle, in order or not: the same command goes on, and the file is the same."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import nowthen as nt
from nowthen.serve.definitions import load

pytestmark = [pytest.mark.fault, pytest.mark.slow]

ROWS = 2_000_000
DEFINITIONS = """
import polars as pl
import nowthen as nt

shop = nt.Entity("shop", keys={"shop_id": pl.Int64})
sales = nt.Source("sales", nt.Parquet("sales.parquet"), event_time="time", entities=[shop])

class ShopSales(nt.FeatureView, entity=shop):
    sold_1d = sales.count().over("1d")
    mean_7d = sales.amount.mean().over("7d")
    kinds_7d = sales.kind.n_unique().over("7d")
    middle_1d = sales.amount.median().over("1d")
"""
COMMAND = [
    *(sys.executable, "-m", "nowthen.serve.cli", "backfill", "shop_sales", "--definitions", "shop_features.py"),
    *("--spine", "sales.parquet", "--at", "time", "--out", "out.parquet", "--memory", "128MiB"),
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NOWTHEN_STORE", raising=False)
    rng = np.random.default_rng(3)
    times = pl.Series(np.sort(rng.integers(0, 60 * 86_400_000_000, ROWS))).cast(pl.Datetime("us"))
    sales = {"shop_id": rng.integers(0, 5_000, ROWS), "time": times, "amount": rng.random(ROWS)}
    pl.DataFrame({**sales, "kind": rng.integers(0, 30, ROWS)}).write_parquet("sales.parquet")
    Path("shop_features.py").write_text(DEFINITIONS)
    return tmp_path


@pytest.mark.parametrize("number, code", [(signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_the_same_command_goes_on(folder: Path, number: signal.Signals, code: int) -> None:
    assert ended_in_the_middle(folder, number) == code
    left = sorted(path.name for path in folder.iterdir() if "out.parquet" in path.name)
    assert left == ["out.parquet.resume"]
    again = subprocess.run(COMMAND, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    assert "An earlier run was stopped; the work it finished is taken from out.parquet.resume" in again.stderr
    view = load("shop_features.py").views["shop_sales"]
    here = nt.training_set("sales.parquet", view, at="time").collect(engine="local")
    assert_frame_equal(pl.read_parquet("out.parquet"), here, check_exact=True)
    assert [path.name for path in folder.iterdir() if "out.parquet" in path.name] == ["out.parquet"]


def ended_in_the_middle(folder: Path, number: signal.Signals) -> int:
    """The exit code of a run that got the signal when its first step was kept."""
    with subprocess.Popen(COMMAND, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None and not any(folder.glob("out.parquet.resume/*.arrow")):
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.02)
        process.send_signal(number)
        return process.wait()
