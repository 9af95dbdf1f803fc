"""Training sets: the spine comes back as it was, and bad input is refused with what to do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Any

import polars as pl
import pytest

import nowthen as nt

from .shop import NOON, ROWS, SELLER, SHOP, sales, spine

COUNT = nt.feature_view("count", entity=SHOP, features={"count": sales().count()})
TOO = nt.feature_view("too", entity=SHOP, features={"count": sales().count()})
BY_SELLER = nt.feature_view("by_seller", entity=SELLER, features={"sold": sales().items.sum()})
ASKS = nt.feature_view("asks", entity=[], features={"twice": nt.Request({"price": pl.Float64}).price * 2})


def collected(features: Any = COUNT, at: str = "asked", known_at: Any = None, **columns: Any) -> pl.DataFrame:
    made: pl.DataFrame = nt.training_set(spine(**columns), features, at=at, known_at=known_at).collect(engine="local")
    return made


def test_the_spine_comes_back_with_its_order_duplicates_types_and_zone() -> None:
    given = spine(shop_id=[2, 1], label=pl.Series([True, None])).with_columns(
        pl.col("shop_id").cast(pl.Int16), pl.col("asked").dt.convert_time_zone("Asia/Tokyo").dt.cast_time_unit("ms")
    )
    given = pl.concat([given, given])
    found = nt.training_set(given, [COUNT, BY_SELLER], at="asked").collect(engine="local")
    assert found.select(given.columns).equals(given)
    assert found.schema == pl.Schema({**given.schema, "count": pl.Int64(), "sold": pl.Int64()})
    assert found["count"].to_list() == [1, 3, 1, 3]


def test_two_entities_in_one_spine_each_find_their_rows() -> None:
    assert collected([COUNT, BY_SELLER]).select("count", "sold").rows() == [(3, 4), (1, 4)]


def test_a_feature_sees_the_default_of_the_feature_it_reads() -> None:
    class Usual(nt.FeatureView, entity=SHOP):
        usual = nt.feature(sales().amount.mean().over("1h"), default=8.0)

    twice = nt.feature_view("twice", entity=SHOP, features={"twice": Usual.usual * 2})
    assert collected(twice)["twice"].to_list() == [16.0, 16.0]


def test_a_feature_of_two_folds_is_not_found_only_where_neither_found_a_row() -> None:
    tx = sales()
    both = nt.feature_view("both", entity=SHOP, features={"both": tx.count().over("1h") + tx.count().over("1d")})
    found = nt.training_set(spine(shop_id=[1, 7]), both, at="asked").collect(engine="local", status=True)
    assert found["both__status"].to_list() == ["present", "not_found"]


REFUSED: dict[str, tuple[Callable[[], object], type[nt.NowThenError], str]] = {
    "no time column": (
        lambda: collected(at="askde"),
        nt.UnknownColumn,
        "no column 'askde' (at=). Did you mean 'asked'?",
    ),
    "a time that is a text": (lambda: collected(asked=["2020-01-01"] * 2), nt.WrongType, "'asked' is String"),
    "a time that is a date": (lambda: collected(asked=[date(2020, 1, 1)] * 2), nt.WrongType, "'asked' is Date"),
    "a null time": (lambda: collected(asked=[NOON, None]), nt.Invalid, "the spine's 'asked' is null in row 1"),
    "nanoseconds": (
        lambda: collected(asked=pl.Series([0, 1], dtype=pl.Datetime("ns"))),
        nt.Invalid,
        "the spine's 'asked' row 1",
    ),
    "no key": (lambda: collected(shop_id=None), nt.UnknownColumn, "no key column 'shop_id', which count:count needs"),
    "a key of a view that is read": (
        lambda: collected(nt.feature_view("v", entity=[], features={"x": COUNT.count + 1}), shop_id=None),
        nt.UnknownColumn,
        "no key column 'shop_id'",
    ),
    "a key of another type": (lambda: collected(shop_id=["1", "2"]), nt.WrongType, "key 'shop_id' is Int64"),
    "a key that is a float": (lambda: collected(shop_id=[1.0, 2.0]), nt.WrongType, "Float64 in the spine"),
    "no request field": (lambda: collected(ASKS), nt.UnknownColumn, "no column 'price' (request field 'price')"),
    "a request field of another type": (
        lambda: collected(ASKS, price=["1", "2"]),
        nt.WrongType,
        "request field 'price' is Float64, the spine's 'price' is String",
    ),
    "a request field nobody reads": (
        lambda: nt.training_set(spine(price=[1.0, 2.0]), ASKS, at="asked", request={"prize": "price"}),
        nt.UnknownColumn,
        "Did you mean 'price'?",
    ),
    "a feature named like a column": (lambda: collected(count=[0, 0]), nt.Invalid, "named like a column of the spine"),
    "one feature twice": (lambda: collected([COUNT, COUNT]), nt.Invalid, "feature count:count is given twice"),
    "two features of one name": (lambda: collected([COUNT, TOO]), nt.Invalid, "two features are named 'count'"),
    "no features": (lambda: collected([]), nt.Invalid, "no features were given"),
    "what is no feature": (lambda: collected([sales().count()]), nt.WrongType, "is not a feature"),
    "known_at of no column": (lambda: collected(known_at="sene"), nt.UnknownColumn, "known_at="),
    "known_at of no time": (lambda: collected(known_at="shop_id"), nt.WrongType, "known_at column 'shop_id' is Int64"),
    "known_at null": (
        lambda: collected(known_at="seen", seen=[None, NOON]),
        nt.Invalid,
        "known_at column 'seen' is null in row 0",
    ),
    "a number as known_at": (lambda: collected(known_at=5), nt.WrongType, "known_at is 5; give a datetime"),
    "an unknown engine": (
        lambda: nt.training_set(spine(), COUNT, at="asked").collect(engine="spark"),
        nt.Invalid,
        "it is 'auto', 'local' or 'ray'",
    ),
    "a null event time": (
        lambda: of_times([NOON, None]),
        nt.Invalid,
        "sales.time is null in row 1; every row needs its time",
    ),
    "an ambiguous event time": (
        lambda: of_times([datetime(2019, 10, 27, 2, 30)], time_zone="Europe/Berlin"),
        nt.Invalid,
        "sales.time row 0: 2019-10-27 02:30:00 is ambiguous or does not exist in Europe/Berlin",
    ),
    "cuts that fall": (
        lambda: nt.training_set(spine(), COUNT, at="asked").split(["2020-02-01", "2020-01-01"]),
        nt.Invalid,
        "must be in increasing order",
    ),
    "a source without its event time": (lambda: sales(event_time="tiem"), nt.UnknownColumn, "Did you mean 'time'?"),
    "an event time that is a number": (lambda: sales(event_time="items"), nt.WrongType, "'items' is Int64"),
    "a deletion without row_id": (lambda: sales(deleted="fraud"), nt.Invalid, "needs row_id="),
    "a deletion that is a number": (lambda: sales(row_id="sale_id", deleted="items"), nt.WrongType, "must be Boolean"),
    "a source without data or schema": (lambda: nt.Source("s", event_time="t"), nt.Invalid, "neither data nor schema"),
    "a date that is no instant": (
        lambda: nt.Source("s", nt.Frame({"day": [date(2020, 1, 1)]}), event_time="day"),
        nt.WrongType,
        "available='end_of_day'",
    ),
}


def of_times(times: list[datetime | None], **declared: Any) -> pl.DataFrame:
    """The count over rows of these times."""
    rows = pl.DataFrame({"shop_id": [1] * len(times), "time": times})
    source = nt.Source("sales", nt.Frame(rows), event_time="time", entities=SHOP, **declared)
    return collected(nt.feature_view("view", entity=SHOP, features={"count": source.count()}))


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED.keys())
def test_bad_input_is_refused_with_what_was_asked_and_what_was_found(
    case: tuple[Callable[[], object], type[nt.NowThenError], str],
) -> None:
    give, error, message = case
    with pytest.raises(error) as refused:
        give()
    assert message in str(refused.value)


def test_a_key_column_of_nothing_but_nulls_is_unknown() -> None:
    found = nt.training_set(spine(shop_id=[None, None]), COUNT, at="asked").collect(engine="local", status=True)
    assert found.select("count", "count__status").rows() == [(0, "not_found")] * 2


def test_nothing_asked_gives_no_rows_with_the_right_types() -> None:
    found = nt.training_set(spine().clear(), COUNT, at="asked").collect(engine="local", status=True)
    assert found.height == 0
    assert found.schema["count"] == pl.Int64()


def test_a_split_is_by_time_half_open_and_drops_the_gap() -> None:
    days = [datetime(2020, 1, day, tzinfo=UTC) for day in range(1, 8)]
    labels = pl.DataFrame({"shop_id": [1] * 7, "asked": days})
    parts = nt.training_set(labels, COUNT, at="asked").split(["2020-01-03", datetime(2020, 1, 6)], gap="1d")
    assert [[t.day for t in part.collect(engine="local")["asked"]] for part in parts] == [[1], [3, 4], [6, 7]]


def test_nothing_is_read_before_it_is_collected() -> None:
    class Unread(nt.Frame):
        def read(self, columns: Any, bound: Any = None) -> pl.DataFrame:
            raise AssertionError("was read")

    source = nt.Source("sales", Unread(ROWS), event_time="time", entities=SHOP)
    view = nt.feature_view("view", entity=SHOP, features={"count": source.count()})
    assert "1 features" in repr(nt.training_set(spine(), view, at="asked"))


def test_decimals_are_cast_where_they_are_read() -> None:
    priced = ROWS.with_columns(price=pl.Series([1.25, 7, 8, None]).cast(pl.Decimal(10, 2)))
    price = nt.Source("priced", nt.Frame(priced), event_time="time", entities=[SHOP]).price
    view = nt.feature_view("v", entity=SHOP, features={"sum": price.cast(pl.Float64).sum(), "null": price.is_null()})
    assert collected(view).select("sum", "null").rows() == [(8.25, True), (8.0, False)]


@pytest.mark.parametrize("cut", ["2020-01-02T12:00", ["2020-01-02T12:00"], NOON, (NOON,)], ids=repr)
def test_one_cut_makes_two_parts(cut: Any) -> None:
    asked = spine(asked=[NOON.replace(hour=11), NOON])
    assert [part.collect().height for part in nt.training_set(asked, COUNT, at="asked").split(cut)] == [1, 1]


@pytest.mark.parametrize("cut", ["2020-01-x2", ["soon"], 5, None, [None]], ids=repr)
def test_a_cut_that_is_no_time_is_refused_with_what_to_give(cut: Any) -> None:
    with pytest.raises(nt.Invalid, match=r"cut .*is .*give a datetime"):
        nt.training_set(spine(), COUNT, at="asked").split(cut)


TIMED = {"shop_id": [1, 1], "time": [NOON, NOON], "amount": [1.0, 2.0]}


def totals(row_id: pl.Series, **more: Any) -> list[Any]:
    """The total of the rows named so, asked at each."""
    rows = pl.DataFrame({**TIMED, "id": row_id})
    source = nt.Source("rows", nt.Frame(rows), event_time="time", entities=SHOP, row_id="id", **more)
    view = nt.feature_view("view", entity=SHOP, features={"total": source.amount.sum()})
    made = nt.training_set(rows.select("shop_id", "time"), view, at="time").collect(engine="local")
    return list(made["total"])


@pytest.mark.parametrize("dtype", [pl.Datetime("ns"), pl.Duration("ns"), pl.Time()], ids=str)
@pytest.mark.parametrize("other", [1_002, None])
def test_rows_named_a_nanosecond_apart_are_no_versions_of_one(dtype: pl.DataType, other: int | None) -> None:
    assert totals(pl.Series([1_001, other]).cast(dtype)) == [3.0, 3.0]
    assert totals(pl.Series([1_001, 1_001]).cast(dtype)) == [2.0, 2.0]


@pytest.mark.parametrize("dtype", [pl.Datetime("ms"), pl.Datetime("ms", "Asia/Tokyo"), pl.Duration("ms")], ids=str)
@pytest.mark.parametrize("number", [2**62, -(2**62)])
def test_a_time_beyond_microseconds_is_refused_with_its_column_and_row(dtype: pl.DataType, number: int) -> None:
    rows = pl.DataFrame({**TIMED, "since": pl.Series([5, number]).cast(dtype)})
    source = nt.Source("rows", nt.Frame(rows), event_time="time", entities=SHOP)
    view = nt.feature_view("view", entity=SHOP, features={"n": source.since.count(), "last": source.since.last()})
    made = nt.training_set(rows.select("shop_id", "time"), view, at="time")
    with pytest.raises(nt.Invalid, match=rf"since row 1: {number} as .* is not exact in us"):
        made.collect(engine="local")
    asked = nt.feature_view("asked", entity=[], features={"seen": nt.Request({"since": dtype}).since})
    with pytest.raises(nt.Invalid, match=rf"request field 'since' row 1: {number} as .* is not exact in us"):
        nt.training_set(rows.select("time", pl.col("since")), asked, at="time").collect(engine="local")


COUNTED: list[tuple[pl.DataType, Any]] = [
    (pl.Binary(), b"a"), (pl.Struct({"a": pl.Int8}), {"a": 1}), (pl.Array(pl.Int8, 2), [1, 2]), (pl.Int128(), 2**100),
    (pl.UInt128(), 2**100), (pl.Decimal(9, 2), 1), (pl.Time(), time(12)),
]  # fmt: skip


@pytest.mark.parametrize("way", ["whole", "bucketed"])
@pytest.mark.parametrize("dtype, value", COUNTED, ids=lambda one: str(one) if isinstance(one, pl.DataType) else "")
@pytest.mark.parametrize("values", [2, 1, 0])
def test_values_of_any_type_are_counted(
    dtype: pl.DataType, value: Any, values: int, way: str, request: pytest.FixtureRequest
) -> None:
    if way == "bucketed":
        request.getfixturevalue("bucketed")
    rows = pl.DataFrame({**TIMED, "value": pl.Series([value, value][:values] + [None] * (2 - values), dtype=dtype)})
    source = nt.Source("rows", nt.Frame(rows), event_time="time", entities=SHOP)
    view = nt.feature_view("view", entity=SHOP, features={"n": source.value.count()})
    made = nt.training_set(rows.select("shop_id", "time"), view, at="time").collect(engine="local")
    assert made["n"].to_list() == [values, values]


def test_objects_are_counted() -> None:
    rows = pl.DataFrame({**TIMED, "value": pl.Series([object(), None], dtype=pl.Object)})
    source = nt.Source("rows", nt.Frame(rows), event_time="time", entities=SHOP)
    view = nt.feature_view("view", entity=SHOP, features={"n": source.value.count()})
    made = nt.training_set(rows.select("shop_id", "time"), view, at="time").collect(engine="local")
    assert made["n"].to_list() == [1, 1]
