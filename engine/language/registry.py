"""The operators there are, by name. The only mutable module state besides the table of shared nodes.

A name with a dot (`dt.hour`) lives in a namespace of expressions: `expr.dt.hour()`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from ..errors import UnknownColumn, did_you_mean

if TYPE_CHECKING:
    from .fold import Fold
    from .map import Map

_OPERATORS: dict[str, Map | type[Fold]] = {}


def register(operator: Map | type[Fold]) -> None:
    """Make an operator known; a name is taken once."""
    if operator.name in _OPERATORS:
        raise RuntimeError(f"operator {operator.name!r} is registered twice")
    _OPERATORS[operator.name] = operator


def fold(cls: type[Fold]) -> type[Fold]:
    """Class decorator that registers a Fold."""
    register(cls)
    return cls


def operators() -> dict[str, Map | type[Fold]]:
    """All registered operators by name."""
    importlib.import_module(__package__.split(".")[0] + ".ops")
    return _OPERATORS


def operator(name: str) -> Map | type[Fold]:
    """The operator of that name, or `UnknownColumn` with the nearest one."""
    found = operators().get(name)
    if found is None:
        raise UnknownColumn(f"there is no operator {name!r}. {did_you_mean(name, operators())}")
    return found
