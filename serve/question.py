"""What is asked, checked once where it enters: keys, request fields and times as the engine takes them.

Plain Python values take the fast way; Polars comes in only for types that Python has no check for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from types import NoneType
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from ..engine.errors import Invalid, UnknownColumn, WrongType, did_you_mean
from ..engine.folds.column import Column, Index, physical
from ..engine.folds.online import Online
from ..engine.language.instant import instant
from ..engine.record import record
from .json_values import UNREAL

_LIMIT = 1_000_000  # questions in one call; more is bulk work


@dataclass(frozen=True, slots=True)
class Question:
    """n questions: the keys of each, its request fields and its time (microseconds UTC)."""

    keys: Mapping[str, list[Any]]
    request: Mapping[str, Column]
    at: Index


@record
class Form:
    """What a service is asked with: its key columns and request fields, with their types."""

    service: str
    keys: Mapping[str, pl.DataType]
    fields: Mapping[str, pl.DataType]

    @staticmethod
    def of(service: str, online: Online) -> Form:
        """The form of features made ready for serving."""
        return Form(service, online.keys, online.request)

    def ask(
        self, keys: Mapping[str, Any], request: Mapping[str, Any] | None, at: Any, now: Callable[[], int]
    ) -> Question:
        """The question, or what is wrong with it. Scalars stand for every row; `at=None` is the clock's time."""
        given, fields = _mapping(keys, "keys"), _mapping(request or {}, "request")
        self._check_names(given, self.keys, "key")
        self._check_names(fields, self.fields, "request field")
        n = _length([*given.items(), *fields.items(), ("at", _times(at))])
        if n > _LIMIT:
            raise Invalid(
                f"service {self.service!r}: {n:,} questions in one call; at most {_LIMIT:,} are allowed. For bulk work make a training set."
            )
        return Question(
            {name: _typed(_spread(given[name], n), dtype, f"key {name!r}") for name, dtype in self.keys.items()},
            {
                name: _column(_spread(fields[name], n), dtype, f"request field {name!r}")
                for name, dtype in self.fields.items()
            },
            _instants(_times(at), n, now),
        )

    def _check_names(self, given: Mapping[str, Any], wanted: Mapping[str, pl.DataType], what: str) -> None:
        if given.keys() == wanted.keys():
            return
        for name in given:
            if name not in wanted:
                raise UnknownColumn(f"service {self.service!r} has no {what} {name!r}. {did_you_mean(name, wanted)}")
        missing = [name for name in wanted if name not in given]
        raise Invalid(f"service {self.service!r}: {what} {missing[0]!r} is missing. It needs {_described(wanted)}.")


def _described(wanted: Mapping[str, pl.DataType]) -> str:
    return ", ".join(f"{name}: {dtype}" for name, dtype in wanted.items())


def _mapping(given: Any, what: str) -> dict[str, Any]:
    """Values by name; each is a list, or a scalar."""
    if not isinstance(given, Mapping):
        raise WrongType(f"{what} are {type(given).__name__}; give a mapping such as {{'customer_id': [1, 2]}}.")
    return {name: _listed(value) for name, value in given.items()}


def _listed(value: Any) -> Any:
    if type(value) in (list, int, str, float):
        return value
    if isinstance(value, pl.Series):
        return value.to_list()
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, np.ndarray):
        return value.tolist() if value.dtype.kind not in "mM" else pl.Series(value).to_list()
    return value.item() if isinstance(value, np.generic) else value


def _times(at: Any) -> Any:
    return None if at is None else _listed(at)


def _length(given: Iterable[tuple[str, Any]]) -> int:
    """The one length of all lists; 1 where there are only scalars."""
    lengths = {name: len(value) for name, value in given if isinstance(value, list)}
    if len(set(lengths.values())) > 1:
        raise Invalid(
            f"lists of unequal length: {', '.join(f'{name} {n}' for name, n in lengths.items())}. Give lists of equal length, or scalars."
        )
    return next(iter(lengths.values()), 1)


def _spread(value: Any, n: int) -> list[Any]:
    return value if isinstance(value, list) else [value] * n


def _instants(at: Any, n: int, now: Callable[[], int]) -> Index:
    if at is None:
        return np.full(n, now(), dtype=np.int64)
    if isinstance(at, list):
        return np.array([instant(one, f"at[{row}]") for row, one in enumerate(at)], dtype=np.int64)
    return np.full(n, instant(at, "at"), dtype=np.int64)


class _Traits(NamedTuple):
    """How values of a Polars type are checked in Python: their type (None: Polars does it), limits, and the array they make."""

    kind: type | None
    low: int
    high: int
    filler: Any
    array: np.dtype[Any]


@lru_cache(64)
def _traits(dtype: pl.DataType) -> _Traits:
    """Looked up once a type: asking Polars about one takes as long as checking a row."""
    array = physical(dtype)
    if dtype.is_integer():
        limits = np.iinfo(array)
        return _Traits(int, int(limits.min), int(limits.max), 0, array)
    if dtype.is_float():
        return _Traits(float, 0, 0, 0.0, array)
    if isinstance(dtype, pl.String):
        return _Traits(str, 0, 0, "", array)
    return _Traits(bool if isinstance(dtype, pl.Boolean) else None, 0, 0, False, array)


def _typed(values: list[Any], dtype: pl.DataType, what: str) -> list[Any]:
    """The values as Python values of the type, None where null."""
    traits = _traits(dtype)
    kinds = set(map(type, values))
    if traits.kind is None:
        return _series(values, dtype, what).to_list()
    if traits.kind is float:
        return values if kinds <= {float, int, NoneType} else _reals(values, dtype, what)
    if kinds != {traits.kind}:
        values = _unwrapped(values, (traits.kind,), dtype, what)
    if traits.kind is int:
        return _in_range(values, traits, dtype, what)
    return values if traits.kind is bool else _texts(values, what)


def _reals(values: list[Any], dtype: pl.DataType, what: str) -> list[Any]:
    """Numbers, of which those that JSON has no number for may be words."""
    return _unwrapped([UNREAL.get(one, one) if type(one) is str else one for one in values], (float, int), dtype, what)


def _in_range(values: list[Any], traits: _Traits, dtype: pl.DataType, what: str) -> list[Any]:
    present = values if None not in values else [value for value in values if value is not None]
    if present and not (traits.low <= min(present) and max(present) <= traits.high):
        row = next(row for row, one in enumerate(values) if one is not None and not traits.low <= one <= traits.high)
        raise WrongType(f"{what}, row {row}: {values[row]} does not fit {dtype}.")
    return values


def _column(values: list[Any], dtype: pl.DataType, what: str) -> Column:
    """The values as a column of the type."""
    traits = _traits(dtype)
    if traits.kind is None:
        return Column.from_series(_series(values, dtype, what))
    values = _typed(values, dtype, what)
    nulls = None in values
    full = [traits.filler if value is None else value for value in values] if nulls else values
    try:
        made = np.array(full, dtype=traits.array)
    except (OverflowError, ValueError, TypeError) as error:
        raise WrongType(f"{what} does not fit {dtype}: {error}.") from None
    return Column(dtype, made, np.array([value is not None for value in values]) if nulls else None)


def _unwrapped(values: list[Any], kinds: tuple[type, ...], dtype: pl.DataType, what: str) -> list[Any]:
    """The values out of numpy's scalars; the first of a wrong type is named."""
    plain = [value.item() if isinstance(value, np.generic) else value for value in values]
    for row, value in enumerate(plain):
        if value is not None and type(value) not in kinds:
            raise WrongType(f"{what} is {dtype}; row {row} holds {ascii(value)[:80]} ({type(value).__name__}).")
    return plain


def _texts(values: list[Any], what: str) -> list[Any]:
    try:
        "".join(value for value in values if value is not None).encode()
    except UnicodeEncodeError:
        raise Invalid(f"{what} holds a lone surrogate, which is not valid text.") from None
    return values


def _series(values: list[Any], dtype: pl.DataType, what: str) -> pl.Series:
    """Times and what else Python has no check for, by Polars; text is read as ISO."""
    try:
        return pl.Series([_read(value, dtype) for value in values], dtype=dtype, strict=True)
    except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError) as error:
        raise WrongType(f"{what} does not fit {dtype}: {ascii(str(error).splitlines()[0])[:200]}") from None


def _read(value: Any, dtype: pl.DataType) -> Any:
    if not isinstance(value, str):
        if isinstance(dtype, pl.Date) and isinstance(value, datetime):
            raise ValueError(f"{value!r} is a time, not a day")
        return value
    return date.fromisoformat(value) if isinstance(dtype, pl.Date) else datetime.fromisoformat(value)
