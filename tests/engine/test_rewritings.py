"""Rewritings of expressions: bit for bit the same values, whatever the arguments hold."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nowthen as nt
from nowthen.engine.errors import NowThenError
from nowthen.engine.folds.evaluate import Evaluation
from nowthen.engine.language.build import literal
from nowthen.engine.language.expr import Expr, apply, shared
from nowthen.engine.language.map import Map
from nowthen.engine.language.nodes import Apply, Feature, Literal, Slot, walk
from nowthen.engine.language.registry import operators
from nowthen.engine.rules.rewritings import REWRITINGS
from nowthen.engine.rules.simplify import Plainer

from ..ops.examples import TYPES, column, seen

LITERALS = (0, 1, 2, -1, 2**62, 0.0, -0.0, 1.0, -1.0, 0.1, math.nan, math.inf, True, False, None, "", "a")
TWO = (
    "add",
    "sub",
    "mul",
    "truediv",
    "floordiv",
    "mod",
    "pow",
    "and_",
    "or_",
    "xor",
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
)
N = 17
COLUMNS = {
    str(dtype): column(dtype).take(np.arange(N) * 7 % len(column(dtype))) for dtype in (*TYPES, pl.Null())
}  # fmt: skip
SLOTS = {name: shared(Slot(name, made.dtype)) for name, made in COLUMNS.items()}


def values(expr: Expr) -> list[Any]:
    """The entries of an expression over the awkward columns, bit for bit."""
    made = Evaluation({}, N, COLUMNS)(expr)
    assert made.dtype == expr.dtype
    return seen(made)


def plain(expr: Expr) -> Expr:
    """The expression as simplified; asserted to be equal bit for bit, and as plain as it gets."""
    made = Plainer()(expr)
    assert made.dtype == expr.dtype
    assert values(made) == values(expr), f"{expr!r} became {made!r}"
    assert Plainer()(made) is made
    return made


def applied(name: str, *args: object, **params: Any) -> Expr | None:
    """The expression, if the operator takes these types."""
    try:
        return apply(name, *args, **params)
    except NowThenError:
        return None


@pytest.mark.parametrize("name", TWO)
def test_an_operator_with_any_literal_on_either_side_keeps_its_values(name: str) -> None:
    tried = 0
    for slot, value in itertools.product(SLOTS.values(), LITERALS):
        for args in ((slot, value), (value, slot)):
            expr = applied(name, *args)
            if expr is not None:
                plain(expr)
                tried += 1
    assert tried


@pytest.mark.parametrize("name", sorted(name for name, found in operators().items() if isinstance(found, Map)))
def test_an_operator_on_literals_alone_is_the_literal_of_its_own_value(name: str) -> None:
    found = operators()[name]
    assert isinstance(found, Map)
    wide = {1: LITERALS, 2: LITERALS, 3: (0, 1.5, True, False, None, "a")}[len(found.columns)]
    for args in itertools.product(wide, repeat=len(found.columns)):
        expr = applied(name, *args)
        if expr is not None:
            plain(expr)


def test_an_operator_of_one_column_applied_twice_keeps_its_values() -> None:
    for name, slot in itertools.product(("not_", "neg", "abs"), SLOTS.values()):
        once = applied(name, slot)
        if once is not None:
            twice = apply(name, once)
            changed = name != "abs" and once.dtype == slot.dtype
            assert (plain(twice) is slot) == changed, twice


def test_casts_and_choices_keep_their_values() -> None:
    for slot, dtype in itertools.product(SLOTS.values(), TYPES):
        cast = applied("cast", slot, dtype=dtype, strict=False)
        if cast is not None:
            assert (plain(cast) is slot) == (slot.dtype == dtype)
    for condition, a, b in itertools.product((True, False, None, SLOTS["Boolean"]), SLOTS.values(), SLOTS.values()):
        choice = applied("when", condition, a, b)
        if choice is not None:
            plain(choice)


X, B, WHOLE = SLOTS["Float64"], SLOTS["Boolean"], SLOTS["Int64"]


@pytest.mark.parametrize(
    "written, wanted",
    [
        (B & True, B),
        (True & B, B),
        (B | False, B),
        (False | B, B),
        (B & B, B),
        (B | B, B),
        (~~B, B),
        (apply("neg", -X), X),
        (apply("neg", -WHOLE), WHOLE),
        (WHOLE + 0, WHOLE),
        (0 + WHOLE, WHOLE),
        (WHOLE - 0, WHOLE),
        (X - 0.0, X),
        (X * 1, X),
        (1.0 * X, X),
        (X / 1, X),
        (X.cast(pl.Float64), X),
        (nt.when(literal(True)).then(X).otherwise(WHOLE), X),
        (nt.when(literal(False)).then(WHOLE).otherwise(X), X),
        (nt.when(literal(None)).then(WHOLE).otherwise(X), X),
        (nt.when(B).then(X).otherwise(X * 1), X),
        (((~~B & True) | False) & B, B),
    ],
    ids=str,
)  # fmt: skip
def test_what_adds_nothing_is_left_out(written: Expr, wanted: Expr) -> None:
    assert plain(written) is wanted


@pytest.mark.parametrize(
    "written, value",
    [(B & False, False), (B | True, True), (apply("mul", 2, 3) + 1, 7), (apply("sub", 0.0, 0.0) * -1, -0.0)],
    ids=str,
)
def test_what_reads_nothing_is_a_literal(written: Expr, value: object) -> None:
    found = plain(written)
    assert isinstance(found, Literal)
    assert repr(found.value) == repr(value)


@pytest.mark.parametrize(
    "written",
    [
        X + 0,  # makes 0.0 of -0.0
        X + 0.0,
        X - (-0.0),
        WHOLE / 1,  # a float
        WHOLE * 1.0,
        WHOLE + True,  # an integer all the same, but who writes this means something
        SLOTS["Int8"] + 0,  # Int64, as Polars has it
        SLOTS["Duration(time_unit='us')"] * 1.0,  # a float holds fewer digits
        SLOTS["Null"] & True,  # a Boolean
        nt.when(literal(True)).then(WHOLE).otherwise(X),  # a float
        ~(B & B.is_null()),
        X * X,
    ],
    ids=str,
)  # fmt: skip
def test_what_would_change_a_bit_or_a_type_stays(written: Expr) -> None:
    made = plain(written)
    assert isinstance(made, Apply)
    assert isinstance(written, Apply)
    assert made.operator is written.operator


def test_what_cannot_be_computed_is_refused_when_rows_are_asked_and_not_before() -> None:
    cast = literal("abc").cast(pl.Int64)
    assert Plainer()(cast) is cast
    with pytest.raises(nt.Invalid, match="'abc' is not a Int64"):
        values(cast)


def test_a_default_stays_and_its_absence_is_left_out() -> None:
    assert plain(Feature(Feature(X * 1), 2.5)) is shared(Feature(X, 2.5))
    assert plain(Feature(X, None)) is X


def test_what_is_shared_is_made_plain_once() -> None:
    expr: Expr = X
    for _ in range(60):
        expr = expr * 1 + expr
    assert len(list(walk(Plainer()(expr)))) == 61


leaves = st.one_of(st.sampled_from(list(SLOTS.values())), st.sampled_from(LITERALS).map(literal))


def grown(parts: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    """Any operator on such parts; where it refuses them, the first part."""

    def made(name: str, *args: Expr) -> Expr:
        expr = applied(name, *args)
        return args[0] if expr is None else expr

    two = st.builds(made, st.sampled_from(TWO), parts, parts)
    one = st.builds(made, st.sampled_from(("not_", "neg", "abs", "is_null", "is_nan")), parts)
    three = st.builds(made, st.just("when"), parts, parts, parts)
    default = st.builds(lambda part: shared(Feature(part, 1)) if part.dtype.is_numeric() else part, parts)
    return one | two | three | default


@settings(max_examples=600, deadline=None, derandomize=True, database=None)
@given(st.recursive(leaves, grown, max_leaves=12))
def test_any_expression_is_the_same_when_simplified(expr: Expr) -> None:
    plain(expr)


def test_every_rewriting_is_of_use() -> None:
    uses = Counter(
        rewriting.__name__
        for expr in (
            apply("add", 1, 1),
            B & True,
            nt.when(literal(True)).then(X).otherwise(X),
            ~~B,
            X.cast(pl.Float64),
            WHOLE + 0,
            X * 1,
        )
        if isinstance(expr, Apply)
        for rewriting in REWRITINGS
        if rewriting(expr) is not None
    )
    assert set(uses) == {rewriting.__name__ for rewriting in REWRITINGS}
