"""The loops of minima closed over another loop, which no two processes name alike: their cache never hit, and its folder grew."""

from __future__ import annotations

import subprocess
import sys

import pytest

CODE = """
import sys
import numpy as np
from nowthen.engine.folds import compiled, ranges
loops = compiled.warm()
ranges.least(np.arange(1000.0))(np.array([0]), np.array([5]))
assert loops is not None
print("numba" in sys.modules)
"""


@pytest.mark.slow
def test_a_second_process_finds_the_loops_that_the_first_compiled() -> None:
    compiled = [subprocess.run([sys.executable, "-c", CODE], capture_output=True, check=True).stdout for _ in range(2)]
    assert compiled[1].strip() == b"False"
