"""Request fields: of which types they may be."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

import nowthen as nt

WITHOUT_OPERATORS = [
    pl.Decimal(10, 2), pl.Time, pl.Binary, pl.Object, pl.Struct({"a": pl.Int64}), pl.Array(pl.Int64, 2), pl.Int128, pl.UInt128,
]  # fmt: skip


@pytest.mark.parametrize("dtype", WITHOUT_OPERATORS, ids=repr)
def test_a_field_of_a_type_that_the_engine_has_not_is_refused(dtype: Any) -> None:
    with pytest.raises(nt.WrongType, match=r"request field 'r' is .*; it may be an integer of up to 64 bits, Float32"):
        nt.Request({"r": dtype})


VALUES = [
    pl.Series([1], dtype=pl.UInt64), pl.Series([1.5], dtype=pl.Float32), pl.Series(["a"]), pl.Series(["a"], dtype=pl.Categorical),
    pl.Series(["a"], dtype=pl.Enum(["a"])), pl.Series([True]), pl.Series([1], dtype=pl.Int64).cast(pl.Date),
    pl.Series([1], dtype=pl.Int64).cast(pl.Datetime("ms", "UTC")), pl.Series([1], dtype=pl.Int64).cast(pl.Duration("ms")), pl.Series([None]),
]  # fmt: skip


@pytest.mark.parametrize("values", VALUES, ids=lambda values: str(values.dtype))
def test_a_field_of_any_other_type_comes_through(values: pl.Series) -> None:
    view = nt.feature_view("v", entity=[], features={"f": nt.Request({"r": values.dtype}).r})
    spine = pl.DataFrame({"r": values, "t": pl.Series([0], dtype=pl.Int64).cast(pl.Datetime("us", "UTC"))})
    assert nt.training_set(spine, view, at="t").collect(engine="local")["f"].to_list() == values.to_list()
