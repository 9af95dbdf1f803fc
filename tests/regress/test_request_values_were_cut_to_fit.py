"""A spine's 3.7 became the integer 3 of a request field, NaN a raw error of Polars, and nanoseconds were cut off."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import polars as pl
import pytest

import nowthen as nt

NOON = datetime(2020, 1, 1, 12)
SHORT_NS = pl.Series([1_500], dtype=pl.Datetime("ns"))
shop = nt.Entity("shop", keys={"shop_id": pl.Int64})
request = nt.Request({"items": pl.Int8, "since": pl.Datetime("us")})


def asked(field: str, values: Any) -> pl.DataFrame:
    view = nt.feature_view("view", entity=[], features={"seen": nt.coalesce(request[field], None)})
    found: pl.DataFrame = nt.training_set(pl.DataFrame({"time": [NOON], field: values}), view, at="time").collect(
        engine="local"
    )
    return found


@pytest.mark.parametrize("value", [3.7, float("nan")])
def test_a_float_is_not_cut_to_an_integer_field(value: float) -> None:
    with pytest.raises(nt.WrongType, match="request field 'items' is Int8, the spine's 'items' is Float64"):
        asked("items", [value])


def test_an_integer_that_does_not_fit_is_refused() -> None:
    with pytest.raises(nt.WrongType, match="request field 'items' does not fit its type Int8"):
        asked("items", [300])


def test_nanoseconds_of_a_request_field_are_refused() -> None:
    with pytest.raises(nt.Invalid, match=r"request field 'since' row 0: .* has nanoseconds"):
        asked("since", SHORT_NS)


def test_nanoseconds_of_a_value_are_refused() -> None:
    rows = nt.Frame(pl.DataFrame({"shop_id": [1], "time": [NOON], "since": SHORT_NS}))
    view = nt.feature_view(
        "view", entity=shop, features={"since_last": nt.Source("rows", rows, event_time="time", entities=shop).since}
    )
    with pytest.raises(nt.Invalid, match=r"since row 0: .* has nanoseconds"):
        nt.training_set(pl.DataFrame({"shop_id": [1], "time": [NOON]}), view, at="time").collect(engine="local")
