"""Plain values and types in definitions: JSON where JSON has them, a one-entry object naming the kind where it has not."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl

from ..errors import Invalid
from . import dtype as types

_MICROSECOND = timedelta(microseconds=1)


def value_json(value: Any) -> Any:
    """A default, literal or parameter as JSON.

    >>> value_json((1, float("nan")))
    {'tuple': [1, {'float': 'nan'}]}
    """
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": str(value)}
    if isinstance(value, datetime):
        return {"datetime": value.isoformat()}
    if isinstance(value, date):
        return {"date": value.isoformat()}
    if isinstance(value, timedelta):
        return {"duration": value // _MICROSECOND}
    if isinstance(value, tuple | list):
        return {"tuple": [value_json(item) for item in value]}
    if isinstance(value, pl.DataType):
        return {"type": type_json(value)}
    raise Invalid(
        f"{value!r} ({type(value).__name__}) cannot be written into a definition. Give a number, text, time or tuple of them."
    )


_VALUES: dict[str, Callable[[Any], Any]] = {
    "float": float,
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "duration": lambda length: timedelta(microseconds=length),
    "tuple": lambda items: tuple(value_of(item) for item in items),
    "type": lambda written: type_of(written),
}


def value_of(written: Any) -> Any:
    """The value that `value_json` wrote."""
    if not isinstance(written, dict):
        return written
    ((kind, content),) = written.items()
    if kind not in _VALUES:
        raise Invalid(f"a definition has a value of unknown kind {kind!r}.")
    return _VALUES[kind](content)


def type_json(dtype: pl.DataType) -> Any:
    """A Polars type as JSON: its name, or {name: parts} where it has parts.

    >>> type_json(pl.List(pl.Int64()))
    {'List': 'Int64'}
    """
    if isinstance(dtype, pl.List):
        return {"List": type_json(types.instance(dtype.inner))}
    if isinstance(dtype, pl.Array):
        return {"Array": [type_json(types.instance(dtype.inner)), dtype.size]}
    if isinstance(dtype, pl.Struct):
        return {"Struct": [[field.name, type_json(types.instance(field.dtype))] for field in dtype.fields]}
    if isinstance(dtype, pl.Decimal):
        return {"Decimal": [dtype.precision, dtype.scale]}
    if isinstance(dtype, pl.Enum):
        return {"Enum": dtype.categories.to_list()}
    for kind in _SIMPLE.values():
        if isinstance(dtype, kind):
            return kind.__name__
    return types.written(dtype)


_SIMPLE: dict[str, type[pl.DataType]] = {kind.__name__: kind for kind in (pl.Categorical, pl.Binary, pl.Time)}
_NESTED: dict[str, Callable[[Any], pl.DataType]] = {
    "List": lambda inner: pl.List(type_of(inner)),
    "Array": lambda parts: pl.Array(type_of(parts[0]), parts[1]),
    "Struct": lambda fields: pl.Struct([pl.Field(name, type_of(inner)) for name, inner in fields]),
    "Decimal": lambda parts: pl.Decimal(*parts),
    "Enum": pl.Enum,
}


def type_of(written: Any) -> pl.DataType:
    """The type that `type_json` wrote."""
    if isinstance(written, str):
        return _SIMPLE[written]() if written in _SIMPLE else types.read(written)
    ((kind, parts),) = written.items()
    if kind not in _NESTED:
        raise Invalid(f"a definition has a type of unknown kind {kind!r}.")
    return _NESTED[kind](parts)
