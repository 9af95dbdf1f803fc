"""Whether to use the compiled loops: loading them costs 10 to 40 ms, making them a second each where that was never done; short work goes without."""

from __future__ import annotations

import sys
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from threading import Thread
from typing import Any

from ..loading import loaded
from . import memory
from .layout import is_as_expected

_KERNELS = __package__ + ".kernels"
_LOADING = 50_000  # rows; numpy costs 50 ms at this size, loading what a run needs 10 ms, by LLVM 40 (2026-11, benchmarks/fraud.py)
_MAKING = 200_000  # where nothing was compiled yet: a second for each loop, once and for all


def kernels(work: int) -> Any:
    """The compiled loops if they are loaded already or `work` rows are worth loading them; None otherwise."""
    loops = sys.modules.get(_KERNELS)
    if loops is not None and hasattr(loops, "LOADED"):
        return loops
    return warm() if _worth(work) else None


def ahead(work: int) -> None:
    """Begin to load the compiled loops beside what is done now, such as reading, if `work` rows are worth it.

    Where they are there already this is not the first run of the process, and arrays of any size are worth Arrow's pool.
    """
    if work < _LOADING:
        return
    if _KERNELS in sys.modules:
        memory.warm()
    else:
        Thread(target=_warm_or_not, args=[work], name="nowthen-loops").start()


def _warm_or_not(work: int) -> None:
    with suppress(Exception):  # who needs the loops will try again, and say what is wrong
        kernels(work)


def warm() -> Any:
    """Load the compiled loops now, as a long-lived process does at its start; None where numba is not installed."""
    return loaded(".kernels", __package__) if _can_compile() else None


def _worth(work: int) -> bool:
    """Whether so many rows are worth the loops, if these are not loaded yet."""
    return work >= _MAKING or (work >= _LOADING and _any_made())


@cache
def _any_made() -> bool:
    from .native_files import any_made

    return any_made()


@cache
def _can_compile() -> bool:
    return find_spec("numba") is not None and is_as_expected()
