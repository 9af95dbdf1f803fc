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
