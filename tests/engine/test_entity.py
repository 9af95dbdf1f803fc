"""Entities: which may stand together."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

import nowthen as nt
from nowthen.engine.language.entity import entities, keys_of

BUYER = nt.Entity("buyer", keys={"id": pl.Int64})


@pytest.mark.parametrize("dtype", [pl.String, pl.Int32], ids=repr)
def test_two_entities_that_give_a_key_another_type_are_refused_by_name(dtype: Any) -> None:
    seller = nt.Entity("seller", keys={"id": dtype})
    with pytest.raises(
        nt.WrongType, match=r"view 'v': key 'id' is Int64 in entity 'buyer', but \w+ in entity 'seller'"
    ):
        entities([BUYER, seller], "view 'v'")


def test_two_entities_may_share_a_key_of_one_type() -> None:
    account = nt.Entity("account", keys={"id": pl.Int64, "bank": pl.String})
    assert keys_of(entities([BUYER, account], "view 'v'")) == {"id": pl.Int64(), "bank": pl.String()}


def test_a_source_refuses_entities_whose_keys_clash() -> None:
    rows = nt.Frame(pl.DataFrame(schema={"id": pl.Int64, "time": pl.Datetime("us")}))
    with pytest.raises(nt.WrongType, match="source 'sales': key 'id'"):
        nt.Source("sales", rows, event_time="time", entities=[BUYER, nt.Entity("seller", keys={"id": pl.String})])


@pytest.mark.parametrize("dtype", [pl.Int128, pl.UInt128], ids=repr)
def test_a_key_of_128_bits_is_refused(dtype: Any) -> None:
    with pytest.raises(nt.WrongType, match=r"entity 'buyer': key 'id' is U?Int128; .* Make it Int64, UInt64 or String"):
        nt.Entity("buyer", keys={"id": dtype})


@pytest.mark.parametrize(
    "dtype",
    [pl.List(pl.Int64), pl.Array(pl.Int64, 2), pl.Struct({"a": pl.Int64}), pl.Int128, pl.UInt128, pl.Object],
    ids=repr,
)
def test_a_row_id_that_is_not_one_plain_value_is_refused(dtype: Any) -> None:
    schema = {"id": pl.Int64, "time": pl.Datetime("us"), "sale": dtype}
    with pytest.raises(nt.WrongType, match=r"source 'sales': row_id='sale' is .*; an id is one value"):
        nt.Source("sales", event_time="time", entities=[BUYER], row_id="sale", schema=schema)


@pytest.mark.parametrize(
    "dtype", [pl.UInt64, pl.String, pl.Categorical, pl.Date, pl.Binary, pl.Decimal(10, 2)], ids=repr
)
def test_a_row_id_of_one_value_is_taken(dtype: Any) -> None:
    schema = {"id": pl.Int64, "time": pl.Datetime("us"), "sale": dtype}
    assert nt.Source("sales", event_time="time", entities=[BUYER], row_id="sale", schema=schema).spec.row_id == "sale"
