"""Types: Polars' own, and their names in definitions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import polars as pl

from ..errors import Invalid, WrongType
from .plain import told

UTC = pl.Datetime("us", "UTC")
WIDE = (pl.Int128, pl.UInt128)  # no array holds them
_PLAIN: dict[str, pl.DataType] = {
    str(dtype): dtype()
    for dtype in (
        pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64,
        pl.Float32, pl.Float64, pl.Boolean, pl.String, pl.Date, pl.Null,
    )
}  # fmt: skip
_LIST = re.compile(r"List\(((?!List\().*)\)")  # of plain values alone
_TIME = re.compile(r"(Datetime|Duration)\(time_unit='(\w+)'(?:, time_zone=(None|'[^']*'))?\)")


def instance(dtype: Any) -> pl.DataType:
    """A Polars type as an instance; `pl.Int64` and `pl.Int64()` are the same type.

    >>> instance(pl.Int64)
    Int64
    """
    if isinstance(dtype, pl.DataType):
        return dtype
    if isinstance(dtype, type) and issubclass(dtype, pl.DataType):
        return pl.Datetime("us") if dtype is pl.Datetime else dtype()
    raise WrongType(
        f"{dtype!r} is not a Polars type. Write pl.Int64, pl.Float64, pl.String, pl.Boolean, pl.Datetime, ..."
    )


def written(dtype: pl.DataType) -> str:
    """The name of a type in a definition."""
    return str(dtype)


def read(name: str) -> pl.DataType:
    """The type of that name.

    >>> read("Datetime(time_unit='us', time_zone='UTC')")
    Datetime(time_unit='us', time_zone='UTC')
    """
    if name in _PLAIN:
        return _PLAIN[name]
    listed = _LIST.fullmatch(name)
    if listed is not None:
        return pl.List(read(listed[1]))
    match = _TIME.fullmatch(name)
    if match is None:
        raise Invalid(f"type {name!r} cannot be used in a feature.")
    kind, unit, zone = match.groups()
    if kind == "Duration":
        return pl.Duration(unit)  # type: ignore[arg-type]
    return pl.Datetime(unit, None if zone in (None, "None") else zone.strip("'"))  # type: ignore[arg-type]


def is_plain(dtype: pl.DataType) -> bool:
    """Whether a column of single values of this type can be computed with.

    >>> is_plain(pl.Int64()), is_plain(pl.Categorical()), is_plain(pl.Decimal(10, 2)), is_plain(pl.List(pl.Int64()))
    (True, True, False, False)
    """
    inside = settled(dtype)
    return inside in _PLAIN.values() or isinstance(inside, pl.Datetime | pl.Duration)


def inner_of(dtype: pl.DataType) -> pl.DataType:
    """The type of the values in a list, and other types themselves.

    >>> inner_of(pl.List(pl.Int8())), inner_of(pl.Int8())
    (Int8, Int8)
    """
    return instance(dtype.inner) if isinstance(dtype, pl.List) else dtype


def settled(dtype: pl.DataType) -> pl.DataType:
    """The type a column of this type has inside the engine: times in microseconds, categories as text."""
    if isinstance(dtype, pl.Datetime):
        return pl.Datetime("us", dtype.time_zone)
    if isinstance(dtype, pl.Duration):
        return pl.Duration("us")
    return pl.String() if isinstance(dtype, pl.Categorical | pl.Enum) else dtype


def schema(columns: Mapping[str, Any], what: str = "schema") -> dict[str, pl.DataType]:
    """A schema with every type as an instance."""
    if not isinstance(columns, Mapping):
        raise WrongType(f"{what} is {told(columns)}; give columns and their types, as in {{'customer_id': pl.Int64}}.")
    return {name: instance(dtype) for name, dtype in columns.items()}
