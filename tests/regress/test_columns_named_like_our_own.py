"""NowThen finds its own columns by name. A user's column `__sequence` decided which of two rows was the later, `__until` ended rows that
had no later version, and a key `__row` met the numbers of rows once there were many. None of them is taken any more, wherever it comes from.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import nowthen as nt
from nowthen.engine.language.definition import from_json, to_json
from nowthen.engine.language.reserved import RUN, STORE

HOUSE = Path(nt.__file__).parent
START = datetime(2020, 1, 1, tzinfo=UTC)
ROWS = pl.DataFrame({"k": [1, 1], "t": [START, START], "x": [1.0, 2.0]})
SPINE = ROWS.select("k", "t")[:1]
CARD = nt.Entity("card", keys={"k": pl.Int64})
REFUSED = "keeps the name '__sequence' for a column of its own. Rename the column"


def source(rows: object, **options: object) -> nt.Source:
    return nt.Source("ev", rows, event_time="t", entities=[CARD], **options)  # type: ignore[arg-type]


def last(ev: nt.Source) -> Any:
    return nt.feature_view("v", entity=CARD, features={"f": ev["x"].last()})


def test_the_list_has_every_name_that_the_engine_and_the_store_write() -> None:
    code = "\n".join(path.read_text() for part in ("engine", "store") for path in (HOUSE / part).rglob("*.py"))
    code = code.replace((HOUSE / "engine/language/reserved.py").read_text(), "")
    assert set(re.findall(r'"(__[a-z]+)"', code)) == RUN | STORE


@pytest.mark.parametrize("name", sorted(RUN | STORE))
def test_a_source_a_key_and_a_request_field_of_such_a_name_are_refused(name: str) -> None:
    for make in (
        lambda: source(nt.Frame(ROWS.with_columns(pl.lit(3).alias(name)))),
        lambda: nt.Entity("card", keys={name: pl.Int64}),
        lambda: nt.Request({name: pl.Int64}),
    ):
        with pytest.raises(nt.Invalid, match=f"keeps the name '{name}'"):
            make()


@pytest.mark.parametrize("name", sorted(RUN))
def test_a_spine_with_such_a_column_is_refused(name: str) -> None:
    with pytest.raises(nt.Invalid, match=f"the spine: NowThen keeps the name '{name}'"):
        nt.training_set(SPINE.with_columns(pl.lit(3).alias(name)), last(source(nt.Frame(ROWS))), at="t")


def test_data_that_comes_later_with_such_a_column_is_refused() -> None:
    train = nt.training_set(
        SPINE,
        last(source(None, schema=ROWS.schema)),
        at="t",
        sources={"ev": ROWS.with_columns(__sequence=pl.Series([9, 3]))},
    )
    with pytest.raises(nt.Invalid, match=REFUSED):
        train.collect()


def test_a_schema_does_not_hide_such_a_column_of_the_data() -> None:
    ev = source(nt.Frame(ROWS.with_columns(__sequence=pl.Series([9, 3]))), schema=ROWS.schema)
    with pytest.raises(nt.Invalid, match=REFUSED):
        nt.training_set(SPINE, last(ev), at="t").collect()


def test_rows_as_a_store_holds_them_are_a_source_and_a_spine(tmp_path: Path) -> None:
    ev = source(nt.Frame(ROWS))
    store = nt.connect(tmp_path / "store")
    store.ingest(ev)
    stored = source(store.events(ev))
    again = from_json(to_json(last(stored)))
    assert again.spec.features["f"].expr.source.schema == stored.spec.schema
    for data in ({}, {"ev": store.events(ev)}):
        train = nt.training_set(store.events(ev), last(stored), at="t", sources=data)
        assert train.collect()["f"].to_list() == [2.0, 2.0]
