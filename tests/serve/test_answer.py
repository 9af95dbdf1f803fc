"""An answer says the same wherever it has been."""

from __future__ import annotations

import json
import math
import pickle
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

import nowthen as nt
from nowthen.engine.folds.column import Column
from nowthen.serve.answer import Answer

FRAME = pl.DataFrame(
    {
        "count": [1, 2**60, None],
        "mean": [1.5, math.nan, -math.inf],
        "share": [None, 0.5, 0.25],
        "name": ["a", None, "ü b"],
        "flag": [True, None, False],
        "when": [datetime(2024, 1, 1, 0, 0, 0, 1, tzinfo=UTC), None, datetime(1900, 1, 1, tzinfo=UTC)],
        "day": [date(2024, 1, 1), None, date(1900, 1, 1)],
        "ago": [timedelta(microseconds=1), None, timedelta(days=-1)],
        "small": pl.Series([1, 2, 3], dtype=pl.Float32),
    },
    schema_overrides={"when": pl.Datetime("us", "UTC"), "ago": pl.Duration("us")},
)


def answer(frame: pl.DataFrame = FRAME) -> Answer:
    columns = tuple(Column.from_series(frame[name]) for name in frame.columns)
    codes = tuple(np.array([0, 1, 2], dtype=np.uint8)[: frame.height] for _ in columns)
    return Answer(tuple(frame.columns), columns, codes, datetime(2024, 5, 1, tzinfo=UTC), {"risk": "abc"}, "tx@7")


def test_it_is_a_frame_of_the_training_types() -> None:
    assert answer().to_polars().equals(FRAME)
    assert answer().to_polars().schema == FRAME.schema


@pytest.mark.parametrize("height", [0, 1, 3])
def test_a_pickle_of_it_says_the_same(height: int) -> None:
    made = answer(FRAME.head(height))
    again = pickle.loads(pickle.dumps(made))
    assert again.to_polars().equals(made.to_polars())
    assert again.to_polars().schema == FRAME.schema
    assert [again.status(name) for name in again.names] == [made.status(name) for name in made.names]
    assert (again.watermark, again.versions, again.token) == (made.watermark, made.versions, made.token)


def test_its_text_says_of_which_service_and_up_to_when() -> None:
    made = answer()
    said = repr(made).partition("\n")[0]
    assert said == "<Answer of risk@abc: 9 features for 3 questions, rows up to 2024-05-01 00:00:00+00:00>"
    none = Answer(made.names, made.columns, made.codes, None, {"risk": "0123456789abcdef"}, "")
    assert "risk@0123456789ab:" in repr(none)
    assert "no rows of some source yet>" in repr(none)


def test_json_of_it_says_the_same_and_is_strict() -> None:
    text = json.dumps(answer().as_json(), allow_nan=False)
    again = Answer.from_json(json.loads(text))
    assert again.to_polars().equals(FRAME)
    assert again.status("mean") == ["present", "null", "not_found"]
    assert again.watermark == datetime(2024, 5, 1, tzinfo=UTC)


def test_json_carries_what_is_no_number_as_words() -> None:
    assert answer().as_json()["features"]["mean"] == [1.5, "NaN", "-Infinity"]


def test_a_row_holds_python_values() -> None:
    row = answer().row(0)
    assert row == FRAME.row(0, named=True)
    assert [type(row[name]) for name in ("count", "mean", "flag", "day")] == [int, float, bool, date]


@pytest.mark.parametrize("names", [["count"], ["small", "mean"], ["share", "count"], ["mean"], ["flag"]])
def test_numpy_is_what_the_training_columns_give(names: list[str]) -> None:
    frame = FRAME.select(names)
    np.testing.assert_array_equal(answer(frame).to_numpy(), frame.to_numpy())
    assert answer(frame).to_numpy().dtype == frame.to_numpy().dtype


def test_a_status_of_no_feature_names_the_nearest() -> None:
    with pytest.raises(nt.UnknownColumn, match="Did you mean 'count'"):
        answer().status("cuont")
