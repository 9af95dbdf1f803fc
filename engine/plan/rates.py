"""About how long a plan takes, before it runs."""

from __future__ import annotations

from .pieces import height
from .plan import Plan

# Of two cores of a shared machine, 2026-11-25: 6,000,000 rows of the demo with twelve folds took 7.5 s here and 14 s on Ray; another machine may
# be twice as fast or slow.
_READ_PER_S = 4e6  # rows of a source, read and sorted by key, a core
_FOLDED_PER_S = 6e6  # answers of one fold, a core
_ON_RAY = 2.0  # rows go through the object store


def seconds(plan: Plan, rows: int | None, workers: int, *, on_ray: bool) -> float | None:
    """Seconds for so many rows of a spine, by rates measured on another machine; None where the rows of a source are not known."""
    heights = [height(side.scan.reader) for side in plan.input.sides]
    if rows is None or None in heights:
        return None
    work = sum(
        found / _READ_PER_S + rows * len(side.foldings) / _FOLDED_PER_S
        for side, found in zip(plan.input.sides, heights, strict=True)
        if found is not None
    )
    return round(work / workers * (_ON_RAY if on_ray else 1), 1)
