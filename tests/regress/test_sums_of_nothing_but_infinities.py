"""A column whose only values besides zero were infinite passed the test for prefix sums, and every window after them was NaN."""

from __future__ import annotations

import numpy as np

from nowthen.engine.folds import compiled, ranges


def test_an_infinity_outside_a_range_does_not_leak_into_it() -> None:
    compiled.warm()
    over = ranges.sums(np.array([np.inf, 0.0, 0.0]), np.array([0, 3]))
    assert over(np.array([0, 1]), np.array([1, 3])).tolist() == [np.inf, 0.0]
