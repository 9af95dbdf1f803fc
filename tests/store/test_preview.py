"""Previews: times as they come, keys without rows, and arguments of training sets that are of no type they take."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import nowthen as nt

from . import shop

NOON = datetime(2026, 1, 1, 12)
KEYS = {"customer_id": [1, 2]}


def counted(**of: Any) -> type[nt.FeatureView]:
    return nt.feature_view(
        "counted", features={"n": shop.source(shop.sales()).count()}, **{"entity": shop.CUSTOMER} | of
    )


TIMES: dict[str, Any] = {
    "a datetime": NOON,
    "a datetime of a zone": NOON.replace(tzinfo=UTC),
    "a list": [NOON, NOON],
    "a tuple": (NOON, NOON),
    "a list of several zones": [NOON, NOON.replace(tzinfo=UTC).astimezone(ZoneInfo("Asia/Tokyo"))],
    "a Polars series": pl.Series([NOON, NOON]),
    "a time of numpy": np.datetime64(NOON),
    "an hour of numpy": np.datetime64("2026-01-01T12", "h"),
    "an array": np.array([NOON, NOON], dtype="datetime64[ns]"),
    "an array of hours": np.array([NOON, NOON], dtype="datetime64[h]"),
    "an array of no dimension": np.array(np.datetime64(NOON)),
    "an array of objects": np.array([NOON, NOON], dtype=object),
    "a pandas series": pd.Series([NOON, NOON]),
    "an index of pandas": pd.DatetimeIndex([NOON, NOON], tz="UTC"),
    "a timestamp of pandas": pd.Timestamp(NOON),
    "a timestamp of a zone": pd.Timestamp(NOON).tz_localize("UTC").tz_convert("Europe/Berlin"),
    "an array of Arrow": pa.array([NOON, NOON]),
}


@pytest.mark.parametrize("at", TIMES.values(), ids=TIMES.keys())
def test_a_preview_takes_times_as_they_come(at: Any) -> None:
    found = nt.preview(counted(), KEYS, at=at)
    times = [time if time.tzinfo else time.replace(tzinfo=UTC) for time in found["at"].to_list()]
    assert (times, found["n"].to_list()) == ([NOON.replace(tzinfo=UTC)] * 2, [2, 2])


NO_TIMES: dict[str, tuple[Any, str]] = {
    "not a time": (pd.NaT, "at=NaT is no time"),
    "none": (None, "at=None is no time"),
    "not a time in a list": ([NOON, pd.NaT], "row 1"),
    "a text in a list": ([NOON, "2026-01-01"], "has '2026-01-01' in row 1, which is of type str"),
    "a text": ("2026-01-01", "of type str"),
    "a date": (date(2026, 1, 1), "of type date"),
    "a set": ({NOON}, "of type set"),
    "a null in a series": (pl.Series([NOON, None]), "null in row 1"),
    "not a time of pandas": (pd.Series([NOON, pd.NaT]), "null in row 1"),
    "not a time of numpy": (np.array([NOON, "NaT"], dtype="datetime64[us]"), "row 1"),
    "numbers": (pl.Series([1, 2]), "is Int64"),
}


@pytest.mark.parametrize("at, says", NO_TIMES.values(), ids=NO_TIMES.keys())
def test_what_is_no_time_is_refused_by_name(at: Any, says: str) -> None:
    with pytest.raises(nt.WrongType, match=r"^at=") as refused:
        nt.preview(counted(), KEYS, at=at)
    assert says in str(refused.value)


NO_KEYS: dict[str, Any] = {
    "a list of none": {"customer_id": []},
    "a frame": pl.DataFrame(schema={"customer_id": pl.Int64}),
    "a frame of no type": pl.DataFrame({"customer_id": []}),
}


@pytest.mark.parametrize("at", [NOON, []], ids=["a time", "no times"])
@pytest.mark.parametrize("keys", NO_KEYS.values(), ids=NO_KEYS.keys())
def test_no_keys_give_an_empty_frame_of_the_types_of_others(keys: Any, at: Any) -> None:
    found = nt.preview(counted(), keys, at=at)
    assert found.height == 0
    usual = nt.preview(counted(), KEYS, at=NOON if at == NOON else NOON.replace(tzinfo=UTC))
    assert found.schema == usual.schema


def test_keys_without_a_column_are_refused_with_the_column_that_is_missing() -> None:
    with pytest.raises(nt.UnknownColumn, match="no key column 'customer_id'"):
        nt.preview(counted(), {}, at=NOON)


def test_a_view_without_keys_is_previewed_once_for_each_time() -> None:
    view = counted(entity=[])
    assert nt.preview(view, {}, at=NOON)["n"].to_list() == [13]
    assert nt.preview(view, {}, at=[NOON, NOON - timedelta(hours=1)])["n"].to_list() == [13, 12]


def train(**given: Any) -> object:
    return nt.training_set(shop.labels(), counted(), **{"at": "t"} | given)


MISTAKES: dict[str, tuple[Callable[[], object], str]] = {
    "at in a list": (lambda: train(at=["t"]), r"at=\['t'\] is not the name of a column"),
    "a list of sources": (lambda: train(sources=[shop.sales()]), r"give names of sources and their data"),
    "a list of request fields": (lambda: train(request=["x"]), r"request=\['x'\]; give fields and the columns"),
    "a request field of no column": (lambda: train(request={"x": ["a"]}), r"not the name of a column"),
    "a list of sources of a preview": (
        lambda: nt.preview(counted(), KEYS, at=NOON, sources=[shop.sales()]),  # type: ignore[arg-type]
        r"give names of sources",
    ),
}


@pytest.mark.parametrize("ask, says", MISTAKES.values(), ids=MISTAKES.keys())
def test_arguments_of_other_types_are_refused_with_what_to_pass(ask: Callable[[], object], says: str) -> None:
    with pytest.raises(nt.WrongType, match=says):
        ask()
