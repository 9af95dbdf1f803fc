"""How many values of two frames differ, row by row: exactly, or by more than rounding explains."""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

TOLERANCE = 1e-9


def differing(
    found: pl.DataFrame, expected: pl.DataFrame, row: str, *, exact: Collection[str], near: Collection[str]
) -> int:
    """How many values differ at the rows of `expected`: those of `exact` at all, those of `near` by more than 1e-9 of the value, or of 1 if that is more.

    Column `row` names a row. One that `found` does not have, or has twice, is refused: then the values are not what went wrong. NaN counts as null, which
    is how pandas writes it.
    """
    names = [*exact, *near]
    pairs = numbers(expected, row, names).join(numbers(found, row, names), on=row, suffix="_found", validate="1:1")
    if pairs.height != expected.height:
        raise ValueError(f"{expected.height - pairs.height} of {expected.height} rows are missing from the result")
    differ = [*(differs(name, 0.0) for name in exact), *(differs(name, TOLERANCE) for name in near)]
    return int(pairs.select(pl.sum_horizontal(each.sum() for each in differ)).item())


def numbers(rows: pl.DataFrame, row: str, names: Collection[str]) -> pl.DataFrame:
    """The values as floats, whatever type an engine gives them."""
    return rows.select(row, pl.col(*names).cast(pl.Float64).fill_nan(None))


def differs(name: str, tolerance: float) -> pl.Expr:
    """Whether the two values of a column are not the same."""
    found, expected = pl.col(f"{name}_found"), pl.col(name)
    room = pl.max_horizontal(expected.abs(), 1.0) * tolerance
    return found.ne_missing(expected) & ((found - expected).abs() <= room).not_().fill_null(True)
