"""What is asked is checked where it enters."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import polars as pl
import pytest

import nowthen as nt
from nowthen.serve.question import Form

FORM = Form(
    "risk",
    {"customer_id": pl.Int64(), "shop": pl.String()},
    {"amount": pl.Float64(), "items": pl.Int16(), "due": pl.Date(), "since": pl.Datetime("us", "UTC")},
)
KEYS: dict[str, Any] = {"customer_id": 1, "shop": "bar"}
FIELDS: dict[str, Any] = {"amount": 1.5, "items": 2, "due": date(2024, 1, 1), "since": datetime(2024, 1, 1, tzinfo=UTC)}


def ask(keys: Any = None, fields: Any = None, at: Any = None) -> Any:
    return FORM.ask(
        KEYS if keys is None else {**KEYS, **keys},
        FIELDS if fields is None else {**FIELDS, **fields},
        at,
        lambda: 42,
    )


def test_scalars_stand_for_every_row() -> None:
    asked = ask({"customer_id": [1, 2, 3]})
    assert asked.keys == {"customer_id": [1, 2, 3], "shop": ["bar"] * 3}
    assert asked.request["amount"].values.tolist() == [1.5] * 3


def test_no_time_is_the_clocks() -> None:
    assert ask().at.tolist() == [42]


def test_times_may_differ_by_row() -> None:
    times = [datetime(1970, 1, 1, 0, 0, 1), datetime(1970, 1, 1, 1, tzinfo=UTC)]
    assert ask({"customer_id": [1, 2]}, at=times).at.tolist() == [1_000_000, 3_600_000_000]


@pytest.mark.parametrize("given", [(1, 2), np.array([1, 2]), pl.Series([1, 2]), [np.int64(1), np.int32(2)]])
def test_sequences_of_any_kind_are_lists(given: Any) -> None:
    assert ask({"customer_id": given}).keys["customer_id"] == [1, 2]


def test_no_rows_are_a_question_too() -> None:
    assert len(ask({"customer_id": []}).at) == 0


def test_a_null_key_is_an_unknown_one() -> None:
    assert ask({"customer_id": [None, 1]}).keys["customer_id"] == [None, 1]


def test_nan_may_come_as_a_word() -> None:
    values = ask({"customer_id": [1, 2, 3]}, {"amount": ["NaN", "-Infinity", None]}).request["amount"]
    assert np.isnan(values.values[0])
    assert values.values[1] == -np.inf
    assert values.is_valid().tolist() == [True, True, False]


def test_times_may_come_as_iso_text() -> None:
    asked = ask(fields={"due": "2024-01-02", "since": "1970-01-01T00:00:01Z"})
    assert asked.request["due"].to_series().to_list() == [date(2024, 1, 2)]
    assert asked.request["since"].values.tolist() == [1_000_000]


@pytest.mark.parametrize(
    "keys",
    [
        {"customer_id": "1"},
        {"customer_id": True},
        {"customer_id": 1.0},
        {"customer_id": 2**63},
        {"customer_id": [[1]]},
        {"customer_id": {"a": 1}},
        {"shop": 7},
        {"shop": b"bar"},
    ],
)
def test_a_key_of_the_wrong_type_is_refused_by_name(keys: dict[str, Any]) -> None:
    with pytest.raises(nt.WrongType, match=next(iter(keys))):
        ask(keys)


@pytest.mark.parametrize(
    "fields",
    [
        {"amount": "much"},
        {"amount": True},
        {"items": 1.5},
        {"items": 40_000},
        {"due": "soon"},
        {"due": datetime(2024, 1, 1)},
        {"since": 7.5},
        {"amount": 10**400},
    ],
)
def test_a_request_field_of_the_wrong_type_is_refused_by_name(fields: dict[str, Any]) -> None:
    with pytest.raises(nt.WrongType, match=next(iter(fields))):
        ask(fields=fields)


def test_text_that_is_no_text_is_refused() -> None:
    with pytest.raises(nt.Invalid, match="surrogate"):
        ask({"shop": "\ud800"})


def test_a_missing_key_is_named_with_all_that_are_needed() -> None:
    with pytest.raises(nt.Invalid, match=r"key .shop. is missing\. It needs customer_id: Int64, shop: String"):
        FORM.ask({"customer_id": 1}, FIELDS, None, lambda: 0)


def test_an_unknown_key_gets_the_nearest_name() -> None:
    with pytest.raises(nt.UnknownColumn, match=r"'custmer_id'\. Did you mean 'customer_id'"):
        FORM.ask({"custmer_id": 1, "shop": "bar"}, FIELDS, None, lambda: 0)


def test_a_missing_request_field_is_named() -> None:
    with pytest.raises(nt.Invalid, match="request field 'amount' is missing"):
        FORM.ask(KEYS, None, None, lambda: 0)


def test_lists_of_unequal_length_are_refused() -> None:
    with pytest.raises(nt.Invalid, match="customer_id 2, amount 3"):
        ask({"customer_id": [1, 2]}, {"amount": [1.0, 2.0, 3.0]})


@pytest.mark.parametrize("at", ["2024-01-01", 7, [None], [7]])
def test_a_time_that_is_no_datetime_is_refused(at: Any) -> None:
    with pytest.raises(nt.WrongType, match="at"):
        ask(at=at)


@pytest.mark.parametrize("keys", [None, [1], "customer_id", 7])
def test_keys_that_are_no_mapping_are_refused(keys: Any) -> None:
    with pytest.raises(nt.WrongType, match="mapping"):
        FORM.ask(keys, FIELDS, None, lambda: 0)
