"""Values as JSON has them, both ways. NaN and infinities are strings, times ISO text, durations microseconds."""

from __future__ import annotations

import json
import math
import os
from datetime import date, datetime
from typing import Any, NoReturn

import polars as pl

from ..engine.errors import Invalid
from ..engine.language.dtype import inner_of

UNREAL = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def plain(values: pl.Series) -> list[Any]:
    """The values of a series as JSON has them."""
    if values.dtype.is_float():
        return [value if value is None or math.isfinite(value) else unreal(value) for value in values.to_list()]
    if isinstance(values.dtype, pl.List):
        return [None if entries is None else plain(entries) for entries in values]
    if isinstance(values.dtype, pl.Duration):
        return values.to_physical().to_list()
    if values.dtype.is_temporal():
        return [None if value is None else value.isoformat() for value in values.to_list()]
    return values.to_list()


def real(values: list[Any], dtype: pl.DataType) -> pl.Series:
    """The series that `plain` wrote."""
    if dtype.is_float():
        return pl.Series([UNREAL[value] if isinstance(value, str) else value for value in values], dtype=dtype)
    if isinstance(dtype, pl.Date):
        return pl.Series([None if value is None else date.fromisoformat(value) for value in values], dtype=dtype)
    if isinstance(dtype, pl.Datetime):
        return pl.Series([None if value is None else datetime.fromisoformat(value) for value in values], dtype=dtype)
    if isinstance(dtype, pl.List):
        inner = inner_of(dtype)
        return pl.Series([None if entries is None else real(entries, inner) for entries in values], dtype=dtype)
    return pl.Series(values, dtype=dtype)


def unreal(value: float) -> str:
    """The word for a float that JSON has no number for.

    >>> unreal(float("-inf"))
    '-Infinity'
    """
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def argument(text: str, what: str) -> dict[str, Any]:
    """A JSON object from the command line; `what` names it in errors."""
    return parsed(os.fsencode(text), what)


def parsed(body: bytes, what: str = "the body") -> dict[str, Any]:
    """A JSON object, strictly: no NaN literal, no key twice, no broken text; anything else is `Invalid`.

    >>> parsed(b'{"a": 1, "a": 2}')
    Traceback (most recent call last):
    nowthen.engine.errors.Invalid: the body holds the key 'a' twice.
    """
    try:
        found = json.loads(body.decode("utf-8"), object_pairs_hook=_once, parse_constant=_refused, parse_float=_finite)
        json.dumps(found, ensure_ascii=False).encode("utf-8")  # a lone surrogate ("\ud800") is no text
    except (UnicodeError, json.JSONDecodeError, RecursionError) as error:
        said = f"{what} is not valid JSON: {type(error).__name__} {str(error)[:200]}"
        raise Invalid(said.encode("ascii", "replace").decode()) from None
    except ValueError as error:
        raise Invalid(f"{what} {error}") from None
    if not isinstance(found, dict):
        raise Invalid(f'{what} is not a JSON object. Write {{"name": value}}.')
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise Invalid(f"holds the key {next(name for name in names if names.count(name) > 1)!a} twice.")
    return found


def _finite(word: str) -> float:
    value = float(word)
    return value if math.isfinite(value) else _refused(word)


def _refused(word: str) -> NoReturn:
    raise Invalid(
        f'holds {word[:40]}, which is not a number in JSON. Write infinities and NaN as strings: "Infinity", "NaN".'
    )
