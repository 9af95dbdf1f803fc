"""Keys that were erased: their rows up to then are dropped when a source still has them, and nobody can read the keys off the note."""

from __future__ import annotations

import json
from datetime import timedelta

import polars as pl
import pytest

from nowthen.store.rows.erased_keys import Erased, erased_note
from nowthen.store.rows.layout import layout_of
from nowthen.store.rows.source_note import SourceState

from . import shop

UPTO = int((shop.START + timedelta(hours=30)).timestamp() * 1_000_000)


def erased(note: dict[str, object]) -> Erased:
    spec = shop.source(shop.sales()).spec
    return Erased(SourceState("sales", layout_of(spec), 8, 86_400_000_000), note)


def test_rows_of_an_erased_key_are_dropped_up_to_when_it_was_erased() -> None:
    note = erased_note(None, "customer", pl.DataFrame({"customer_id": [3]}), UPTO)
    dropped = shop.sales().filter(pl.Series(erased(note).mask(shop.sales())))
    expected = shop.sales().filter((pl.col("customer_id") == 3) & (pl.col("when") <= shop.START + timedelta(hours=30)))
    assert dropped.equals(expected)


def test_keys_that_were_erased_before_stay_erased() -> None:
    first = erased_note(None, "customer", pl.DataFrame({"customer_id": [3]}), UPTO)
    both = erased_note(first, "place", pl.DataFrame({"place": ["p1"]}), UPTO)
    dropped = shop.sales(31).filter(pl.Series(erased(both).mask(shop.sales(31))))
    assert dropped.equals(
        shop.sales(31).filter((pl.col("customer_id") == 3).fill_null(False) | (pl.col("place") == "p1"))
    )


@pytest.mark.parametrize("key", [7, 2**40 + 1])
def test_a_note_does_not_tell_the_keys(key: int) -> None:
    notes = [erased_note(None, "customer", pl.DataFrame({"customer_id": [key]}), UPTO) for _ in range(2)]
    assert notes[0]["entities"] != notes[1]["entities"]
    assert f'"{key}"' not in json.dumps(notes[0])


def test_a_wider_key_is_the_same_key() -> None:
    note = erased_note(None, "customer", pl.DataFrame({"customer_id": [3]}, schema={"customer_id": pl.Int32}), UPTO)
    assert erased(note).mask(shop.sales(20)).sum() == 2
