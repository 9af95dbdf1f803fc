"""The laws of maps, over every map of the registry and every combination of types it takes, and the comparison with Polars.

A map added tomorrow is held to the laws without touching this file, unless a parameter of it has no default (see PARAMETERS).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from inspect import Parameter
from typing import Any

import numpy as np
import polars as pl
import pytest

from nowthen.engine.errors import Invalid, WrongType
from nowthen.engine.folds.column import Column, physical
from nowthen.engine.language.map import Map
from nowthen.engine.language.registry import operators

from .examples import BERLIN, ONE_OF_EACH, TYPES, product, seen

MAPS = {name: found for name, found in operators().items() if isinstance(found, Map)}
every_map = pytest.mark.parametrize("name", sorted(MAPS))

# Parameters to try; a map that is not here is tried with its defaults.
PARAMETERS: dict[str, list[dict[str, Any]]] = {
    "cast": [{"dtype": dtype, "strict": False} for dtype in TYPES],
    "clip": [{"lower_bound": 1, "upper_bound": 2}, {"lower_bound": 1}, {"upper_bound": 2}, {}],
    "dt.replace_time_zone": [{"time_zone": "UTC"}, {"time_zone": "Asia/Tokyo"}],
    "dt.truncate": [{"every": every} for every in ("1s", "7h", "1d", "1d12h", "2w", "1mo", "1q")],
    "is_between": [{"closed": closed} for closed in ("both", "left", "right", "none")],
    "is_in": [{"values": values} for values in ((), (1, 2), (1.5, float("nan")), ("a", None), (True,))],
    "log": [{}, {"base": 2.0}],
    "round": [{}, {"decimals": 2}],
}

FEW: list[pl.DataType] = [
    pl.Int64(),
    pl.UInt64(),
    pl.Float64(),
    pl.Boolean(),
    pl.String(),
    pl.Date(),
    BERLIN,
    pl.Null(),
]

# Maps for which a null among the inputs need not make the result null, or which make nulls of their own.
FORGIVING = {"and_", "coalesce", "fill_nan", "fill_null", "is_between", "is_not_null", "is_null", "or_", "when"}
NULL_OF_ITS_OWN = {"cast", "floordiv", "fill_nan", "mod", "mul", "pow", "truediv"}


@dataclass(frozen=True)
class Case:
    """A map with parameters on columns of certain types, and the type it declares."""

    map: Map
    dtypes: tuple[pl.DataType, ...]
    params: dict[str, Any]
    returns: pl.DataType

    def run(self, columns: list[Column]) -> Column:
        """The map's answer."""
        return self.map.run(columns, self.params, self.returns)

    def __str__(self) -> str:
        return f"{self.map.name}({', '.join(map(str, self.dtypes))}, {self.params})"


def cases(name: str) -> list[Case]:
    """Every combination of types and parameters that the map takes."""
    found = MAPS[name]
    return [
        case
        for dtypes in combinations(found)
        for params in PARAMETERS.get(name, [{}])
        if (case := accepted(found, dtypes, params)) is not None
    ]


def combinations(found: Map) -> list[tuple[pl.DataType, ...]]:
    """Types for the columns: all of them for one or two columns, a few for three."""
    if any(column.kind is Parameter.VAR_POSITIONAL for column in found.columns):
        return [*itertools.product(ONE_OF_EACH), *itertools.product(ONE_OF_EACH, repeat=2)]
    several = [*TYPES, pl.Null()] if len(found.columns) < 3 else FEW
    return list(itertools.product(several, repeat=len(found.columns)))


def accepted(found: Map, dtypes: tuple[pl.DataType, ...], params: dict[str, Any]) -> Case | None:
    """The case, if the map takes these types and parameters."""
    defaults = {name: parameter.default for name, parameter in found.params.items()}
    try:
        return Case(found, dtypes, defaults | params, found.returns(*dtypes, **(defaults | params)))
    except (WrongType, Invalid):
        return None


@every_map
def test_a_map_takes_some_types_and_refuses_others_with_a_message(name: str) -> None:
    assert cases(name)
    assert MAPS[name].function.__doc__


@every_map
def test_the_declared_type_is_the_type_of_the_values(name: str) -> None:
    for case in cases(name):
        columns = product(*case.dtypes, most=40)
        made = case.run(columns)
        assert made.dtype == case.returns, case
        assert made.values.dtype == physical(case.returns), case
        assert len(made) == len(columns[0]), case
        assert made.valid is None or (made.valid.dtype == np.bool_ and len(made.valid) == len(made)), case


@every_map
def test_text_is_text_even_under_nulls(name: str) -> None:
    for case in cases(name):
        if isinstance(case.returns, pl.String):
            made = case.run(product(*case.dtypes, most=40))
            assert all(type(value) is str for value in made.values.tolist()), case


@every_map
def test_one_row_at_a_time_gives_what_all_at_once_give(name: str) -> None:
    for case in cases(name):
        columns = product(*case.dtypes, most=16)
        single = [case.run([c.take(np.array([row])) for c in columns]) for row in range(len(columns[0]))]
        assert [entry for made in single for entry in seen(made)] == seen(case.run(columns)), case


@every_map
def test_no_rows_give_no_rows(name: str) -> None:
    for case in cases(name):
        made = case.run(
            product(*case.dtypes, most=1)[:0] or [c.take(np.arange(0)) for c in product(*case.dtypes, most=1)]
        )
        assert len(made) == 0, case
        assert made.values.dtype == physical(case.returns), case


@every_map
def test_a_null_gives_null_and_nothing_else_does(name: str) -> None:
    if name in FORGIVING:
        pytest.skip("has a meaning of its own for null")
    for case in cases(name):
        columns = product(*case.dtypes)
        known = np.logical_and.reduce([c.is_valid() for c in columns])
        valid = case.run(columns).is_valid()
        assert not (valid & ~known).any(), case
        assert name in NULL_OF_ITS_OWN or (valid == known).all(), case


@every_map
def test_what_lies_under_a_null_does_not_matter(name: str) -> None:
    for case in cases(name):
        columns = product(*case.dtypes)
        assert seen(case.run([disturbed(c) for c in columns])) == seen(case.run(columns)), case


def disturbed(column: Column) -> Column:
    """The same column with another value under its nulls."""
    if column.valid is None or column.valid.all() or not column.valid.any():
        return column
    other = column.values.copy()
    other[~column.valid] = column.values[column.valid][0]
    return Column(column.dtype, other, column.valid)


@every_map
def test_the_inputs_are_left_as_they_are(name: str) -> None:
    for case in cases(name):
        columns = product(*case.dtypes, most=40)
        before = [seen(c) for c in columns]
        case.run(columns)
        assert [seen(c) for c in columns] == before, case


Twin = Callable[..., pl.Expr]
TWINS: dict[str, Twin] = {
    "abs": lambda x: x.abs(),
    "add": lambda a, b: a + b,
    "and_": lambda a, b: a & b,
    "cast": lambda x, dtype, strict: x.cast(dtype, strict=strict),
    "ceil": lambda x: x.ceil(),
    "clip": lambda x, lower_bound, upper_bound: x.clip(lower_bound, upper_bound),
    "coalesce": lambda *xs: pl.coalesce(*xs),
    "eq": lambda a, b: a == b,
    "exp": lambda x: x.exp(),
    "fill_nan": lambda x, value: x.fill_nan(value),
    "fill_null": lambda x, value: x.fill_null(value),
    "floor": lambda x: x.floor(),
    "floordiv": lambda a, b: a // b,
    "ge": lambda a, b: a >= b,
    "gt": lambda a, b: a > b,
    "is_between": lambda x, lower, upper, closed: x.is_between(lower, upper, closed),
    "is_finite": lambda x: x.is_finite(),
    "is_in": lambda x, values: x.is_in([value for value in values if value is not None]),
    "is_nan": lambda x: x.is_nan(),
    "is_not_null": lambda x: x.is_not_null(),
    "is_null": lambda x: x.is_null(),
    "le": lambda a, b: a <= b,
    "log": lambda x, base: x.log(base),
    "log1p": lambda x: x.log1p(),
    "lt": lambda a, b: a < b,
    "mod": lambda a, b: a % b,
    "mul": lambda a, b: a * b,
    "ne": lambda a, b: a != b,
    "neg": lambda x: -x,
    "not_": lambda x: ~x,
    "or_": lambda a, b: a | b,
    "pow": lambda a, b: a**b,
    "round": lambda x, decimals: x.round(decimals),
    "sign": lambda x: x.sign(),
    "sqrt": lambda x: x.sqrt(),
    "sub": lambda a, b: a - b,
    "truediv": lambda a, b: a / b,
    "when": lambda cond, a, b: pl.when(cond).then(a).otherwise(b),
    "xor": lambda a, b: a ^ b,
}  # fmt: skip
ROUNDED = {"exp", "log", "log1p", "pow", "truediv", "mod"}  # another library may round the last digit the other way


@every_map
def test_the_values_and_types_are_those_of_polars(name: str) -> None:
    twin = TWINS.get(name) or namesake(name)
    compared = [compare(case, twin) for case in cases(name)]
    assert any(compared), "Polars refuses every case"


def namesake(name: str) -> Twin:
    """The Polars method of the same name in the same namespace."""
    namespace, dot, method = name.partition(".")
    if not dot or not hasattr(getattr(pl.col("x"), namespace, None), method):
        pytest.skip("Polars has nothing like it")
    return lambda x, **params: getattr(getattr(x, namespace), method)(**params)


def compare(case: Case, twin: Twin) -> bool:
    """Assert that Polars says the same; False where Polars refuses what we take, or we differ on purpose."""
    columns = usable(case, product(*case.dtypes))
    frame = pl.DataFrame([c.to_series(f"c{i}") for i, c in enumerate(columns)])
    try:
        theirs = frame.select(twin(*(pl.col(name) for name in frame.columns), **case.params).alias("x")).to_series()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return False
    if differs_on_purpose(case, theirs.dtype):
        return False
    assert theirs.dtype == case.returns, f"{case} gives {case.returns}, Polars {theirs.dtype}"
    ours = case.run(columns).to_series("x")
    same = ours.eq_missing(theirs)
    if case.map.name in ROUNDED and theirs.dtype.is_float():
        same |= (ours - theirs).abs() <= theirs.abs() * (1e-13 if theirs.dtype == pl.Float64 else 1e-5)
    told = frame.with_columns(ours.alias("ours"), theirs.alias("polars")).filter(~same.fill_null(False))
    assert told.is_empty(), f"{case}\n{told}"
    return True


def usable(case: Case, columns: list[Column]) -> list[Column]:
    """Without rows on which Polars fails as a whole: integers to a negative power."""
    if case.map.name != "pow" or any(dtype.is_float() or dtype == pl.Null for dtype in case.dtypes):
        return columns
    fine = (columns[1].values >= 0) & (columns[1].values < 2**31)
    return [c.where(fine) for c in columns]


def differs_on_purpose(case: Case, theirs: pl.DataType) -> bool:
    """Where we deviate from Polars, and why."""
    if theirs == pl.Duration and pl.Float32() in case.dtypes:  # microseconds need more digits than a Float32 has
        return True
    if theirs == pl.Int128:  # UInt64 with a signed integer; numpy has no such type
        return True
    if case.map.name == "fill_null" and case.dtypes[0].is_float():  # the type of a float column stays
        return True
    if case.map.name == "fill_nan" and theirs != case.dtypes[0]:  # so it does here
        return True
    return case.map.name in ("when", "coalesce") and pl.Null() in case.dtypes and theirs == pl.Null


def test_unsigned_64_bit_integers_mix_with_signed_ones_in_int64() -> None:
    for name, exact in [("add", int.__add__), ("sub", int.__sub__), ("mul", int.__mul__)]:
        a, b = np.array([7, 2**62], dtype=np.uint64), np.array([-3, 1])
        made = run(name, Column(pl.UInt64(), a), Column(pl.Int64(), b))
        assert made.dtype == pl.Int64()
        assert made.values.tolist() == [exact(x, y) for x, y in zip(a.tolist(), b.tolist(), strict=True)]


def test_unsigned_64_bit_integers_compare_exactly_with_signed_ones() -> None:
    big, minus = Column(pl.UInt64(), np.array([2**64 - 1], dtype=np.uint64)), Column(pl.Int64(), np.array([-1]))
    assert run("eq", big, minus).values.tolist() == [False]
    assert run("gt", big, minus).values.tolist() == [True]


def test_choosing_between_unsigned_64_bit_and_signed_integers_is_refused() -> None:
    with pytest.raises(WrongType, match="columns of one type, got UInt64 and Int64"):
        MAPS["fill_null"].returns(pl.UInt64(), pl.Int64())


def test_times_of_different_zones_compare_as_instants_and_naive_ones_are_utc() -> None:
    zones = [pl.Datetime("us"), pl.Datetime("us", "UTC"), BERLIN]
    for a, b in itertools.product(zones, repeat=2):
        columns = Column(a, np.array([0, 5])), Column(b, np.array([0, 4]))
        assert run("eq", *columns).values.tolist() == [True, False]
        assert run("sub", *columns).values.tolist() == [0, 1]


def test_a_float_column_keeps_its_type_when_nulls_are_filled() -> None:
    column = Column(pl.Float32(), np.array([1.0, 0.0], dtype=np.float32), np.array([True, False]))
    made = run("fill_null", column, Column(pl.Float64(), np.array([2.5, 2.5])))
    assert (made.dtype, made.values.tolist(), made.is_valid().tolist()) == (pl.Float32(), [1.0, 2.5], [True, True])


def test_a_negative_integer_power_of_an_integer_is_null() -> None:
    made = run("pow", Column(pl.Int64(), np.array([2, 2])), Column(pl.Int64(), np.array([-1, 3])))
    assert seen(made) == [None, 8]


def test_a_strict_cast_names_the_value_that_cannot_be_cast() -> None:
    with pytest.raises(Invalid, match="'abc' is not a Int64"):
        run("cast", Column(pl.String(), np.array(["1", "abc"], dtype=object)), dtype=pl.Int64(), strict=True)


def test_a_strict_cast_keeps_nulls() -> None:
    made = run(
        "cast",
        Column(pl.String(), np.array(["1", ""], dtype=object), np.array([True, False])),
        dtype=pl.Int8(),
        strict=True,
    )
    assert seen(made) == [1, None]


@pytest.mark.parametrize(
    "name, dtypes, params",
    [
        ("log", [pl.Float64()], {"base": -1}),
        ("round", [pl.Float64()], {"decimals": -1}),
        ("clip", [pl.Int64()], {"lower_bound": 1.5, "upper_bound": None}),
        ("clip", [pl.Int64()], {"lower_bound": 3, "upper_bound": 1}),
        ("is_between", [pl.Int64()] * 3, {"closed": "middle"}),
        ("dt.truncate", [pl.Datetime("us")], {"every": "soon"}),
    ],
    ids=str,
)  # fmt: skip
def test_a_parameter_without_meaning_is_refused_with_its_value(
    name: str, dtypes: list[pl.DataType], params: dict[str, Any]
) -> None:
    with pytest.raises(Invalid, match=str(next(iter(params.values())))):
        MAPS[name].returns(*dtypes, **params)


def run(name: str, *columns: Column, **params: Any) -> Column:
    """The answer of the map of that name."""
    case = accepted(MAPS[name], tuple(c.dtype for c in columns), params)
    assert case is not None
    return case.run(list(columns))


def test_local_times_are_of_a_zone_that_exists() -> None:
    rule = MAPS["dt.replace_time_zone"].returns
    with pytest.raises(Invalid, match=r"time_zone='Europe/Berln' is not a time zone"):
        rule(pl.Datetime("us"), time_zone="Europe/Berln")
    with pytest.raises(WrongType, match="without a zone"):
        rule(BERLIN, time_zone="Europe/Berlin")


@pytest.mark.parametrize("dtype", [pl.Decimal(10, 2), pl.Time()], ids=str)
def test_decimals_and_times_of_day_can_be_cast_and_asked_for_nulls(dtype: pl.DataType) -> None:
    values = pl.Series([0, None, 7]).cast(dtype)
    read = Column.from_series(values)
    for target in (pl.Int64(), pl.String()):
        assert run("cast", read, dtype=target, strict=True).to_series().to_list() == values.cast(target).to_list()
    assert seen(run("is_null", read)) == [False, True, False]
    assert seen(run("is_not_null", read)) == [True, False, True]


def test_what_a_decimal_is_refused_by_says_what_it_takes() -> None:
    with pytest.raises(WrongType, match=r"is_in takes a number, Boolean, String, .*got Decimal.*\.cast"):
        MAPS["is_in"].returns(pl.Decimal(10, 2), values=(1,))
