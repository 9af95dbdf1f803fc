"""Rewritings: for a node a plainer one of the same type that is equal to it bit for bit, nulls included, whatever its arguments hold.

Each looks at one node whose arguments are plain already, and gives back a part of it or a literal, so one pass from the leaves up is all
there is to do; None where it has nothing to say. The operators meant are those behind Python's own signs, and `cast` and `when`.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import polars as pl

from ..errors import NowThenError
from ..folds.column import Column
from ..language.expr import Expr, shared
from ..language.nodes import Apply, Literal

Rewriting = Callable[[Apply], Expr | None]


def constant(node: Apply) -> Expr | None:
    """What reads nothing is the literal that the operator's own body computes: `2 * 3` is 6. Times stay: Python's do not reach as far."""
    if not all(isinstance(arg, Literal) for arg in node.args) or not node.args or node.dtype.is_temporal():
        return None
    if not node.operator.built_in:  # of the user's functions we know that they are run for rows, and no more
        return None
    try:
        columns = [Column.filled(1, arg.value, arg.dtype) for arg in node.args if isinstance(arg, Literal)]
        made = node.operator.run(columns, dict(node.params), node.dtype)
    except NowThenError:
        return None  # what cannot be computed is refused where rows are asked for it, and nowhere else
    value = made.to_series()[0]
    return shared(Literal(value, node.dtype)) if _alike(made, Column.filled(1, value, node.dtype)) else None


def truth(node: Apply) -> Expr | None:
    """`x & True` and `x | False` are x, `x & False` is False and `x | True` True even where x is null; `x & x` and `x | x` are x."""
    if node.operator.name not in ("and_", "or_"):
        return None
    neutral = node.operator.name == "and_"
    for one, other in (node.args, reversed(node.args)):
        if _is_literal(other, not neutral):
            return other
        if (_is_literal(other, neutral) or one is other) and isinstance(one.dtype, pl.Boolean):
            return one
    return None


def twice(node: Apply) -> Expr | None:
    """`~~x` and `-(-x)` are x; the least integer, which has no negative, is its own."""
    inner = node.args[0] if node.operator.name in ("not_", "neg") else None
    if not isinstance(inner, Apply) or inner.operator is not node.operator:
        return None
    return inner.args[0] if inner.args[0].dtype == node.dtype else None


def same_type(node: Apply) -> Expr | None:
    """A cast to the type that x has is x."""
    return node.args[0] if node.operator.name == "cast" and node.args[0].dtype == node.dtype else None


def nothing_added(node: Apply) -> Expr | None:
    """`x + 0` and `0 + x` of integers and `x - 0` are x where that is its type. `x + 0.0` is not: it makes 0.0 of -0.0."""
    if node.operator.name == "add" and node.dtype.is_integer():
        return _beside(node, 0)
    if node.operator.name == "sub" and _is_number(node.args[1], 0) and _keeps(node.args[0], node):
        return node.args[0]
    return None


def by_one(node: Apply) -> Expr | None:
    """`x * 1`, `1 * x` and `x / 1` are x where that is its type: an integer divided is a float."""
    if node.operator.name == "mul":
        return _beside(node, 1)
    if node.operator.name == "truediv" and _is_number(node.args[1], 1) and _keeps(node.args[0], node):
        return node.args[0]
    return None


def chosen(node: Apply) -> Expr | None:
    """A choice by a constant is what it chooses, and one between x and x is x, where that has its type. Null is not true."""
    if node.operator.name != "when":
        return None
    condition, then, otherwise = node.args
    if isinstance(condition, Literal):
        then = otherwise = then if condition.value is True else otherwise
    return then if then is otherwise and then.dtype == node.dtype else None


REWRITINGS: tuple[Rewriting, ...] = (
    constant,  # first: the others look for literals
    truth,  # conditions put together from switches of the definition, and filters given twice
    chosen,  # the same for choices
    twice,  # a negated filter negated again
    same_type,  # casts written to be safe
    nothing_added,  # sums begun at zero
    by_one,  # weights and units of one
)


def _alike(one: Column, other: Column) -> bool:
    """Whether two columns of one entry are equal bit for bit; every NaN is the same."""
    if not one.is_valid()[0] or not other.is_valid()[0]:
        return bool(one.is_valid()[0] == other.is_valid()[0])
    a, b = one.values[0], other.values[0]
    if one.values.dtype.kind != "f":
        return bool(a == b)
    return bool((a == b and np.signbit(a) == np.signbit(b)) or (a != a and b != b))


def _beside(node: Apply, number: int) -> Expr | None:
    """The argument beside that number, if it has the type of the node."""
    one, other = node.args
    for kept, plain in ((one, other), (other, one)):
        if _is_number(plain, number) and _keeps(kept, node):
            return kept
    return None


def _keeps(arg: Expr, node: Apply) -> bool:
    return arg.dtype == node.dtype and arg.dtype.is_numeric()


def _is_literal(expr: Expr, value: bool) -> bool:
    return isinstance(expr, Literal) and expr.value is value


def _is_number(expr: Expr, number: int) -> bool:
    """Whether an expression is that number and no Boolean; -0.0 is not 0."""
    plain = isinstance(expr, Literal) and expr.dtype.is_numeric() and expr.value == number
    return plain and isinstance(expr, Literal) and math.copysign(1, expr.value) > 0
