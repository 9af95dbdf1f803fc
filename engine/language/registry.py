"""The operators there are, by name. The only mutable module state besides the table of shared nodes.

A name with a dot (`dt.hour`) lives in a namespace of expressions: `expr.dt.hour()`. The file of an operator is loaded when it is first
looked up, as `ops/homes.py` says where it is: all files take 8 ms, and most programs need a few of them (2026-11).
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING

from ..errors import UnknownColumn, did_you_mean

if TYPE_CHECKING:
    from .fold import Fold
    from .map import Map

OPS = __package__.partition(".")[0] + ".ops"  # the folder of their files
_REGISTERED: dict[str, Map | type[Fold]] = {}


def register(operator: Map | type[Fold]) -> None:
    """Make an operator known; a name is taken once."""
    if operator.name in _REGISTERED:
        raise RuntimeError(f"operator {operator.name!r} is registered twice")
    _REGISTERED[operator.name] = operator


def fold(cls: type[Fold]) -> type[Fold]:
    """Class decorator that registers a Fold."""
    register(cls)
    return cls


class _Operators(Mapping[str, "Map | type[Fold]"]):
    """Those that are registered, and those that their files register once they are loaded."""

    def __getitem__(self, name: str) -> Map | type[Fold]:
        if name in _homes():
            importlib.import_module(f"{OPS}.{_homes()[name]}")  # waits where another thread is loading it
        return _REGISTERED[name]

    def __contains__(self, name: object) -> bool:
        return name in _REGISTERED or name in _homes()

    def __iter__(self) -> Iterator[str]:
        return iter(_homes() | _REGISTERED)

    def __len__(self) -> int:
        return len(_homes() | _REGISTERED)


_OPERATORS = _Operators()


@cache
def _homes() -> dict[str, str]:
    homes: dict[str, str] = importlib.import_module(f"{OPS}.homes").HOMES
    return homes


def operators() -> Mapping[str, Map | type[Fold]]:
    """All operators by name; looking one up loads it."""
    return _OPERATORS


def registered() -> Mapping[str, Map | type[Fold]]:
    """Those whose files are loaded."""
    return _REGISTERED


def operator(name: str) -> Map | type[Fold]:
    """The operator of that name, or `UnknownColumn` with the nearest one."""
    found = operators().get(name)
    if found is None:
        raise UnknownColumn(f"there is no operator {name!r}. {did_you_mean(name, operators())}")
    return found
