"""Choosing between two columns by a condition: `when(cond).then(x).otherwise(y)`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from ..engine.folds.column import Column, selected
from ..engine.language.expr import Expr, apply
from ..engine.language.map import map_of_columns
from .alike import common, converted
from .kinds import BOOLEAN, NULL, accept


def _chosen(condition: pl.DataType, then: pl.DataType, otherwise: pl.DataType) -> pl.DataType:
    accept("when", BOOLEAN | NULL, condition)
    return common("when", then, otherwise)


@map_of_columns(name="when", returns=_chosen)
def choose(condition: Column, then: Column, otherwise: Column) -> Column:
    """The entry of `then` where the condition is true, that of `otherwise` where it is false or null."""
    dtype = common("when", then.dtype, otherwise.dtype)
    a, b = converted(then, dtype), converted(otherwise, dtype)
    truth = converted(condition, pl.Boolean())
    true = truth.values & truth.is_valid()
    nulls = a.valid is not None or b.valid is not None
    valid = np.where(true, a.is_valid(), b.is_valid()) if nulls else None
    return Column(dtype, selected(true, a.values, b.values), valid)


@dataclass(frozen=True)
class When:
    """A condition that waits for its value; `earlier` pairs of condition and value are asked before it."""

    condition: Expr
    earlier: tuple[tuple[Expr, object], ...] = ()

    def then(self, value: object) -> Then:
        """The value where the condition is true and no earlier one was."""
        return Then((*self.earlier, (self.condition, value)))


@dataclass(frozen=True)
class Then:
    """Conditions with their values, waiting for another condition or for what holds otherwise."""

    cases: tuple[tuple[Expr, object], ...]

    def when(self, condition: Expr) -> When:
        """Another condition, asked where none before it is true."""
        return When(condition, self.cases)

    def otherwise(self, value: object) -> Expr:
        """The expression, with the value for rows where no condition is true."""
        for condition, chosen in reversed(self.cases):
            value = apply("when", condition, chosen, value)
        assert isinstance(value, Expr)
        return value


def when(condition: Expr) -> When:
    """The start of a choice: `when(tx.amount > 200).then("big").otherwise("small")`. A null condition is not true."""
    return When(condition)
