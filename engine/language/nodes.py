"""The kinds of expression there are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

import polars as pl

from . import dtype as types
from .duration import Duration
from .expr import SYMBOLS, Expr, digest, shared
from .fold import Fold
from .map import Map
from .window import Sliding, Window, window

if TYPE_CHECKING:
    from .source import SourceSpec
    from .view import ViewSpec


@dataclass(frozen=True, eq=False, repr=False)
class Literal(Expr):
    """A constant."""

    value: Any
    dtype: pl.DataType

    def content(self) -> list[Any]:
        """Value and type."""
        return ["literal", str(self.dtype), repr(self.value) if isinstance(self.value, float) else str(self.value)]

    def __repr__(self) -> str:
        return repr(self.value)


@dataclass(frozen=True, eq=False, repr=False)
class SourceColumn(Expr):
    """A column of a source's rows, possibly of its filtered rows."""

    source: SourceSpec
    name: str
    dtype: pl.DataType
    kept: Expr | None = None

    def content(self) -> list[Any]:
        """Source and column name, and type."""
        return [
            "column",
            self.source.name,
            self.name,
            str(self.dtype),
            self.kept.key if self.kept is not None else None,
        ]

    @cached_property
    def rows(self) -> SourceSpec | None:
        """Its source."""
        return self.source

    @cached_property
    def where(self) -> Expr | None:
        """The filter it was read through."""
        return self.kept

    def __repr__(self) -> str:
        return f"{self.source.name}.{self.name}"


@dataclass(frozen=True, eq=False, repr=False)
class RequestField(Expr):
    """A value that comes with the question: a spine column in training, a request field online."""

    name: str
    dtype: pl.DataType

    def content(self) -> list[Any]:
        """Name and type."""
        return ["request", self.name, str(self.dtype)]

    def __repr__(self) -> str:
        return f"request.{self.name}"


@dataclass(frozen=True, eq=False, repr=False)
class AskedAt(Expr):
    """The time asked at."""

    dtype: pl.DataType = types.UTC

    def content(self) -> list[Any]:
        """Nothing but its kind."""
        return ["at"]

    def __repr__(self) -> str:
        return "at()"


@dataclass(frozen=True, eq=False, repr=False)
class Apply(Expr):
    """A Map applied to columns."""

    operator: Map
    args: tuple[Expr, ...]
    params: tuple[tuple[str, Any], ...]
    dtype: pl.DataType

    @property
    def children(self) -> tuple[Expr, ...]:
        """Its arguments."""
        return self.args

    def content(self) -> list[Any]:
        """Operator, its version and parameters."""
        return self.operator.content(self.params)

    @property
    def function(self) -> str:
        """Its operator, if that is one."""
        return "" if self.operator.built_in else self.operator.name

    @cached_property
    def rows(self) -> SourceSpec | None:
        """The one source of its arguments."""
        return next((arg.rows for arg in self.args if arg.rows is not None), None)

    @cached_property
    def where(self) -> Expr | None:
        """The one filter of its arguments."""
        return next((arg.where for arg in self.args if arg.where is not None), None)

    def __repr__(self) -> str:
        symbol = SYMBOLS.get(self.operator.name.rstrip("_"))
        if symbol and len(self.args) == 2:
            return f"({self.args[0]!r} {symbol} {self.args[1]!r})"
        return self.operator.call([repr(arg) for arg in self.args], self.params)


@dataclass(frozen=True, eq=False, repr=False)
class FoldOver(Expr):
    """A Fold over the past of a source's rows, seen through a window."""

    fold: Fold
    arg: Expr | None
    source: SourceSpec
    kept: Expr | None
    window: Window
    dtype: pl.DataType

    @property
    def children(self) -> tuple[Expr, ...]:
        """What is folded, and the filter."""
        return tuple(child for child in (self.arg, self.kept) if child is not None)

    def content(self) -> list[Any]:
        """Source, fold with version and parameters, window; which children there are."""
        params = {field.name: getattr(self.fold, field.name) for field in fields(self.fold)}
        present = [self.arg is not None, self.kept is not None]
        return [
            "fold",
            self.source.name,
            self.source.meaning(),
            self.fold.name,
            self.fold.version,
            params,
            repr(self.window),
            present,
        ]

    def over(self, width: Duration | Window, *, delay: Duration = "0s", closed: str = "right") -> Expr:
        """The same fold through another window: a duration, "forever", `nt.tumbling(...)` or `nt.hopping(...)`.

        `delay` moves the window's end that far before the time asked; `closed="left"` leaves the time asked itself out.
        """
        if isinstance(width, str) and not width[:1].isdigit() and width != "forever":
            super().over(width)
        return shared(FoldOver(self.fold, self.arg, self.source, self.kept, window(width, delay, closed), self.dtype))

    def __repr__(self) -> str:
        params = ", ".join(f"{field.name}={getattr(self.fold, field.name)!r}" for field in fields(self.fold))
        folded = repr(self.arg) if self.arg is not None else self.source.name
        kept = f".filter({self.kept!r})" if self.kept is not None else ""
        text = f"{folded}{kept}.{self.fold.name}({params})"
        return text if self.window == Sliding(None) else f"{text}.over({self.window})"


@dataclass(frozen=True, eq=False, repr=False)
class Feature(Expr):
    """An expression with a default for null, and words about it."""

    expr: Expr
    default: Any = None
    about: str = ""

    @property
    def dtype(self) -> pl.DataType:  # type: ignore[override]
        """The expression's type."""
        return self.expr.dtype

    @property
    def children(self) -> tuple[Expr, ...]:
        """The expression."""
        return (self.expr,)

    def content(self) -> list[Any]:
        """The default."""
        return ["feature", repr(self.default)]

    def __repr__(self) -> str:
        return repr(self.expr) if self.default is None else f"feature({self.expr!r}, default={self.default!r})"


@dataclass(frozen=True, eq=False, repr=False)
class Reference(Expr):
    """A feature of a view, read by its name: `CustomerSpend.amount_mean_30d`."""

    view: ViewSpec
    name: str

    @property
    def feature(self) -> Feature:
        """The feature meant."""
        return self.view.features[self.name]

    @property
    def dtype(self) -> pl.DataType:  # type: ignore[override]
        """The feature's type."""
        return self.feature.dtype

    def content(self) -> list[Any]:
        """The version of the feature."""
        return ["reference", self.view.version(self.name)]

    @cached_property
    def functions(self) -> frozenset[str]:
        """Those of the feature."""
        return self.feature.functions

    @cached_property
    def identity(self) -> str:
        """That of the feature tells which functions it finds."""
        return digest([self.key, self.feature.identity]) if self.functions else self.key

    def __repr__(self) -> str:
        return f"{self.view.name}:{self.name}"


@dataclass(frozen=True, eq=False, repr=False)
class Slot(Expr):
    """A column that a plan has computed already. Only lowering makes these."""

    name: str
    dtype: pl.DataType

    def content(self) -> list[Any]:
        """Its name."""
        return ["slot", self.name]

    def __repr__(self) -> str:
        return self.name


def walk(expr: Expr) -> Iterator[Expr]:
    """The node and all below it, references included, each once."""
    seen: set[int] = set()
    stack = [expr]
    while stack:
        node = stack.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        yield node
        stack.extend((node.feature,) if isinstance(node, Reference) else node.children)


def load(exprs: Iterable[Expr]) -> None:
    """See that whatever expressions apply is at hand, before anything runs: functions of the user may have to be imported."""
    for expr in exprs:
        for node in walk(expr):
            if isinstance(node, Apply):
                node.operator.load()


def columns_of(expr: Expr) -> list[str]:
    """The source columns an expression is computed from, as `source.column`, sorted."""
    return sorted({f"{node.source.name}.{node.name}" for node in walk(expr) if isinstance(node, SourceColumn)})
