"""A feature that hands on a request field was left out where the spine had a column of its name, though the field came from another one."""

from __future__ import annotations

from datetime import datetime

import polars as pl
import pytest

import nowthen as nt

request = nt.Request({"amount": pl.Float64})
view = nt.feature_view("view", entity=[], features={"amount": request.amount})
spine = pl.DataFrame({"time": [datetime(2020, 1, 1)], "amount": [1.0], "other": [2.0]})


def test_a_field_read_from_another_column_is_not_the_column_of_its_name() -> None:
    with pytest.raises(nt.Invalid, match="feature 'amount' is named like a column of the spine"):
        nt.training_set(spine, view, at="time", request={"amount": "other"})


def test_a_field_read_from_the_column_of_its_name_is_that_column() -> None:
    assert nt.training_set(spine, view, at="time").collect(engine="local").equals(spine)
