"""Durations as whole numbers of a unit, cut towards zero as in Polars."""

from __future__ import annotations

import numpy as np
import polars as pl

from ..engine.folds.column import Array
from ..engine.language.instant import DAY_US
from ..engine.language.map import map_of_values
from .kinds import DURATION, Rule, always


def _whole(name: str) -> Rule:
    return always(name, DURATION, pl.Int64())


@map_of_values(name="dt.total_days", returns=_whole("dt.total_days"))
def total_days(x: Array) -> Array:
    """Whole days of 24 hours."""
    return _cut(x, DAY_US)


@map_of_values(name="dt.total_hours", returns=_whole("dt.total_hours"))
def total_hours(x: Array) -> Array:
    """Whole hours."""
    return _cut(x, 3_600_000_000)


@map_of_values(name="dt.total_minutes", returns=_whole("dt.total_minutes"))
def total_minutes(x: Array) -> Array:
    """Whole minutes."""
    return _cut(x, 60_000_000)


@map_of_values(name="dt.total_seconds", returns=_whole("dt.total_seconds"))
def total_seconds(x: Array) -> Array:
    """Whole seconds.

    >>> total_seconds(np.array([1_500_000, -1_500_000]))
    array([ 1, -1])
    """
    return _cut(x, 1_000_000)


@map_of_values(name="dt.total_milliseconds", returns=_whole("dt.total_milliseconds"))
def total_milliseconds(x: Array) -> Array:
    """Whole milliseconds."""
    return _cut(x, 1_000)


@map_of_values(name="dt.total_microseconds", returns=_whole("dt.total_microseconds"))
def total_microseconds(x: Array) -> Array:
    """Microseconds."""
    return x


def _cut(x: Array, unit_us: int) -> Array:
    down: Array = x // unit_us
    return np.where((x < 0) & (x % unit_us != 0), down + 1, down)
