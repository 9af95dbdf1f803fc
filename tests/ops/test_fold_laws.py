"""The laws of folds, over every fold of the registry and every type it takes.

A fold added tomorrow is held to them without touching this file.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import fields
from fractions import Fraction
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nowthen.engine.errors import WrongType
from nowthen.engine.folds import prefixes
from nowthen.engine.folds.column import Array, Column, Index, physical
from nowthen.engine.folds.prefixes import Prefixes, lifted
from nowthen.engine.folds.tree import Tree
from nowthen.engine.language.fold import Fold, State
from nowthen.engine.language.registry import operators

from .examples import PARAMETERS, TYPES, awkward, bits, seen

LAW = settings(max_examples=60, deadline=None, derandomize=True, database=None)
# of floats too; other folds of floats are held to the contract's 1e-12
EXACT = {"count", "min", "max", "first", "last", "quantile", "median", "first_k", "last_k", "top_k", "bottom_k"}
SPREAD = {"var", "std"}  # within 1e-12 times the condition number
ZERO = {"count", "sum", "n_unique"}  # for an empty window


def variants(kind: type[Fold]) -> list[Fold]:
    """The fold with the parameters given as examples, or with every choice of its Boolean ones, the others keeping their default."""
    if kind.name in PARAMETERS:
        return [kind(**params) for params in PARAMETERS[kind.name]]
    switches = [field.name for field in fields(kind) if field.type in (bool, "bool")]
    return [
        kind(**dict(zip(switches, choice, strict=True)))
        for choice in itertools.product([False, True], repeat=len(switches))
    ]


FOLDS = [fold for found in operators().values() if isinstance(found, type) for fold in variants(found)]
every_fold = pytest.mark.parametrize("fold", FOLDS, ids=repr)


def taken(fold: Fold) -> list[pl.DataType]:
    """The types a fold takes."""
    return [dtype for dtype in TYPES if accepts(fold, dtype)]


def accepts(fold: Fold, dtype: pl.DataType) -> bool:
    """Whether the fold takes the type."""
    try:
        fold.result(dtype)
    except WrongType:
        return False
    return True


def entries(dtype: pl.DataType) -> st.SearchStrategy[Any]:
    """Physical values of a type, awkward ones often. Integers are kept where no sum of a few wraps around."""
    physically = physical(dtype)
    special = awkward(dtype).tolist()
    if physically.kind == "f":
        return st.sampled_from([*special, 1e16, -1e16, 1.0, 1e-3]) | st.floats(-1e6, 1e6, width=physically.itemsize * 8)  # type: ignore[arg-type]
    if physically.kind == "b":
        return st.booleans()
    if physically == np.object_:
        return st.text("abé\U0001f600", max_size=3)
    limits = np.iinfo(physically)
    return st.integers(max(limits.min, -(2**56)), min(limits.max, 2**57))


@st.composite
def columns(draw: st.DrawFn, fold: Fold, most: int = 12) -> Column:
    """A column of a type the fold takes, with nulls only where it sees them."""
    dtype = draw(st.sampled_from(taken(fold)))
    values = draw(st.lists(entries(dtype), max_size=most))
    array = np.array(values, dtype=physical(dtype))
    if not fold.sees_nulls:
        return Column(dtype, array)
    valid = draw(st.lists(st.booleans(), min_size=len(values), max_size=len(values)))
    return Column(dtype, array, np.array(valid, dtype=np.bool_))


@st.composite
def columns_with_ranges(draw: st.DrawFn, fold: Fold) -> tuple[Column, Index, Index]:
    """A column, and ranges of it in any order."""
    column = draw(columns(fold, most=100))
    bound = st.lists(st.integers(0, len(column)), min_size=8, max_size=8)
    one, other = np.array(draw(bound)), np.array(draw(bound))
    return column, np.minimum(one, other), np.maximum(one, other)


@st.composite
def columns_with_groups(draw: st.DrawFn, fold: Fold) -> tuple[Column, Index, Index, Index]:
    """A column, which of its rows are the first of a group, and ranges that begin there and end within it."""
    column = draw(columns(fold, most=100))
    firsts = np.array(sorted({0, *draw(st.lists(st.integers(0, max(len(column) - 1, 0)), max_size=4))}))
    stop = np.array(draw(st.lists(st.integers(0, len(column)), min_size=8, max_size=8)))
    start = firsts[np.searchsorted(firsts, np.maximum(stop - 1, 0), side="right") - 1]
    return column, firsts, start, stop


def by_tree(fold: Fold, column: Column, start: Index, stop: Index) -> State:
    """The states of ranges, merged on a tree."""
    return Tree.of(fold, column).over(start, stop, fold.empty(len(start), column))


def by_prefixes(fold: Fold, column: Column, firsts: Index, start: Index, stop: Index) -> State:
    """The states of ranges from the begins of groups, from those of prefixes."""
    begins = np.isin(np.arange(len(column)), firsts)
    return Prefixes(lifted(fold, column), begins, fold.merge).upto(start, stop, fold.empty(len(start), column))


def in_bulk(fold: Fold, column: Column, start: Index, stop: Index) -> Column | None:
    """The values of ranges in bulk, the column one group."""
    ranged = fold.bulk(column, np.array([0, len(column)]), fold.result(column.dtype))
    return None if ranged is None else ranged(start, stop)


def folded(fold: Fold, column: Column) -> State:
    """The state of the whole column, merged one row after another."""
    state = fold.empty(1, column)
    for row in range(len(column)):
        state = fold.merge(state, fold.lift(column.take(np.array([row]))))
    return state


def value(fold: Fold, state: State, column: Column) -> Column:
    """The value of a state."""
    return fold.value(state, fold.result(column.dtype))


def listed(column: Column) -> list[Any]:
    """Physical values, None for null."""
    return [
        entry if valid else None
        for entry, valid in zip(column.values.tolist(), column.is_valid().tolist(), strict=True)
    ]


def assert_same(fold: Fold, got: Column, expected: Column, inside: list[Column]) -> None:
    """Equal bit for bit, or for sums and means of floats within 1e-12 of the magnitudes inside."""
    if got.values.dtype.kind != "f" or fold.name in EXACT:
        assert seen(got) == seen(expected)
        return
    for mine, other, column in zip(listed(got), listed(expected), inside, strict=True):
        assert_near(fold, mine, other, column)


def assert_near(fold: Fold, mine: float | None, other: float | None, inside: Column) -> None:
    """Both null, both the same infinity or NaN, or near."""
    if mine is None or other is None or not math.isfinite(other):
        assert mine == other or (mine != mine and other != other)
        return
    if fold.name in SPREAD:
        assert mine >= 0
        assert abs(mine - other) <= 1e-12 * condition(inside) * other
        return
    magnitude = float(np.abs(inside.values.astype(np.float64)).sum())
    share = len(inside) if fold.name == "mean" else 1
    assert abs(mine - other) <= 1e-12 * magnitude / share


def condition(inside: Column) -> float:
    """sqrt(sum x^2 / sum (x - mean)^2); 1 where all values are equal and nothing but 0 will do."""
    exact = [Fraction(one) for one in inside.values.tolist()]
    mean = sum(exact) / len(exact)
    squares, apart = sum(one**2 for one in exact), sum((one - mean) ** 2 for one in exact)
    return math.sqrt(squares / apart) if apart else 1.0


@every_fold
def test_a_fold_takes_some_type_and_says_what_it_gives(fold: Fold) -> None:
    assert taken(fold)
    for dtype in taken(fold):
        column = Column(dtype, awkward(dtype))
        assert value(fold, fold.lift(column), column).values.dtype == physical(fold.result(dtype))


@every_fold
def test_a_state_is_arrays_of_equal_length_and_type_however_it_came_about(fold: Fold) -> None:
    for dtype in taken(fold):
        column = Column(dtype, awkward(dtype))
        lifted, empty = fold.lift(column), fold.empty(len(column), column)
        merged = fold.merge(empty, lifted)
        shapes = [[(part.shape, part.dtype) for part in state] for state in (lifted, empty, merged)]
        assert shapes[0] == shapes[1] == shapes[2]


@every_fold
def test_a_fold_says_whether_its_states_hold_values(fold: Fold) -> None:
    for dtype in taken(fold):
        column = Column(dtype, awkward(dtype))
        state = fold.lift(column)
        held = [isinstance(entry, np.ndarray) for part in state for entry in part.tolist()]
        assert fold.holds_values == any(held)


@every_fold
@LAW
@given(data=st.data())
def test_merge_is_associative(fold: Fold, data: st.DataObject) -> None:
    column = data.draw(columns(fold, most=9))
    third = len(column) // 3
    rows = [column.take(np.arange(i * third, (i + 1) * third)) for i in range(3)]
    a, b, c = (fold.lift(part) for part in rows)
    left = value(fold, fold.merge(fold.merge(a, b), c), column)
    right = value(fold, fold.merge(a, fold.merge(b, c)), column)
    inside = [column.take(np.array([i, third + i, 2 * third + i])) for i in range(third)]
    assert_same(fold, left, right, inside)


@every_fold
@LAW
@given(data=st.data())
def test_the_empty_state_changes_nothing_on_either_side(fold: Fold, data: st.DataObject) -> None:
    column = data.draw(columns(fold))
    state, empty = fold.lift(column), fold.empty(len(column), column)
    alone = seen(value(fold, state, column))
    assert unsigned(seen(value(fold, fold.merge(empty, state), column))) == unsigned(alone)
    assert unsigned(seen(value(fold, fold.merge(state, empty), column))) == unsigned(alone)


def unsigned(entries: list[Any]) -> list[Any]:
    """Without the sign of zero, which a sum may lose by adding zero."""
    return [entry[0] if isinstance(entry, tuple) else entry for entry in entries]


@every_fold
@LAW
@given(data=st.data())
def test_every_cut_of_the_events_gives_the_same_value(fold: Fold, data: st.DataObject) -> None:
    column = data.draw(columns(fold))
    whole = value(fold, folded(fold, column), column)
    for cut in range(len(column) + 1):
        earlier, later = column.take(np.arange(cut)), column.take(np.arange(cut, len(column)))
        made = value(fold, fold.merge(folded(fold, earlier), folded(fold, later)), column)
        assert_same(fold, made, whole, [column])


@every_fold
@LAW
@given(data=st.data())
def test_the_tree_gives_the_meaning_of_every_range(fold: Fold, data: st.DataObject) -> None:
    column, start, stop = data.draw(columns_with_ranges(fold))
    assert_meaning(fold, value(fold, by_tree(fold, column, start, stop), column), column, start, stop)


@every_fold
@LAW
@given(data=st.data())
def test_prefixes_give_the_meaning_of_every_range_from_the_begin_of_a_group(fold: Fold, data: st.DataObject) -> None:
    column, firsts, start, stop = data.draw(columns_with_groups(fold))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prefixes, "_WIDTH", 3)
        patch.setattr(prefixes, "_STRETCH", 2)
        state = by_prefixes(fold, column, firsts, start, stop)
    assert_meaning(fold, value(fold, state, column), column, start, stop)


@every_fold
def test_bulk_gives_the_meaning_of_every_range(fold: Fold, loops: None) -> None:
    @LAW
    @given(st.data())
    def law(data: st.DataObject) -> None:
        column, start, stop = data.draw(columns_with_ranges(fold))
        made = in_bulk(fold, column, start, stop)
        if made is None:
            return
        assert_meaning(fold, made, column, start, stop)
        by_states = value(fold, by_tree(fold, column, start, stop), column)
        assert_same(fold, made, by_states, [column.take(np.arange(a, b)) for a, b in zip(start, stop, strict=True)])

    law()


def assert_meaning(fold: Fold, got: Column, column: Column, start: Index, stop: Index) -> None:
    """Every range has the value that the definition gives it."""
    answers = listed(got)
    for answer, a, b in zip(answers, start.tolist(), stop.tolist(), strict=True):
        inside = column.take(np.arange(a, b))
        meant = fold.meaning(listed(inside))
        if isinstance(meant, list):
            assert len(answer) == len(meant)
            assert all(one == other or (one != one and other != other) for one, other in zip(answer, meant))
        elif meant is None or got.values.dtype.kind != "f":
            assert answer == meant
        elif fold.name in EXACT:
            assert answer == meant or (answer != answer and meant != meant)
        else:
            assert_near(fold, answer, float(meant), inside)


LEAVING: list[tuple[str, list[float]]] = [
    ("a huge value", [1e16, 1.0, 2.0]),
    ("infinity", [math.inf, 1.0, 2.0]),
    ("NaN", [math.nan, 1.0, 2.0]),
    ("both infinities", [-math.inf, math.inf, 1.0, 2.0]),
]


@every_fold
@pytest.mark.parametrize("values", [v for _, v in LEAVING], ids=[name for name, _ in LEAVING])
def test_what_left_the_window_leaves_no_trace(fold: Fold, values: list[float], loops: None) -> None:
    if not accepts(fold, pl.Float64()):
        pytest.skip("takes no floats")
    around = [*values, *values[:-2]]  # the same before the window and after it
    column = Column(pl.Float64(), np.array(around))
    start, stop = np.array([len(values) - 2]), np.array([len(values)])
    inside = Column(pl.Float64(), np.array(values[-2:]))
    expected = value(fold, folded(fold, inside), inside)
    bulk = in_bulk(fold, column, start, stop)
    tree = value(fold, by_tree(fold, column, start, stop), column)
    assert seen(tree) == seen(expected)
    assert bulk is None or seen(bulk) == seen(expected)


@every_fold
def test_an_empty_window_is_zero_for_counts_and_sums_and_null_otherwise(fold: Fold, loops: None) -> None:
    for dtype in taken(fold):
        column = Column(dtype, awkward(dtype))
        none = np.array([0, 1, len(column)])
        made = [value(fold, fold.empty(3, column), column), in_bulk(fold, column, none, none)]
        nothing = 0 if fold.name in ZERO else None
        for answer in made:
            assert answer is None or listed(answer) == [nothing] * 3


@every_fold
def test_a_fold_of_no_rows_at_all_works(fold: Fold, loops: None) -> None:
    for dtype in taken(fold):
        column = Column(dtype, awkward(dtype)[:0])
        nowhere = np.zeros(2, dtype=np.int64)
        bulk = in_bulk(fold, column, nowhere, nowhere)
        assert bulk is None or seen(bulk) == seen(value(fold, by_tree(fold, column, nowhere, nowhere), column))


def whole(name: str, values: Array, dtype: pl.DataType) -> list[Any]:
    """The value of a fold over all of an array, by states and in bulk alike."""
    found = operators()[name]
    assert isinstance(found, type)
    fold = found()
    column = Column(dtype, values)
    made = bits(value(fold, folded(fold, column), column).values)
    bulk = in_bulk(fold, column, np.array([0]), np.array([len(column)]))
    assert bulk is None or bits(bulk.values) == made
    return made


def test_sums_of_unsigned_64_bit_integers_are_exact() -> None:
    assert whole("sum", np.array([2**63, 2**62], dtype=np.uint64), pl.UInt64()) == [2**63 + 2**62]


def test_a_mean_of_64_bit_integers_does_not_wrap_around() -> None:
    assert whole("mean", np.array([2**62, 2**62, 2**62], dtype=np.int64), pl.Int64()) == [(2.0**62, False)]


def test_a_sum_keeps_what_is_small_beside_what_is_large() -> None:
    assert whole("sum", np.array([1e16, 1.0, -1e16]), pl.Float64()) == [(1.0, False)]


def test_the_least_of_two_zeros_does_not_depend_on_their_order() -> None:
    assert whole("min", np.array([0.0, -0.0]), pl.Float64()) == whole("min", np.array([-0.0, 0.0]), pl.Float64())


def test_last_keeps_a_null_unless_told_to_ignore_nulls() -> None:
    last = operators()["last"]
    assert isinstance(last, type)
    assert [fold.sees_nulls for fold in variants(last)] == [True, False]
