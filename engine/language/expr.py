"""Expressions: small frozen nodes, one object per meaning, each with its type and a content hash.

An expression lives on the rows of one source, or at the time asked (`rows` is None). Literals live anywhere. Equal nodes are one
object, so equality is identity and shared parts are computed once.
"""

from __future__ import annotations

import hashlib
import json
import weakref
from collections.abc import Callable
from dataclasses import fields
from datetime import date, timedelta
from functools import cached_property
from types import FunctionType
from typing import TYPE_CHECKING, Any, TypeVar

import polars as pl

from ..errors import Invalid, UnknownColumn, WrongType, did_you_mean
from .duration import Duration
from .fold import Fold
from .map import Map
from .methods import Methods
from .registry import operators
from .window import Hopping, Sliding, Window

if TYPE_CHECKING:
    from .source import SourceSpec

_SHARED: weakref.WeakValueDictionary[tuple[Any, ...], Expr] = weakref.WeakValueDictionary()
Node = TypeVar("Node", bound="Expr")


def shared(node: Node) -> Node:
    """The one object that stands for nodes equal to this one."""
    parts = tuple(_identity(getattr(node, field.name)) for field in fields(node))  # type: ignore[arg-type]
    return _SHARED.setdefault((type(node), *parts), node)  # type: ignore[return-value]


def _identity(part: object) -> object:
    if isinstance(part, tuple):
        return tuple(_identity(item) for item in part)
    plain = part is None or isinstance(
        part, str | int | bool | date | timedelta | pl.DataType | Fold | Sliding | Hopping
    )
    return (type(part), part) if plain else (type(part), repr(part)) if isinstance(part, float) else id(part)


class Expr(Methods):
    """A typed expression. Build them from sources, requests and views; operators and methods give new ones."""

    dtype: pl.DataType
    __array_ufunc__ = None  # numpy leaves arithmetic with its values to us, instead of doing it entry by entry

    # -- what every node tells ------------------------------------------------------------------------------------------
    @property
    def children(self) -> tuple[Expr, ...]:
        """The expressions this one is computed from."""
        return ()

    def content(self) -> list[Any]:
        """What of this node alone changes its value, as JSON; children are added by `key`."""
        raise NotImplementedError

    @cached_property
    def key(self) -> str:
        """Content hash: equal for equal values, in every process and on every machine."""
        return digest([self.content(), [child.key for child in self.children]])

    @cached_property
    def functions(self) -> frozenset[str]:
        """The paths of the user's functions in it."""
        own = frozenset([self.function] if self.function else [])
        return own.union(*(child.functions for child in self.children))

    @property
    def function(self) -> str:
        """The path of the user's function that it calls itself; "" for none."""
        return ""

    @cached_property
    def identity(self) -> str:
        """Equal for what is equal in this process: the hash says nothing of what functions of equal source find around them."""
        if not self.functions:
            return self.key
        return digest([self.key, self.function, [child.identity for child in self.children]])

    @cached_property
    def rows(self) -> SourceSpec | None:
        """The source on whose rows this lives, or None at the time asked."""
        return None

    @cached_property
    def where(self) -> Expr | None:
        """The filter of the rows this lives on."""
        return None

    # -- building -------------------------------------------------------------------------------------------------------
    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if any(known.startswith(name + ".") for known in operators()):
            return Namespace(self, name)
        return _Method(self, _named(name))

    def __dir__(self) -> list[str]:
        return sorted({name.partition(".")[0] for name in operators()} | set(super().__dir__()))

    def over(self, width: Duration | Window, *, delay: Duration = "0s", closed: str = "right") -> Expr:
        """Refused here: only a fold has a window."""
        if isinstance(width, str) and not width[:1].isdigit() and width != "forever":
            raise Invalid(
                f"over({width!r}): over() takes a duration like '7d', 'forever', nt.tumbling(...) or nt.hopping(...). "
                "To fold the rows of one category pass the fold a filter, as in where=source.kind == 'a'."
            )
        raise Invalid(f"{self!r} is not a fold, so it has no window. Fold it first: {self!r}.mean().over({width!r}).")

    def __bool__(self) -> bool:
        raise WrongType(
            f"{self!r} is an expression; it has no truth value. Combine with & | ~, choose with nt.when(...)."
        )

    __hash__ = object.__hash__

    def __eq__(self, other: object) -> Expr:  # type: ignore[override]
        return apply("eq", self, other)

    def __ne__(self, other: object) -> Expr:  # type: ignore[override]
        return apply("ne", self, other)

    # -- looking --------------------------------------------------------------------------------------------------------
    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def _repr_html_(self) -> str:
        from html import escape  # loaded where a notebook shows something

        from .nodes import columns_of

        columns = ", ".join(columns_of(self)) or "no column"
        return (
            f"<div><code>{escape(repr(self))}</code><br><small>{escape(str(self.dtype))} &middot; from "
            f"{escape(columns)} &middot; version <code>{self.key[:12]}</code></small></div>"
        )


def _python_operator(name: str, *, swapped: bool) -> Callable[[Expr, object], Expr]:
    def forward(self: Expr, other: object) -> Expr:
        return apply(name, self, other)

    def backward(self: Expr, other: object) -> Expr:
        return apply(name, other, self)

    return backward if swapped else forward


# Python's own operators, and the name under which ops/ registers each.
SYMBOLS = {
    "add": "+", "sub": "-", "mul": "*", "truediv": "/", "floordiv": "//", "mod": "%", "pow": "**", "and": "&", "or": "|", "xor": "^",
    "lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!=",
}  # fmt: skip
_KEYWORDS = {"and": "and_", "or": "or_"}

for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "and", "or", "xor"):
    setattr(Expr, f"__{_name}__", _python_operator(_KEYWORDS.get(_name, _name), swapped=False))
    setattr(Expr, f"__r{_name}__", _python_operator(_KEYWORDS.get(_name, _name), swapped=True))
for _name in ("lt", "le", "gt", "ge"):
    setattr(Expr, f"__{_name}__", _python_operator(_name, swapped=False))
for _name, _registered in (("neg", "neg"), ("invert", "not_"), ("abs", "abs")):
    setattr(Expr, f"__{_name}__", lambda self, _registered=_registered: apply(_registered, self))


def apply(name: str, *args: object, **params: Any) -> Expr:
    """The expression of a Map on expressions and plain values, checked here and now."""
    from .build import map_over

    return map_over(name, args, params)


class Namespace:
    """The operators of one namespace, as in `expr.dt.hour()`."""

    def __init__(self, expr: Expr, name: str) -> None:
        self._expr, self._name = expr, name

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return _Method(self._expr, _named(f"{self._name}.{name}"))

    def __dir__(self) -> list[str]:
        return [known.partition(".")[2] for known in operators() if known.startswith(self._name + ".")]


class _Method:
    """An operator bound to the expression it was looked up on."""

    def __init__(self, expr: Expr, found: Map | type[Fold]) -> None:
        self._expr, self._found = expr, found
        self.__doc__ = (found.function if isinstance(found, Map) else found).__doc__
        self.__name__ = found.name

    def __call__(self, *args: Any, **params: Any) -> Expr:
        if isinstance(self._found, Map):
            return apply(self._found.name, self._expr, *args, **params)
        from .build import fold_over

        return fold_over(self._found, self._expr, *args, **params)

    def __repr__(self) -> str:
        return f"<operator {self._found.name} on {self._expr!r}>"


def is_uncalled(value: object) -> bool:
    """True for an operator that was looked up but not called, as in `tx.amount.mean`, and for any other function."""
    return isinstance(value, _Method | Namespace | FunctionType)


def _named(name: str) -> Map | type[Fold]:
    found = operators().get(name)
    if found is None:
        raise UnknownColumn(f"an expression has no operator {name!r}. {did_you_mean(name, operators())}")
    return found


def digest(content: Any) -> str:
    """blake2b of canonical JSON, 32 hex digits."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
