"""A Map: one function of columns, the same for a million training rows and for one row being served.

Positional parameters of the function are columns; keyword-only ones are parameters of the operator and part of its hash.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from typing import Any, ClassVar

import numpy as np
import polars as pl

from ..folds.column import Array, Column, Mask, physical
from ..record import record
from .registry import operator, register

Returns = Callable[..., pl.DataType]


@record
class Map:
    """An operator on rows: name, version, the function and the rule for its type.

    `returns(*dtypes, **params)` gives the result's type or raises `WrongType`; `run(columns, params, dtype)` computes it.
    """

    name: str
    version: int | str
    function: Callable[..., Any]
    returns: Returns
    run: Callable[[list[Column], Mapping[str, Any], pl.DataType], Column] = field(repr=False)
    built_in: ClassVar[bool] = True  # one of ours, which may be run at any time; not the user's own

    def __reduce__(self) -> tuple[Any, ...]:
        """Operators travel by name; every process has its own registry."""
        return operator, (self.name,)

    def content(self, params: Sequence[tuple[str, Any]]) -> list[Any]:
        """What of it, applied with these parameters, changes values; as JSON."""
        return ["map", self.name, self.version, [[name, str(value)] for name, value in params]]

    def call(self, args: Sequence[str], params: Sequence[tuple[str, Any]]) -> str:
        """The text of it applied to arguments: `tx.amount.round(decimals=2)`."""
        extra = [*args[1:], *(f"{name}={value!r}" for name, value in params)]
        return f"{args[0]}.{self.name}({', '.join(extra)})"

    def written(self) -> dict[str, Any]:
        """How a definition names it."""
        return {"node": "map", "operator": self.name, "version": self.version}

    def load(self) -> None:
        """See that its body is at hand. Those of the registry always are."""

    @property
    def params(self) -> dict[str, inspect.Parameter]:
        """The operator's own parameters, in order, without the columns."""
        every = inspect.signature(self.function).parameters
        return {name: p for name, p in every.items() if p.kind is inspect.Parameter.KEYWORD_ONLY}

    @property
    def columns(self) -> list[inspect.Parameter]:
        """The parameters that are columns; one of kind VAR_POSITIONAL takes any number."""
        return [
            p
            for p in inspect.signature(self.function).parameters.values()
            if p.kind is not inspect.Parameter.KEYWORD_ONLY
        ]


def map_of_values(
    *, name: str, returns: Returns, version: int = 1
) -> Callable[[Callable[..., Array]], Callable[..., Array]]:
    """Register a function of numpy arrays as a Map; a null in any column gives null, the function never sees one."""

    def decorate(function: Callable[..., Array]) -> Callable[..., Array]:
        def run(columns: list[Column], params: Mapping[str, Any], dtype: pl.DataType) -> Column:
            with np.errstate(all="ignore"):
                values = function(*(column.values for column in columns), **params)
            return Column(dtype, values.astype(physical(dtype), copy=False), _all_valid(columns))

        register(Map(name, version, function, returns, run))
        return function

    return decorate


def map_of_columns(
    *, name: str, returns: Returns, version: int = 1
) -> Callable[[Callable[..., Column]], Callable[..., Column]]:
    """Register a function of `Column`s as a Map that decides itself what nulls mean."""

    def decorate(function: Callable[..., Column]) -> Callable[..., Column]:
        def run(columns: list[Column], params: Mapping[str, Any], dtype: pl.DataType) -> Column:
            with np.errstate(all="ignore"):
                made = function(*columns, **params)
            return Column(dtype, made.values.astype(physical(dtype), copy=False), made.valid)

        register(Map(name, version, function, returns, run))
        return function

    return decorate


def _all_valid(columns: list[Column]) -> Mask | None:
    masks = [column.valid for column in columns if column.valid is not None]
    return np.logical_and.reduce(masks) if masks else None
