"""What Lance is told of columns: not to look for runs of equal values where they are many, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from nowthen.store.tables import runs

N = 1_000
RISING = np.arange(N)

CASES: dict[str, tuple[Callable[[], pa.Array], bool]] = {
    "whole numbers that differ": (lambda: pa.array(RISING), True),
    "floats that differ": (lambda: pa.array(RISING / 7), True),
    "short ones": (lambda: pa.array(RISING.astype(np.int8)), True),
    "times": (lambda: pa.array(RISING, pa.timestamp("us", "UTC")), True),
    "dates": (lambda: pa.array(RISING.astype(np.int32), pa.date32()), True),
    "pairs": (lambda: pa.array(RISING // 2), False),
    "a few more than pairs": (lambda: pa.array(np.where(RISING < 100, RISING, RISING // 2 + N)), True),
    "one value": (lambda: pa.array(np.zeros(N)), False),
    "no number at all": (lambda: pa.array(np.full(N, np.nan)), False),
    "both zeros in turn": (lambda: pa.array(np.where(RISING % 2, 0.0, -0.0)), True),
    "nulls": (lambda: pa.array([None, *RISING[1:].tolist()]), False),
    "text": (lambda: pa.array(RISING.astype(str)), False),
    "truth values": (lambda: pa.array(RISING % 2 == 0), False),
    "lists": (lambda: pa.array([[one] for one in RISING.tolist()]), False),
    "no rows": (lambda: pa.array([], pa.int64()), False),
}


def told(table: pa.Table, rows: int = 64) -> dict[str, Any]:
    """What is said of each column; the rows are still the same."""
    again, schema = runs.encoded(iter(table.to_batches(max_chunksize=rows)), table.schema)
    assert repr(pa.Table.from_batches(list(again), table.schema).to_pylist()) == repr(
        table.to_pylist()
    )  # no number is none
    assert schema.equals(table.schema)
    assert schema.metadata == table.schema.metadata
    return {one.name: one.metadata for one in schema}


@pytest.mark.parametrize("name", CASES)
def test_runs_are_not_sought_where_they_are_more_than_half_of_the_rows(name: str) -> None:
    made, unsought = CASES[name]
    expected = {b"lance-encoding:rle-threshold": b"0"} if unsought else None
    assert told(pa.table({"x": made()})) == {"x": expected}


def test_each_column_is_looked_at_by_itself_and_keeps_what_is_said_of_it() -> None:
    fields = [pa.field("one", pa.int64(), metadata={"unit": "s"}), pa.field("many", pa.int64(), metadata={"unit": "s"})]
    table = pa.table([pa.array(np.zeros(N, int)), pa.array(RISING)], pa.schema(fields, {"about": "x"}))
    assert told(table) == {"one": {b"unit": b"s"}, "many": {b"unit": b"s", b"lance-encoding:rle-threshold": b"0"}}


def test_slices_count_their_own_rows_alone() -> None:
    table = pa.table({"x": np.concatenate([RISING, np.zeros(N, int)])})
    assert told(table[N:]) == {"x": None}
    assert told(table[:N])["x"] is not None
    assert told(table)["x"] is None, "half of the rows and one run more"


def test_of_rows_that_come_bit_by_bit_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "_LOOKED_BYTES", 8 * N - 1)
    assert told(pa.table({"x": RISING})) == {"x": None}
    assert told(pa.table({"x": RISING[1:]}))["x"] is not None
