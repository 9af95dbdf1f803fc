"""Records: the values that NowThen's own code hands around. They are dataclasses that are quick to define.

`dataclass(frozen=True)` has Python write and compile six functions for a class, 0.25 ms, and a first run loads a hundred classes
(Python 3.11, 2026-11). Of a record only `__init__` is compiled, 0.06 ms; comparing, hashing and showing are the same code for all. Whoever
assigns to a field is stopped by the type checker, not when the program runs, so what users hold is a frozen dataclass instead.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from operator import attrgetter
from reprlib import recursive_repr
from typing import Any, TypeVar, dataclass_transform, overload

T = TypeVar("T")


@overload
def record(cls: type[T], /) -> type[T]: ...


@overload
def record(*, eq: bool) -> Callable[[type[T]], type[T]]: ...


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(cls: type[T] | None = None, /, *, eq: bool = True) -> Any:
    """Class decorator: a dataclass that nobody changes, compared by its fields or, with `eq=False`, by identity."""
    if cls is None:
        return lambda undecorated: _made(undecorated, eq)
    return _made(cls, eq)


def _made(cls: type[Any], eq: bool) -> type[Any]:
    own = set(vars(cls))
    dataclass(repr=False, eq=False)(cls)
    for name, function in ({"__repr__": _shown} | (_compared(cls) if eq else {})).items():
        if name not in own:
            setattr(cls, name, function)
    return cls


@recursive_repr()
def _shown(self: Any) -> str:
    parts = (f"{one.name}={getattr(self, one.name)!r}" for one in fields(self) if one.repr)
    return f"{type(self).__qualname__}({', '.join(parts)})"


def _compared(cls: type[Any]) -> dict[str, Callable[..., Any]]:
    """Equality and hash by the fields of a class."""
    names = [one.name for one in fields(cls) if one.compare]
    parts = _tuple_of(names)

    def equal(self: Any, other: object) -> Any:
        return parts(self) == parts(other) if other.__class__ is self.__class__ else NotImplemented

    return {"__eq__": equal, "__hash__": lambda self: hash(parts(self))}


def _tuple_of(names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    if len(names) > 1:
        return attrgetter(*names)
    return lambda one: tuple(getattr(one, name) for name in names)
