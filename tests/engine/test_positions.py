"""Places and positions: numpy and the compiled loops say the same as a plain loop."""

from __future__ import annotations

import numpy as np
import pytest

from nowthen.engine.positions import distinct, never_falls, places, rises, smallest, spread, take, upper_indices
from nowthen.engine.window import End

RANDOM = np.random.default_rng(5)


pytestmark = pytest.mark.usefixtures("loops")


def test_an_end_stands_after_the_last_event_of_its_group_up_to_it() -> None:
    sizes = RANDOM.integers(0, 60, 20)
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    time = np.concatenate([np.sort(RANDOM.integers(0, 100, size)) for size in sizes]).astype(np.int64)
    group, asked = RANDOM.integers(0, 20, 500), RANDOM.integers(-10, 110, 500)
    for order in (np.arange(500), np.lexsort((asked, group))):  # questions in any order, and by group and time
        ends = [End(asked[order]), End(asked[order], 7), End(asked[order] // 10 * 10)]
        found = upper_indices(time, offsets, group[order], asked[order], ends)
        for index, end in zip(found, ends, strict=True):
            of = [slice(offsets[g], offsets[g + 1]) for g in group[order]]
            wanted = [part.start + int((time[part] <= limit).sum()) for part, limit in zip(of, end(), strict=True)]
            assert index.tolist() == wanted


@pytest.mark.parametrize("in_order", [True, False])
def test_rows_go_to_their_place_by_group(in_order: bool) -> None:
    group = RANDOM.integers(-1, 5, 300)
    order = np.arange(300) if in_order else RANDOM.permutation(300)
    place, offsets = places(group, 5, None if in_order else order)
    assert place is not None
    wanted = sorted((row for row in order.tolist() if group[row] >= 0), key=lambda row: group[row])
    assert spread(np.arange(300), place, int(offsets[-1])).tolist() == wanted
    assert (place[group < 0] == -1).all()
    assert offsets.tolist() == [int(((group >= 0) & (group < g)).sum()) for g in range(6)]


def test_what_was_spread_is_taken_back() -> None:
    place = RANDOM.permutation(100)
    for values in (RANDOM.random(100), RANDOM.random(100) < 0.5, np.array([f"{i}" for i in range(100)], dtype=object)):
        assert take(spread(values, place, 100), place).tolist() == values.tolist()


def test_indices_take_half_the_memory_where_they_fit() -> None:
    assert [smallest(span).itemsize for span in (10, 2**31 - 2, 2**31 - 1, 2**40)] == [4, 4, 8, 8]


@pytest.mark.parametrize(
    "values, rise, fall",
    [([], True, False), ([3], True, False), ([1, 2, 3], True, False), ([1, 1, 2], False, False), ([2, 1], False, True)],
)
def test_order_is_seen(values: list[int], rise: bool, fall: bool) -> None:
    array = np.array(values, dtype=np.int64)
    assert (rises(array), never_falls(array)) == (rise, not fall)


def test_values_that_come_twice_are_found() -> None:
    assert distinct(np.array([5, 3, 4]), 3, 3)
    assert not distinct(np.array([5, 3, 5]), 3, 3)
