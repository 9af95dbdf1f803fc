"""Evaluation of row-wise expressions on columns: the one body for training rows, served rows and filters."""

from __future__ import annotations

from collections.abc import Mapping

from ..errors import Invalid
from ..language.expr import Expr
from ..language.nodes import Apply, Feature, Literal, RequestField, Slot, SourceColumn
from .column import Column, Mask, scalar, selected

Values = Mapping[str, Column]


class Evaluation:
    """Expressions over one set of named columns of n rows; every shared node is computed once.

    `slots` are what a plan has computed; they have names of their own, which a request field may have too.
    """

    def __init__(self, columns: Values, n: int, slots: Values | None = None) -> None:
        self._columns, self._n, self._slots = columns, n, slots or {}
        self._done: dict[int, Column] = {}

    def __call__(self, expr: Expr) -> Column:
        """The column of n values of an expression."""
        done = self._done.get(id(expr))
        if done is None:
            done = self._done[id(expr)] = self._compute(expr)
        return done

    def _compute(self, expr: Expr) -> Column:
        if isinstance(expr, Slot):
            return self._slots[expr.name]
        if isinstance(expr, SourceColumn | RequestField):
            return self._columns[expr.name]
        if isinstance(expr, Literal):
            return Column.filled(self._n, expr.value, expr.dtype)
        if isinstance(expr, Apply):
            return expr.operator.run([self(arg) for arg in expr.args], dict(expr.params), expr.dtype)
        if isinstance(expr, Feature):
            return with_default(self(expr.expr), expr.default)
        raise Invalid(f"{expr!r} cannot be computed row by row.")


def with_default(column: Column, default: object) -> Column:
    """The column with nulls replaced by a Python value."""
    if default is None or column.valid is None:
        return column
    return Column(column.dtype, selected(column.valid, column.values, scalar(default, column.dtype)))


def true_rows(column: Column) -> Mask:
    """Where a Boolean column is true; null is not true."""
    return column.values if column.valid is None else column.values & column.valid
