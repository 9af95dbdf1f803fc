"""Runs that lose workers, one of two nodes, or their driver: benchmarks/faults.py on small data, in a Ray of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

FAULTS = Path(__file__).parents[1] / "benchmarks" / "faults.py"

pytestmark = [pytest.mark.slow, pytest.mark.fault, pytest.mark.ray, pytest.mark.timeout(900)]


def test_rows_are_the_same_whatever_was_lost(tmp_path: Path) -> None:
    told = tmp_path / "told.json"
    small = ["--size", "S", "--memory", "64MiB", "--cache", str(tmp_path / "data")]
    command = [sys.executable, str(FAULTS), *small, "--rounds", "1", "--every", "1", "--json", str(told)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    rounds = json.loads(told.read_text())
    assert [one["scenario"] for one in rounds] == ["workers", "node", "driver"]
    assert all(one["same"] for one in rounds)
