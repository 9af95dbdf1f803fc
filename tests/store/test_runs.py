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
SAID = {b"lance-encoding:rle-threshold": b"0"}

CASES: dict[str, tuple[Callable[[], pa.Array], bool]] = {
    "whole numbers that differ": (lambda: pa.array(RISING), True),
    "floats that differ": (lambda: pa.array(RISING / 7), True),
    "short ones": (lambda: pa.array(RISING.astype(np.int8)), True),
    "times": (lambda: pa.array(RISING, pa.timestamp("us", "UTC")), True),
    "dates": (lambda: pa.array(RISING.astype(np.int32), pa.date32()), True),
    "half floats": (lambda: pa.array(RISING.astype(np.float16)), True),
    "pairs": (lambda: pa.array(RISING // 2), False),
    "one in thirty equals the one before": (lambda: pa.array(RISING - (RISING % 30 == 1)), False),
    "one in a hundred": (lambda: pa.array(RISING - (RISING % 100 == 1)), True),
    "one value": (lambda: pa.array(np.zeros(N)), False),
    "no number at all": (lambda: pa.array(np.full(N, np.nan)), False),
    "both zeros in turn": (lambda: pa.array(np.where(RISING % 2, 0.0, -0.0)), True),
    "nulls": (lambda: pa.array([None, *RISING[1:].tolist()]), False),
    "text": (lambda: pa.array(RISING.astype(str)), False),
    "truth values": (lambda: pa.array(RISING % 2 == 0), False),
    "decimals": (lambda: pa.array(RISING.tolist(), pa.decimal128(10)), False),
    "lists": (lambda: pa.array([[one] for one in RISING.tolist()]), False),
    "no rows": (lambda: pa.array([], pa.int64()), False),
}


def said(table: pa.Table) -> list[Any]:
    """What is said of each column; the rows are still the same."""
    again, schema = runs.told(iter(table.to_batches(max_chunksize=64)), table.schema)
    # Compared as text, as what is no number equals nothing.
    assert repr(pa.Table.from_batches(list(again), table.schema).to_pylist()) == repr(table.to_pylist())
    assert schema.equals(table.schema)
    assert schema.metadata == table.schema.metadata
    return [one.metadata for one in schema]


@pytest.mark.parametrize("name", CASES)
def test_runs_are_not_sought_where_few_values_equal_the_one_before(name: str) -> None:
    made, unsought = CASES[name]
    assert said(pa.table({"x": made()})) == [SAID if unsought else None]


def test_each_column_is_looked_at_by_itself_and_keeps_what_is_said_of_it() -> None:
    unit = {b"unit": b"s"}
    fields = [pa.field(name, pa.int64(), metadata=unit) for name in ("one", "many", "many")]
    table = pa.table(
        [pa.array(np.zeros(N, int)), pa.array(RISING), pa.array(RISING)], pa.schema(fields, {"about": "x"})
    )
    again, schema = runs.told(table.to_batches(), table.schema)
    assert [one.metadata for one in schema] == [unit, unit | SAID, unit | SAID]
    assert [one.metadata for one in runs.untold(schema)] == [unit, unit, unit]
    assert runs.untold(schema).metadata == {b"about": b"x"}
    assert pa.Table.from_batches(list(again)) == table


def test_slices_count_their_own_rows_alone() -> None:
    table = pa.table({"x": np.concatenate([RISING, np.zeros(N, int)])})
    assert (said(table[N:]), said(table[:N]), said(table)) == ([None], [SAID], [None])


def test_of_rows_that_come_bit_by_bit_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "_LOOKED_BYTES", 8 * N - 1)
    assert said(pa.table({"x": RISING})) == [None]
    assert said(pa.table({"x": RISING[1:]})) == [SAID]
