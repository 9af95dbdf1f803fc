"""Quantiles, the median among them."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Any

import numpy as np
import polars as pl

from ..engine.errors import Invalid, did_you_mean
from ..engine.folds.column import Array, Column, Index
from ..engine.folds.ranges import sums
from ..engine.folds.ranks import keys, ranked
from ..engine.folds.wavelet import Wavelet
from ..engine.language.fold import Fold, Ranged, State
from ..engine.language.registry import fold
from ..engine.record import record
from .gathered import in_order, joined, none, single
from .kinds import NUMBER, accept

_INTERPOLATIONS = ("linear", "nearest", "lower", "higher", "midpoint")


class _Quantile(Fold):
    """What quantile and median share. State: the values in order.

    In bulk a rank is read from a wavelet matrix and its value from the sorted values (11 to 24 bytes a row: see `Wavelet`).
    """

    holds_values = True

    @property
    @abstractmethod
    def _asked(self) -> tuple[float, str]:
        """Which quantile, and the interpolation."""

    def result(self, dtype: pl.DataType) -> pl.DataType:
        """Float64."""
        accept(self.name, NUMBER, dtype)
        return pl.Float64()

    def lift(self, column: Column) -> State:
        """The value."""
        return single(column.values.astype(np.float64, copy=False))

    def empty(self, n: int, column: Column) -> State:
        """No value."""
        return none(n, np.empty(0))

    def merge(self, a: State, b: State) -> State:
        """The values of both."""
        return joined(a, b, in_order)

    def value(self, state: State, dtype: pl.DataType) -> Column:
        """The value at the place that q says; null where there is none."""
        count = np.array([len(values) for values in state[0]], dtype=np.int64)
        filled = [values if len(values) else np.zeros(1) for values in state[0]]
        ends = [
            np.array([one[at] for one, at in zip(filled, places.tolist(), strict=True)], dtype=np.float64)
            for places in self._places(count)
        ]
        nan = np.array([math.isnan(values[-1]) for values in filled], dtype=np.bool_)
        return Column(dtype, np.where(nan, np.nan, self._between(ends, count)), count > 0)

    def meaning(self, values: list[Any]) -> Any:
        """By the definition, over the sorted list."""
        if not values or any(value != value for value in values):
            return math.nan if values else None
        q, interpolation = self._asked
        ordered, place = sorted(map(float, values)), (len(values) - 1) * q
        low, high = ordered[math.floor(place)], ordered[math.ceil(place)]
        if low == high:
            return low
        if interpolation == "linear":
            return low + (place - math.floor(place)) * (high - low)
        near = high if place - math.floor(place) >= 0.5 else low
        return {"nearest": near, "lower": low, "higher": high, "midpoint": (low + high) / 2}[interpolation]

    def bulk(self, column: Column, offsets: Index, dtype: pl.DataType) -> Ranged:
        """The same, from the ranks of rows in their groups."""
        values = column.values.astype(np.float64, copy=False) + 0.0
        nan = np.isnan(values)
        nans = sums(nan, offsets) if nan.any() else None
        own, rows = ranked(keys(values), offsets)
        ordered, ranks = values[rows], Wavelet.of(own, offsets)

        def ranged(start: Index, stop: Index) -> Column:
            if not len(ordered):
                return Column.nulls(len(start), dtype)
            count, some = stop - start, start < stop
            places = self._places(count)
            at = ranks.neighbours(start, stop, *places) if len(places) == 2 else [ranks.smallest(start, stop, *places)]
            found = self._between([ordered[np.where(some, one, 0)] for one in at], count)
            if nans is not None:
                found[nans(start, stop) > 0] = np.nan
            return Column(dtype, found, None if some.all() else some)

        return ranged

    def _places(self, count: Index) -> list[Index]:
        """The place, from 0, of the value or of the two it lies between."""
        q, interpolation = self._asked
        place = np.maximum(count - 1, 0) * q
        low, high = np.floor(place), np.ceil(place)
        one = {"lower": low, "higher": high, "nearest": np.where(place - low >= 0.5, high, low)}.get(interpolation)
        return [found.astype(np.int64) for found in ([low, high] if one is None else [one])]

    @np.errstate(invalid="ignore", over="ignore")
    def _between(self, ends: list[Array], count: Index) -> Array:
        """The value from one or two; equal ones, infinite too, stay."""
        if len(ends) == 1:
            return ends[0]
        low, high = ends
        q, interpolation = self._asked
        place = np.maximum(count - 1, 0) * q
        half = (low + high) / 2 if interpolation == "midpoint" else low + (place - np.floor(place)) * (high - low)
        return np.where(low == high, low, half)


@fold
@record
class Quantile(_Quantile):
    """The value below which a share q of the others lies, a Float64; null for an empty window, NaN where one is NaN.

    `interpolation`, where it falls between two values: "linear", "nearest", "lower", "higher" or "midpoint", as in Polars.
    """

    q: float
    interpolation: str = "linear"

    name = "quantile"

    def __post_init__(self) -> None:
        if isinstance(self.q, bool) or not isinstance(self.q, int | float) or not 0 <= self.q <= 1:
            raise Invalid(f"quantile({self.q!r}): q is a share from 0 to 1, for example 0.9.")
        if self.interpolation not in _INTERPOLATIONS:
            raise Invalid(
                f"quantile(interpolation={self.interpolation!r}) is unknown. {did_you_mean(self.interpolation, _INTERPOLATIONS)}"
            )
        object.__setattr__(self, "q", float(self.q))

    @property
    def _asked(self) -> tuple[float, str]:
        return self.q, self.interpolation


@fold
@record
class Median(_Quantile):
    """The value in the middle, or the mean of the two there, a Float64; null for an empty window, NaN where one is NaN."""

    name = "median"

    @property
    def _asked(self) -> tuple[float, str]:
        return 0.5, "linear"
