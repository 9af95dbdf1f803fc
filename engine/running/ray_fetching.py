"""Values from Ray's object store, asked for anew where they do not come.

Ray 2.60 may ask a node that is gone for a value that another node has too, or look for one long after it knows that its node is gone: 16 to 30 s were
seen, and a run of many did not end. It begins with any node that has the value where it is asked anew (benchmarks/faults.py, 2026-11).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ray
from ray.exceptions import GetTimeoutError

_FETCH_S = 5.0  # the first try; each next one takes twice as long, as it begins from nothing


def fetched(refs: Any, gone: Callable[[], bool] = lambda: False) -> Any:
    """What a reference, or each of a list, stands for. `GetTimeoutError` where it does not come and `gone` says that it will not."""
    patience = _FETCH_S
    while True:
        try:
            return ray.get(refs, timeout=patience)
        except GetTimeoutError:
            if gone():
                raise
        patience *= 2
