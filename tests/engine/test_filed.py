"""What waits in files is what was put there, in whichever form it waits, whole or in stretches of the spine's rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from nowthen.engine.folds.ask import Answer
from nowthen.engine.folds.column import Column
from nowthen.engine.running.filed import FiledArrays, FiledPart, filed, filed_briefly
from nowthen.engine.running.parts import Part

ROWS = np.array([0, 2, 3, 7, 8, 11])
NUMBERS: dict[str, tuple[pl.DataType, list[Any]]] = {
    "count": (pl.Int64(), [1, 2, 3, 4, 5, 6]),
    "small": (pl.UInt8(), [1, None, 3, None, 5, 255]),
    "mean": (pl.Float64(), [0.5, None, float("nan"), -0.0, float("inf"), 1e300]),
    "truth": (pl.Boolean(), [True, False, None, True, False, None]),
    "time": (pl.Datetime("us", "UTC"), [0, 1, None, 2**50, -1, 5]),
    "day": (pl.Date(), [0, None, 1, -1, 20_000, 3]),
}
OTHERS: dict[str, tuple[pl.DataType, list[Any]]] = {
    "text": (pl.String(), ["a", None, "", "ä" * 20, "b", "c"]),
    "lists": (pl.List(pl.Float64()), [[1.0], None, [], [float("nan"), 2.0], [3.0], [4.0, 5.0]]),
}


def part(columns: dict[str, tuple[pl.DataType, list[Any]]], *, all_rows: bool = False, status: bool = True) -> Part:
    answers = {}
    for number, (name, (dtype, values)) in enumerate(columns.items()):
        found = np.arange(len(ROWS)) % 2 == 0 if status else None
        expired = ~found if found is not None and number % 2 else None
        answers[name] = Answer(Column.from_series(pl.Series(values).cast(dtype)), found, expired)
    return Part(None if all_rows else ROWS, answers)


def told(part: Part) -> list[Any]:
    """All that a part says, nulls as None, in a form that can be compared."""
    rows = None if part.rows is None else part.rows.tolist()
    said = [
        (slot, answer.value.dtype, repr(answer.value.to_series().to_list()), _listed(answer.found), _listed(answer.expired))
        for slot, answer in part.answers.items()
    ]  # fmt: skip
    return [rows, *said]


def _listed(mask: Any) -> Any:
    return None if mask is None else mask.tolist()


@pytest.mark.parametrize("file", [filed, filed_briefly])
@pytest.mark.parametrize("all_rows", [False, True])
@pytest.mark.parametrize("status", [False, True])
@pytest.mark.parametrize("columns", [NUMBERS, OTHERS, NUMBERS | OTHERS, {}], ids=["numbers", "others", "all", "none"])
def test_a_part_in_a_file_says_the_same(
    columns: dict[str, tuple[pl.DataType, list[Any]]], status: bool, all_rows: bool, file: Any, tmp_path: Path
) -> None:
    whole = part(columns, all_rows=all_rows, status=status)
    stands = file(whole, tmp_path / "part")
    for first, last in [(0, 12), (0, 6), (2, 5), (3, 8), (4, 4), (5, 6)]:
        if not all_rows or last <= len(ROWS):
            assert told(stands.between(first, last)) == told(whole.between(first, last))


def test_numbers_wait_as_they_are_and_others_in_arrow(tmp_path: Path) -> None:
    assert isinstance(filed_briefly(part(NUMBERS), tmp_path / "numbers"), FiledArrays)
    assert isinstance(filed_briefly(part(NUMBERS | OTHERS), tmp_path / "all"), FiledPart)
