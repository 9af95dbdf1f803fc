"""Logic with nulls, as in Polars (Kleene): null is unknown, and the answer is null only where it depends on what is unknown."""

from __future__ import annotations

import polars as pl

from ..engine.folds.column import Column, Mask
from ..engine.language.map import Returns, map_of_columns
from .alike import all_valid, converted
from .kinds import BOOLEAN, NULL, accept

_TRUTH = BOOLEAN | NULL


def _truth(name: str) -> Returns:
    def rule(*dtypes: pl.DataType) -> pl.DataType:
        for dtype in dtypes:
            accept(name, _TRUTH, dtype)
        return pl.Boolean()

    return rule


@map_of_columns(name="and_", returns=_truth("and_"))
def and_(a: Column, b: Column) -> Column:
    """True where both are true; false where either is false, whatever the other is."""
    a, b = _known(a), _known(b)
    if a.valid is None and b.valid is None:
        return Column(a.dtype, a.values & b.values)
    true, false = _true(a) & _true(b), _false(a) | _false(b)
    return Column(a.dtype, true, true | false)


@map_of_columns(name="or_", returns=_truth("or_"))
def or_(a: Column, b: Column) -> Column:
    """True where either is true, whatever the other is; false where both are false."""
    a, b = _known(a), _known(b)
    if a.valid is None and b.valid is None:
        return Column(a.dtype, a.values | b.values)
    true, false = _true(a) | _true(b), _false(a) & _false(b)
    return Column(a.dtype, true, true | false)


@map_of_columns(name="xor", returns=_truth("xor"))
def xor(a: Column, b: Column) -> Column:
    """True where exactly one is true."""
    a, b = _known(a), _known(b)
    return Column(a.dtype, a.values ^ b.values, all_valid(a, b))


@map_of_columns(name="not_", returns=_truth("not_"))
def not_(x: Column) -> Column:
    """True where the value is false."""
    x = _known(x)
    return Column(x.dtype, ~x.values, x.valid)


def _known(column: Column) -> Column:
    return converted(column, pl.Boolean())


def _true(column: Column) -> Mask:
    return column.values & column.is_valid()


def _false(column: Column) -> Mask:
    return ~column.values & column.is_valid()
