"""Which group a row belongs to."""

from __future__ import annotations

import numpy as np
import pytest

from nowthen.engine.folds.owners import owners

pytestmark = pytest.mark.usefixtures("loops")

OFFSETS = np.array([0, 0, 3, 3, 4, 9, 9, 9])


@pytest.mark.parametrize("order", ["rising", "falling", "random"])
def test_a_row_belongs_to_the_last_group_that_begins_before_it(order: str) -> None:
    rows = np.repeat(np.arange(9), 3)
    rows = {"rising": rows, "falling": rows[::-1], "random": np.random.default_rng(1).permutation(rows)}[order]
    wanted = [next(g for g in range(7) if OFFSETS[g] <= row < OFFSETS[g + 1]) for row in rows]
    assert owners(OFFSETS, rows).tolist() == wanted


def test_the_end_of_all_rows_belongs_to_the_last_group() -> None:
    assert owners(OFFSETS, np.array([9, 0, 9])).tolist() == [6, 1, 6]


def test_where_there_are_no_rows_the_last_group_is_meant() -> None:
    assert owners(np.array([0, 0, 0]), np.array([0, 0])).tolist() == [1, 1]
