"""Kinds of types: what an operator accepts, in words and as Polars types, and the rules for results that many operators share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl

from ..engine.errors import WrongType
from ..engine.record import record

Rule = Callable[..., pl.DataType]


@record
class Kind:
    """A set of types with a name for messages; `dtype in kind` asks, `a | b` joins."""

    words: str
    types: tuple[type[pl.DataType], ...]

    def __contains__(self, dtype: pl.DataType) -> bool:
        return isinstance(dtype, self.types)

    def __or__(self, other: Kind) -> Kind:
        return Kind(f"{self.words} or {other.words}", self.types + other.types)


SIGNED = Kind("a signed integer", (pl.Int8, pl.Int16, pl.Int32, pl.Int64))
UNSIGNED = Kind("an unsigned integer", (pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64))
INTEGER = Kind("an integer", SIGNED.types + UNSIGNED.types)
FLOAT = Kind("a float", (pl.Float32, pl.Float64))
NUMBER = Kind("a number", INTEGER.types + FLOAT.types)
BOOLEAN = Kind("a Boolean", (pl.Boolean,))
STRING = Kind("a String", (pl.String,))
DATE = Kind("a Date", (pl.Date,))
DATETIME = Kind("a Datetime", (pl.Datetime,))
DURATION = Kind("a Duration", (pl.Duration,))
NULL = Kind("a null", (pl.Null,))
LIST = Kind("a list", (pl.List,))
ANY = Kind(
    "a number, Boolean, String, Date, Datetime or Duration",
    (*NUMBER.types, pl.Boolean, pl.String, pl.Date, pl.Datetime, pl.Duration, pl.Null),
)

CASTABLE = Kind(
    "a number, Boolean, String, Date, Datetime, Duration, Decimal or Time", (*ANY.types, pl.Decimal, pl.Time)
)


def refused(name: str, accepted: str, *dtypes: pl.DataType) -> WrongType:
    """The error for an operator given types it does not take.

    >>> print(refused("log", "a number", pl.String()))
    log takes a number, got String. Convert with .cast(...) first, if that is what you mean.
    """
    got = " and ".join(str(dtype) for dtype in dtypes)
    listed = any(dtype in LIST for dtype in dtypes)
    hint = "A list is given as it is." if listed else "Convert with .cast(...) first, if that is what you mean."
    return WrongType(f"{name} takes {accepted}, got {got}. {hint}")


def accept(name: str, kind: Kind, dtype: pl.DataType) -> None:
    """Nothing, or `WrongType` where the operator does not take the type."""
    if dtype not in kind:
        raise refused(name, kind.words, dtype)


def same(name: str, kind: Kind) -> Rule:
    """The rule of an operator on one column whose result has the type of the column."""

    def rule(dtype: pl.DataType, **_: Any) -> pl.DataType:
        accept(name, kind, dtype)
        return dtype

    return rule


def always(name: str, kind: Kind, result: pl.DataType) -> Rule:
    """The rule of an operator on one column whose result always has the same type."""

    def rule(dtype: pl.DataType, **_: Any) -> pl.DataType:
        accept(name, kind, dtype)
        return result

    return rule


def real(name: str) -> Rule:
    """The rule of a real function: Float32 stays, every other number gives Float64."""

    def rule(dtype: pl.DataType, **_: Any) -> pl.DataType:
        accept(name, NUMBER, dtype)
        return dtype if dtype in FLOAT else pl.Float64()

    return rule
