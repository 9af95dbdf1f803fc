"""Values from Ray's object store, asked for anew where they do not come.

Ray 2.60 may ask a node that is gone for a value that another node has too, or look for one long after it knows that its node is gone: 16 to 30 s were
seen, and a run of many did not end. Asked anew, Ray starts over with any node that has the value (benchmarks/faults.py, 2026-11).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ray
from ray.exceptions import GetTimeoutError, RayTaskError

_FETCH_S = 5.0  # the first try; each next one takes twice as long, as it begins from nothing
_LAST_S = 0.1  # for what is here already, or will never be


def fetched(refs: Any, gone: Callable[[], bool] = lambda: False) -> Any:
    """What a reference, or each of a list, stands for. `GetTimeoutError` where it does not come and `gone` says that it will not."""
    patience = _FETCH_S
    while True:
        last = gone()
        try:
            return ray.get(refs, timeout=_LAST_S if last else patience)
        except GetTimeoutError as error:
            if last or isinstance(error, RayTaskError):  # the latter is the error of a step, not of this get
                raise
        patience *= 2
