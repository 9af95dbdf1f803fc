"""The sum as it would be without rounding: what folds of floats mean."""

from __future__ import annotations

import math
from typing import Any


def exact_sum(values: list[Any]) -> float:
    """The sum as if computed without rounding, rounded once; NaN and infinities as IEEE 754 has them.

    >>> exact_sum([1e16, 1.0, -1e16])
    1.0
    """
    if all(math.isfinite(value) for value in values):
        return math.fsum(values)
    return float(sum(value for value in values if not math.isfinite(value)))
