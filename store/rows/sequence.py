"""Sequence numbers: one rising order over all rows of a source, ingested or pushed, without a shared counter.

A number is the wall clock in microseconds times 1,024, moved past the last number its giver gave (a hybrid logical clock: Kulkarni et al.
2014, "Logical Physical Clocks"). Ingest gives even numbers and is serialised by the commit; the one writer of a log gives odd ones. So no
number is given twice, and what is pushed after an ingest was seen comes after it.
"""

from __future__ import annotations

import time

import numpy as np

from ...engine.folds.column import Index

_PER_MICROSECOND = 1_024  # int64 lasts for 285 years of them
_STEP = 2


def now_us() -> int:
    """The wall clock in microseconds UTC."""
    return time.time_ns() // 1_000


def after(last: int, now: int, *, pushed: bool) -> int:
    """The first number free after `last` at the time `now`.

    >>> after(0, 1, pushed=True), after(1025, 1, pushed=True), after(1025, 1, pushed=False)
    (1025, 1027, 1026)
    """
    least = max(last + 1, now * _PER_MICROSECOND)
    return least + ((least ^ pushed) & 1)


def numbers(first: int, rows: int) -> Index:
    """The numbers of so many rows from the first on, (rows,)."""
    return np.arange(first, first + _STEP * rows, _STEP)


def last(first: int, rows: int) -> int:
    """The number of the last of so many rows."""
    return first + _STEP * (rows - 1)
