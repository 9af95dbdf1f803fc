"""Functions of a user that replicas of Ray Serve can import, as any process that runs from this checkout."""

from __future__ import annotations

import polars as pl

import nowthen as nt


@nt.function(returns=pl.Float64)
def root(amount: pl.Series) -> pl.Series:
    """The square root; of what is negative there is none."""
    return pl.select(pl.when(amount >= 0).then(amount.sqrt())).to_series()


@nt.function(returns=pl.List(pl.Float64))
def twice(amount: pl.Series) -> pl.Series:
    """An amount and an amount."""
    return pl.select(pl.concat_list(amount, amount)).to_series()
