"""Whether to use the compiled loops: loading them costs about a second, so short work goes without."""

from __future__ import annotations

import sys
from typing import Any

_KERNELS = __package__ + ".kernels"
_WORTH = 200_000  # rows; loading the compiled loops costs about 1.3 CPU s, numpy at this size 0.2 s (2026-11, benchmarks/fraud.py)


def kernels(work: int) -> Any:
    """The compiled loops if they are loaded already or `work` rows are worth loading them; None otherwise."""
    loaded = sys.modules.get(_KERNELS)
    if loaded is not None and hasattr(loaded, "LOADED"):
        return loaded
    return warm() if work >= _WORTH else None


def warm() -> Any:
    """Load the compiled loops now, as a long-lived process does at its start; None where numba is not installed."""
    try:
        from . import kernels as loops
    except ModuleNotFoundError as missing:
        if missing.name != "numba":
            raise
        return None
    return loops
