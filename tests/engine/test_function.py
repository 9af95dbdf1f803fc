"""`nt.function`: works wherever a map works, sees nulls, is one version by its source, and fails by name."""

from __future__ import annotations

import pickle
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import nowthen as nt
from nowthen.engine.language.nodes import FoldOver, walk
from nowthen.engine.language.registry import operators

from .functions import centred, failing, initial, is_large, known, scaled, taxed
from .functions_elsewhere import scaled as scaled_elsewhere
from .functions_elsewhere import with_tax
from .shop import ROWS, SHOP, sales, spine

tx = sales()
request = nt.Request({"price": pl.Float64, "word": pl.String})


def collected(features: dict[str, Any], *, engine: str = "local", status: bool = False, **columns: Any) -> pl.DataFrame:
    """The features of the two shops at noon."""
    view = nt.feature_view("view", entity=SHOP, features=features)
    train = nt.training_set(spine(**columns), view, at="asked")
    return train.collect(engine=engine, status=status)


def first(feature: Any, **columns: Any) -> Any:
    """The value of a feature for the first shop."""
    return collected({"f": feature}, **columns)["f"][0]


# -- calling it -----------------------------------------------------------------------------------------------------------
def test_called_with_series_it_just_runs() -> None:
    assert taxed(pl.Series([100.0, None]), rate=0.5).to_list() == [150.0, None]


def test_called_with_expressions_it_is_one_of_the_declared_type() -> None:
    expr = taxed(request.price, rate=0.1)
    assert (repr(expr), expr.dtype) == ("taxed(request.price, rate=0.1)", pl.Float64())


def test_it_keeps_its_name_and_its_words() -> None:
    assert (taxed.__name__, taxed.__doc__) == ("taxed", "The price with the tax on it.")


def test_a_wrong_call_says_how_it_is_called() -> None:
    with pytest.raises(nt.WrongType, match=r"too many|multiple values|takes .*taxed"):
        taxed(request.price, 1.0, 2.0)
    with pytest.raises(nt.WrongType, match="unexpected keyword argument 'tax'"):
        taxed(request.price, tax=1.0)


def test_series_and_expressions_do_not_mix() -> None:
    with pytest.raises(nt.WrongType, match="cannot be part of an expression"):
        initial(request.word, pl.Series(["a"]))


def test_columns_of_different_sources_do_not_mix() -> None:
    with pytest.raises(nt.Invalid, match="rows of different sources"):
        initial(tx.seller, sales().seller)


@pytest.mark.parametrize("given", [object(), {1: 2}, b"bytes", pl.Series([1.0])])
def test_a_parameter_that_cannot_be_written_down_is_refused_at_once(given: object) -> None:
    with pytest.raises(nt.Invalid, match="cannot be written into a definition"):
        taxed(request.price, rate=given)


# -- decorating -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("dtype", [pl.Object, pl.Null, pl.Categorical, pl.Struct({"a": pl.Int8}), pl.Datetime("ns")])
def test_a_type_that_no_feature_can_have_is_refused(dtype: Any) -> None:
    with pytest.raises(nt.WrongType, match="a feature cannot have that type"):
        nt.function(returns=dtype)


def test_the_decorator_without_its_type_says_how_it_is_written() -> None:
    with pytest.raises(nt.WrongType, match=r"write @nt\.function\(returns=pl\.Float64\)"):
        nt.function(len)


def test_a_view_does_not_take_a_function_that_was_not_called() -> None:
    with pytest.raises(nt.WrongType, match="no expression"):

        class View(nt.FeatureView, entity=SHOP):
            f = taxed


# -- wherever a map works -------------------------------------------------------------------------------------------------
def test_before_a_fold() -> None:
    assert first(taxed(tx.amount, rate=1.0).sum()) == 60.0


def test_in_a_filter() -> None:
    assert first(tx.filter(is_large(tx.amount, limit=15.0)).amount.sum()) == 20.0


def test_in_a_filter_of_a_fold() -> None:
    assert first(tx.count(where=is_large(tx.amount))) == 2


def test_in_a_column_of_a_source() -> None:
    assert first(tx.with_columns(gross=taxed(tx.amount))["gross"].max()) == 25.0


def test_on_features_and_in_features_of_features() -> None:
    inner = nt.feature_view("inner", entity=SHOP, features={"total": taxed(tx.amount.sum(), rate=1.0)})
    assert first(taxed(inner.total + 1, rate=1.0)) == 122.0


def test_on_request_fields_literals_and_times() -> None:
    assert first(taxed(request.price), price=[8.0, 1.0]) == 10.0
    assert first(nt.when(is_large(100.0)).then(1).otherwise(0)) == 1
    assert first(initial("abc", request.word), word=["xyz", None]) == "ax"
    later = nt.function(returns=pl.Date)(next_day)
    assert first(later(nt.at())) == date(2020, 1, 3)


def next_day(time: pl.Series) -> pl.Series:
    return time.dt.date() + timedelta(days=1)


def test_its_columns_carry_the_names_of_its_parameters() -> None:
    seen: list[list[str]] = []
    _names_seen.append(seen)
    first(names(request.word, request.word, request.word), word=["a", "b"])
    assert seen[0] == ["one", "others_0", "others_1"]


_names_seen: list[list[list[str]]] = []


@nt.function(returns=pl.String)
def names(one: pl.Series, *others: pl.Series) -> pl.Series:
    _names_seen[-1].append([one.name, *(other.name for other in others)])
    return one


def test_it_takes_lists_and_gives_them() -> None:
    pair = nt.function(returns=pl.List(pl.Float64))(beside_its_double)
    total = nt.function(returns=pl.Float64)(sum_of_lists)
    assert first(pair(tx.amount.sum())).to_list() == [30.0, 60.0]
    assert first(total(tx.amount.last_k(2))) == 30.0
    assert first(total(pair(tx.amount.max()))) == 60.0


def beside_its_double(x: pl.Series) -> pl.Series:
    return pl.select(pl.concat_list(x, x * 2)).to_series()


def sum_of_lists(values: pl.Series) -> pl.Series:
    return values.list.sum()


def test_it_sees_nulls_and_decides() -> None:
    rows = known(tx.amount)
    assert collected({"least": rows.min(), "sum": rows.sum(), "none": known(tx.amount.sum().over("1s"))}).row(0)[
        -3:
    ] == (-1.0, 1.0, 1.0)


def test_a_default_stands_for_its_null_and_the_status_says_so() -> None:
    later = nt.feature(taxed(tx.filter(tx.items == 4).amount.last()), default=-1.0)
    found = collected({"f": later}, status=True)
    assert (found["f"][0], found["f__status"][0]) == (-1.0, "default")


def test_it_is_not_asked_about_no_rows() -> None:
    view = nt.feature_view("view", entity=SHOP, features={"f": failing(tx.amount).sum()})
    train = nt.training_set(spine(), view, at="asked", sources={"sales": ROWS.clear()})
    assert train.collect()["f"].to_list() == [0.0, 0.0]


# -- versions -------------------------------------------------------------------------------------------------------------
def test_where_it_stands_and_what_it_is_called_change_no_version() -> None:
    assert taxed(request.price).key == with_tax(request.price).key


def test_type_and_parameters_are_part_of_the_version() -> None:
    narrow = nt.function(returns=pl.Float32)(taxed.function)
    values: list[Any] = [1, 1.0, True, "1", None, (1,), date(2026, 1, 1)]
    keys = {taxed(request.price, rate=value).key for value in values} | {narrow(request.price, rate=1).key}
    assert len(keys) == len(values) + 1


def test_a_default_and_the_same_value_given_are_one_version() -> None:
    assert taxed(request.price) is taxed(request.price, rate=0.25)


# -- in plans -------------------------------------------------------------------------------------------------------------
def test_equal_applications_are_one_fold() -> None:
    view = nt.feature_view("view", entity=SHOP, features={"a": taxed(tx.amount).sum(), "b": taxed(tx.amount).sum() * 2})
    assert str(nt.training_set(spine(), view, at="asked").plan()).count("taxed") == 1


def test_functions_of_equal_source_with_other_globals_stay_apart() -> None:
    features = {"here": scaled(tx.amount).sum(), "there": scaled_elsewhere(tx.amount).sum()}
    assert collected(features).row(0)[-2:] == (300.0, 30_000.0)


def test_it_moves_into_a_scan_with_its_filter() -> None:
    view = nt.feature_view("view", entity=SHOP, features={"f": tx.filter(is_large(tx.amount)).count()})
    assert "where is_large(sales.amount, limit=10.0)" in str(nt.training_set(spine(), view, at="asked").plan())


def test_what_it_is_given_is_made_plain_and_it_is_not_run_for_that() -> None:
    view = nt.feature_view("view", entity=SHOP, features={"f": failing(request.price * 1.0), "g": failing(1.0)})
    plan = str(nt.training_set(spine(price=[1.0, 2.0]), view, at="asked").plan())
    assert "failing(request.price)" in plan
    assert "failing(1.0)" in plan


def test_a_column_that_it_reads_is_not_folded_before_it_is_known() -> None:
    late = sales(known_after={"amount": "1d"})
    with pytest.raises(nt.Invalid, match="before it is known"):
        nt.feature_view("view", entity=SHOP, features={"f": taxed(late.amount).sum()})


def test_a_run_is_not_taken_up_with_what_another_filter_of_that_name_found(tmp_path: Path) -> None:
    def train(body: Any) -> Any:
        large = nt.function(returns=pl.Boolean)(body)
        large.__name__ = "large"  # so that both plans read the same
        count = tx.count(where=large(tx.amount))
        view = nt.feature_view("view", entity=SHOP, features={"f": stoppable(count.cast(pl.Float64))})
        return nt.training_set(spine(), view, at="asked")

    how: dict[str, Any] = {"engine": "local", "resume": tmp_path / "run"}
    _stopped.append("by hand")
    with pytest.raises(nt.FunctionFailed, match="by hand"):
        train(large_10).collect(**how)
    _stopped.clear()
    assert train(large_15).collect(**how)["f"][0] == 1.0


_stopped: list[str] = []


@nt.function(returns=pl.Float64)
def stoppable(value: pl.Series) -> pl.Series:
    if _stopped:
        raise InterruptedError(_stopped[0])
    return value


def large_10(amount: pl.Series) -> pl.Series:
    return amount >= 10


def large_15(amount: pl.Series) -> pl.Series:
    return amount >= 15


def test_it_enters_no_registry() -> None:
    before = set(operators())
    nt.function(returns=pl.Float64)(large_10)
    assert set(operators()) == before


@pytest.mark.usefixtures("bucketed", "loops")
def test_in_buckets_and_streams_it_gives_the_same() -> None:
    kept = tx.filter(is_large(tx.amount, limit=5.0))
    features = {"sum": taxed(kept.amount).sum().over("1d"), "last": taxed(tx.amount).last()}
    plain = {"sum": (kept.amount * 1.25).sum().over("1d"), "last": (tx.amount * 1.25).last()}
    assert collected(features, status=True).equals(collected(plain, status=True))


# -- failing --------------------------------------------------------------------------------------------------------------
def test_an_exception_inside_names_the_function_and_the_line() -> None:
    with pytest.raises(
        nt.FunctionFailed,
        match=r"functions:failing failed on .*ZeroDivisionError: there is nothing .* line \d+ of functions\.py",
    ) as found:
        collected({"f": failing(tx.amount).sum()})
    assert isinstance(found.value.__cause__, ZeroDivisionError)
    assert isinstance(found.value, nt.Invalid | RuntimeError)


def test_a_function_that_looks_at_other_rows_is_refused() -> None:
    with pytest.raises(nt.FunctionFailed, match=r"functions:centred gave .* for that row alone"):
        collected({"f": centred(tx.items.cast(pl.Float64)).sum()})


# -- travelling -----------------------------------------------------------------------------------------------------------
def test_it_travels_by_its_path() -> None:
    expr = taxed(tx.amount).sum()
    data = pickle.dumps(taxed)
    assert b"tests.engine.functions:taxed" in data
    again = pickle.loads(data)
    assert (again.version, again(pl.Series([1.0]))[0]) == (taxed.version, 1.25)
    assert len([node for node in walk(expr) if isinstance(node, FoldOver)]) == 1


def test_one_that_nobody_can_import_does_not_travel_by_its_path() -> None:
    @nt.function(returns=pl.Float64)
    def local(x: pl.Series) -> pl.Series:
        return x

    with pytest.raises((pickle.PicklingError, AttributeError)):
        pickle.dumps(local)
