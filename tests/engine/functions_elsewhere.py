"""Another module, with functions that are written as those of the first are."""

from __future__ import annotations

import polars as pl

import nowthen as nt

SCALE = 1000.0


@nt.function(returns=pl.Float64)
def scaled(value: pl.Series) -> pl.Series:
    """The same words, and another constant."""
    return value * SCALE


@nt.function(
    returns=pl.Float64,
)
def with_tax(price: pl.Series, *, rate: float = 0.25) -> pl.Series:
    # Under another name, with other words about it.

    return price * (1 + rate)
