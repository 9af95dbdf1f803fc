"""Building expressions: every check of names, types and places happens here, where the user wrote the mistake."""

from __future__ import annotations

import inspect
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from ..errors import Invalid, WrongType
from . import dtype as types
from .expr import Expr, apply, shared
from .fold import Fold
from .map import Map
from .nodes import Apply, AskedAt, Feature, FoldOver, Literal, SourceColumn
from .plain import plain, plains, told
from .registry import operator
from .window import Sliding

if TYPE_CHECKING:
    from .source import SourceSpec

# What Polars raises for a value that a type has not.
_UNFIT = (TypeError, OverflowError, UnicodeEncodeError, pl.exceptions.PolarsError)


def map_over(name: str, args: tuple[object, ...], params: dict[str, Any]) -> Expr:
    """The expression of a Map on expressions and literals."""
    found = operator(name)
    if not isinstance(found, Map):
        raise Invalid(f"{name!r} is a fold; call it on the rows of a source.")
    return applied(found, args, params)


def applied(found: Map, args: tuple[object, ...], params: dict[str, Any]) -> Apply:
    """A Map on expressions and literals, its parameters complete."""
    own, params = _split(found, args, params)
    columns = tuple(literal(arg) for arg in own)
    bound = _bound(found, columns, params)
    _check_one_place(found.name, columns)
    dtype = found.returns(*(column.dtype for column in columns), **bound)
    return shared(Apply(found, columns, tuple(bound.items()), dtype))


def _split(found: Map, args: tuple[object, ...], params: dict[str, Any]) -> tuple[tuple[object, ...], dict[str, Any]]:
    """The columns among positional arguments; those after the last column are the operator's parameters, in order."""
    taken = len(found.columns)
    if any(column.kind is inspect.Parameter.VAR_POSITIONAL for column in found.columns):
        return args, params
    extra = dict(zip(found.params, args[taken:], strict=False))
    if len(args) - taken > len(extra) or set(extra) & set(params):
        raise WrongType(f"{found.name} takes {found.name}{inspect.signature(found.function)}.")
    return args[:taken], {**extra, **params}


def _bound(found: Map, columns: tuple[Expr, ...], params: dict[str, Any]) -> dict[str, Any]:
    signature = inspect.signature(found.function)
    try:
        given = signature.bind(*columns, **params)
    except TypeError as error:
        raise WrongType(f"{found.name}: {error}. It takes {found.name}{signature}.") from None
    given.apply_defaults()
    taken = _settled if found.built_in else _written_down
    return {name: taken(given.arguments[name]) for name in found.params}


def _settled(value: Any) -> Any:
    if isinstance(value, type) and issubclass(value, pl.DataType):
        return types.instance(value)
    if isinstance(value, Expr):
        raise WrongType(f"{value!r} is an expression where a plain value is needed.")
    several = plains(value)
    return plain(value) if several is None else several


def _written_down(value: Any) -> Any:
    """A parameter of a user's function, which takes arrays and series for what they are; a definition cannot."""
    return value if isinstance(value, np.ndarray) or hasattr(value, "to_list") else _settled(value)


def _check_one_place(name: str, columns: tuple[Expr, ...]) -> None:
    on_rows = [column for column in columns if column.rows is not None]
    asked = [column for column in columns if column.rows is None and not is_constant(column)]
    if on_rows and asked:
        raise Invalid(
            f"{name}: {on_rows[0]!r} lives on the rows of {on_rows[0].rows!r}, {asked[0]!r} at the time asked. "
            f"Fold the rows first, for example {on_rows[0]!r}.last()."
        )
    for other in on_rows[1:]:
        if other.rows is not on_rows[0].rows:
            raise Invalid(
                f"{name}: {on_rows[0]!r} and {other!r} live on rows of different sources. Fold each of them first."
            )
    filters = {column.where.identity for column in on_rows if column.where is not None}
    if len(filters) > 1:
        raise Invalid(f"{name}: the columns were filtered differently. Filter once, then combine.")


def is_constant(expr: Expr) -> bool:
    """True where nothing but literals is below."""
    return isinstance(expr, Literal) or (isinstance(expr, Apply) and all(is_constant(arg) for arg in expr.args))


def fold_over(found: type[Fold], folded: Expr, *args: Any, where: Expr | None = None, **params: Any) -> Expr:
    """The expression of a Fold over the rows `folded` lives on, for ever back until `over` says otherwise."""
    if folded.rows is None:
        raise Invalid(f"{folded!r} is one value at the time asked; {found.name}() folds the rows of a source.")
    fold = _made(found, args, params)
    kept = both(folded.where, where, folded.rows)
    arg = unfiltered(folded)
    return shared(FoldOver(fold, arg, folded.rows, kept, Sliding(None), types.settled(fold.result(arg.dtype))))


def rows_over(
    found: type[Fold], source: SourceSpec, kept: Expr | None, event_time: pl.DataType, where: Expr | None = None
) -> Expr:
    """The expression of a Fold over whole rows."""
    fold = found()
    return shared(FoldOver(fold, None, source, both(kept, where, source), Sliding(None), fold.result(event_time)))


def _made(found: type[Fold], args: tuple[Any, ...], params: dict[str, Any]) -> Fold:
    try:
        return found(*map(plain, args), **{name: plain(value) for name, value in params.items()})
    except TypeError as error:
        known = ", ".join(["where", *(field.name for field in fields(found))])
        raise WrongType(f"{found.name}: {str(error).partition(') ')[2] or error}. Parameters: {known}.") from None


def both(kept: Expr | None, where: Expr | None, source: SourceSpec) -> Expr | None:
    """The filter that keeps what both filters keep."""
    if where is None:
        return kept
    if not isinstance(where, Expr) or not isinstance(where.dtype, pl.Boolean):
        raise WrongType(
            f"a filter is a Boolean expression, got {told(where)}. Compare a column, as in {source.name}.x > 1."
        )
    if where.rows is not source:
        raise Invalid(f"the filter {where!r} does not live on the rows of {source.name!r}.")
    plain = unfiltered(where)
    return plain if kept is None or kept is plain else apply("and_", kept, plain)


def unfiltered(expr: Expr) -> Expr:
    """The same row expression read from all rows; the fold carries the filter instead."""
    if isinstance(expr, SourceColumn):
        return shared(SourceColumn(expr.source, expr.name, expr.dtype))
    if isinstance(expr, Apply):
        return shared(Apply(expr.operator, tuple(unfiltered(arg) for arg in expr.args), expr.params, expr.dtype))
    return expr


def literal(value: object) -> Expr:
    """The expression of a Python value; an expression stays itself."""
    if isinstance(value, Expr):
        return value
    value = plain(value)
    if isinstance(value, datetime):
        zoned = value if value.tzinfo else value.replace(tzinfo=UTC)
        return shared(Literal(zoned.astimezone(UTC), types.UTC))
    for kind, dtype in (
        (bool, pl.Boolean()),
        (int, pl.Int64()),
        (float, pl.Float64()),
        (str, pl.String()),
        (date, pl.Date()),
        (timedelta, pl.Duration("us")),
    ):
        if isinstance(value, kind):
            _refuse_unfit(value, dtype)
            return shared(Literal(value, dtype))
    if value is None:
        return shared(Literal(None, pl.Null()))
    raise WrongType(
        f"{told(value)} ({type(value).__name__}) cannot be part of an expression. Give a column, or one value."
    )


def _refuse_unfit(value: object, dtype: pl.DataType) -> None:
    try:
        pl.Series([value], dtype=dtype, strict=True)
    except _UNFIT:
        raise Invalid(
            f"{value!r} does not fit {dtype}, its type in an expression. Whole numbers are from -2**63 to 2**63 - 1, durations below "
            "292,000 years, and text has no lone surrogates."
        ) from None


def at() -> Expr:
    """The time asked at, a UTC Datetime: the spine's time in training, now online.

    >>> at()
    at()
    """
    return shared(AskedAt())


def feature(expr: Expr, *, default: Any = None, about: str = "") -> Any:
    """An expression with metadata of its own; `default` replaces a null, whatever its cause."""
    if not isinstance(expr, Expr):
        raise WrongType(f"nt.feature takes an expression, got {told(expr)}.")
    return Feature(expr, None if default is None else _default(expr, default), about)


def _default(expr: Expr, default: Any) -> Any:
    """A default that fits its expression; that of lists as a tuple."""
    listed, several = isinstance(expr.dtype, pl.List), plains(default)
    default = several if listed and several is not None else plain(default)
    try:
        if listed and not isinstance(default, list | tuple):
            raise TypeError("not a list")
        pl.Series(default if listed else [default], dtype=types.inner_of(expr.dtype), strict=True)
    except _UNFIT:
        raise WrongType(f"default={told(default)} does not fit {expr!r}, which is {expr.dtype}.") from None
    return tuple(default) if listed else default
