"""Places and positions: numpy and the compiled loops say the same as a plain loop."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from nowthen.engine.folds.column import Index
from nowthen.engine.folds.positions import distinct, ordered, places, rises, smallest, spread, take, upper_indices
from nowthen.engine.language.window import End

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


DISORDERS: dict[str, Callable[[Index], Index]] = {
    "none": lambda time: time,
    "neighbours": lambda time: time + RANDOM.integers(0, 4, len(time)),
    "some rows": lambda time: np.where(RANDOM.random(len(time)) < 0.02, RANDOM.integers(0, 2000, len(time)), time),
    "all rows": RANDOM.permutation,
    "backwards": lambda time: time[::-1].copy(),
}


@pytest.mark.parametrize("disorder", DISORDERS)
@pytest.mark.parametrize("groups", [1, 7, 300])
@pytest.mark.parametrize("ties", [0, 1, 2])
def test_rows_go_to_their_place_by_group_time_and_ties(disorder: str, groups: int, ties: int) -> None:
    time = DISORDERS[disorder](np.sort(RANDOM.integers(0, 1000, 2000)))
    group = RANDOM.integers(-1, groups, 2000)
    others = [RANDOM.integers(0, 3, 2000) for _ in range(ties)]
    place, offsets = places(group, groups, time, others)
    assert place is not None
    wanted = np.lexsort((*reversed(others), time, group))[int((group < 0).sum()) :]
    assert spread(np.arange(2000), place, int(offsets[-1])).tolist() == wanted.tolist()
    assert (place[group < 0] == -1).all()
    assert offsets.tolist() == [int(((group >= 0) & (group < g)).sum()) for g in range(groups + 1)]


@pytest.mark.parametrize("apart", [1, 10**6, 2**42, 2**58])
@pytest.mark.parametrize("groups", [1, 300, 2**31])
@pytest.mark.parametrize("disorder", DISORDERS)
def test_rows_are_ordered_by_group_time_and_position_however_far_apart_they_are(
    disorder: str, groups: int, apart: int
) -> None:
    time = DISORDERS[disorder](np.sort(RANDOM.integers(0, 1000, 500))) // 80 * apart + RANDOM.integers(0, 3, 500)
    group = RANDOM.integers(-1, groups, 500) % RANDOM.integers(1, groups + 1)
    assert ordered(group, time).tolist() == np.lexsort((time, group)).tolist()


def test_no_rows_have_an_order() -> None:
    assert ordered(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)).tolist() == []


@pytest.mark.parametrize("group", [[0, 0, 0, 2, 2], [0, 0, 0, 2, 1], [-1, 0, 0, 2, 2]])
def test_rows_that_stand_by_group_and_time_stay(group: list[int]) -> None:
    time, tie = np.array([3, 4, 4, 1, 9]), np.array([5, 5, 6, 0, 0])
    place, offsets = places(np.array(group), 3, time, [tie])
    assert (place is None) == (group == [0, 0, 0, 2, 2])
    assert offsets.tolist() == [sum(0 <= g < k for g in group) for k in range(4)]


@pytest.mark.parametrize("tie", [[5, 5, 4], [5, 6, 7]])
def test_ties_that_fall_are_no_order(tie: list[int]) -> None:
    place, _ = places(np.zeros(3, dtype=np.int64), 1, np.array([3, 4, 4]), [np.array(tie)])
    assert (place is None) == (tie == [5, 6, 7])


def test_what_was_spread_is_taken_back() -> None:
    place = RANDOM.permutation(100)
    for values in (RANDOM.random(100), RANDOM.random(100) < 0.5, np.array([f"{i}" for i in range(100)], dtype=object)):
        assert take(spread(values, place, 100), place).tolist() == values.tolist()


def test_indices_take_half_the_memory_where_they_fit() -> None:
    assert [smallest(span).itemsize for span in (10, 2**31 - 2, 2**31 - 1, 2**40)] == [4, 4, 8, 8]


@pytest.mark.parametrize("values, rise", [([], True), ([3], True), ([1, 2, 3], True), ([1, 1, 2], False)])
def test_values_that_rise_are_seen(values: list[int], rise: bool) -> None:
    assert rises(np.array(values, dtype=np.int64)) == rise


def test_values_that_come_twice_are_found() -> None:
    assert distinct(np.array([5, 3, 4]), 3, 3)
    assert not distinct(np.array([5, 3, 5]), 3, 3)
