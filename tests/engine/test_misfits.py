"""Rows that are refused: whichever way is chosen, the same ones, by their numbers in the source."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

import nowthen as nt

SHOP = nt.Entity("shop", keys={"shop": pl.Int8})
NOON = datetime(2020, 1, 1, 12, tzinfo=UTC)
LONG_AGO = NOON - timedelta(days=9)

FOLDS: dict[str, Any] = {
    "a sum": lambda s: s.x.sum(),
    "the last": lambda s: s.x.last(),
    "a filtered sum": lambda s: s.filter(s.x > 0).x.sum(),
    "a filtered last": lambda s: s.filter(s.x > 0).x.last(),
}


@pytest.fixture(params=["whole", "bucketed"], autouse=True)
def way(request: pytest.FixtureRequest) -> None:
    if request.param == "bucketed":
        request.getfixturevalue("bucketed")


@pytest.fixture(params=list(FOLDS.values()), ids=list(FOLDS))
def fold(request: pytest.FixtureRequest) -> Any:
    return request.param


def asked(fold: Any, **columns: Any) -> list[Any]:
    """A fold over a day, asked at noon: four rows of long ago, which it need not see, and two of noon; or other columns."""
    plain = {"shop": [1] * 6, "time": [LONG_AGO] * 4 + [NOON] * 2, "x": [1.0] * 6, "since": [timedelta(0)] * 6}
    rows = pl.DataFrame({**plain, **columns})
    source = nt.Source("rows", nt.Frame(rows), event_time="time", entities=SHOP)
    view = nt.feature_view("view", entity=SHOP, features={"f": fold(source).over("1d")})
    spine = pl.DataFrame({"shop": [1], "time": [NOON]}, schema_overrides={"shop": pl.Int8})
    return list(nt.training_set(spine, view, at="time").collect(engine="local")["f"])


def test_a_null_time_has_its_number_among_all_rows(fold: Any) -> None:
    with pytest.raises(nt.Invalid, match=r"rows\.time is null in row 4"):
        asked(fold, time=[LONG_AGO] * 4 + [None, NOON])


def test_a_null_time_is_refused_where_a_filter_leaves_out_its_row(fold: Any) -> None:
    with pytest.raises(nt.Invalid, match=r"rows\.time is null in row 4"):
        asked(fold, time=[LONG_AGO] * 4 + [None, NOON], x=[-1.0] * 6)


def test_a_key_that_does_not_fit_has_its_number_among_all_rows(fold: Any) -> None:
    with pytest.raises(nt.WrongType, match="key 'shop' of the source row 5: 300 does not fit Int8"):
        asked(fold, shop=[1] * 5 + [300])


def test_a_value_that_does_not_fit_has_its_number_among_all_rows() -> None:
    since = pl.Series([0] * 5 + [2**62]).cast(pl.Duration("ms"))
    with pytest.raises(nt.Invalid, match="since row 5: "):
        asked(lambda s: s.since.sum(), since=since)


@pytest.mark.parametrize("unit", ["ms", "us"])
@pytest.mark.parametrize("number", [2**62, -(2**62)])
def test_a_row_that_no_window_reaches_may_have_any_time(fold: Any, unit: Any, number: int) -> None:
    far = pl.Series([number], dtype=pl.Int64).cast(pl.Datetime(unit, "UTC"))
    near = pl.Series([NOON] * 5).dt.cast_time_unit(unit)
    assert asked(fold, time=pl.concat([far, near])) == ([5.0] if fold in list(FOLDS.values())[::2] else [1.0])
