"""Functions of a user, as they stand in a module of his."""

from __future__ import annotations

import polars as pl

import nowthen as nt

SCALE = 10.0


@nt.function(returns=pl.Float64)
def taxed(price: pl.Series, *, rate: float = 0.25) -> pl.Series:
    """The price with the tax on it."""
    return price * (1 + rate)


@nt.function(returns=pl.Boolean)
def is_large(amount: pl.Series, *, limit: float = 10.0) -> pl.Series:
    """Whether an amount is large; one that is unknown is not."""
    return (amount >= limit).fill_null(value=False)


@nt.function(returns=pl.Float64)
def known(value: pl.Series) -> pl.Series:
    """One where there is a value, else minus one: it sees nulls."""
    return value.is_not_null().cast(pl.Float64) * 2 - 1


@nt.function(returns=pl.String)
def initial(name: pl.Series, *others: pl.Series) -> pl.Series:
    """The first letters, together."""
    letters = name.str.head(1)
    for other in others:
        letters = letters + other.str.head(1)
    return letters


@nt.function(returns=pl.Float64)
def scaled(value: pl.Series) -> pl.Series:
    """By a constant of this module."""
    return value * SCALE


@nt.function(returns=pl.Float64)
def centred(value: pl.Series) -> pl.Series:
    """What no function of a row may do."""
    return value - value.mean()


@nt.function(returns=pl.Float64)
def failing(value: pl.Series) -> pl.Series:
    """A function with a mistake in it."""
    raise ZeroDivisionError("there is nothing to divide by")


def plain(value: pl.Series) -> pl.Series:
    """A function that is no nt.function."""
    return value
