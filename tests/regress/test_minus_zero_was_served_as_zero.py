"""Literals were made once and kept by their value, and -0.0 equals 0.0: whichever came first stood for both from then on.

`x / -0.0` was then +inf instead of -inf, depending on what else the process had computed before.
"""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from nowthen.engine.folds.column import Column


@pytest.mark.parametrize("dtype", [pl.Float64(), pl.Float32()], ids=str)
def test_zero_and_minus_zero_are_different_literals(dtype: pl.DataType) -> None:
    made = [Column.filled(2, zero, dtype) for zero in (0.0, -0.0, 0.0)]
    assert [np.signbit(column.values).tolist() for column in made] == [[False] * 2, [True] * 2, [False] * 2]
