"""Ranks and counts of codes in ranges, by the bits of the codes, against sorting and counting."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from nowthen.engine.folds import compiled
from nowthen.engine.folds.column import Index
from nowthen.engine.folds.ranks import earlier, keys, ranked
from nowthen.engine.folds.wavelet import Wavelet

RANDOM = np.random.default_rng(7)
SIZES = {
    "one row": [1],
    "no row": [0, 0],
    "words filled to the last bit": [64, 128, 63, 65, 1],
    "empty groups on all sides": [0, 0, 5, 0, 200, 3, 0],
    "small": RANDOM.integers(0, 12, 60).tolist(),
    "large": [1000, 2, 3000],
}


def offsets_of(sizes: list[int]) -> Index:
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)


def codes_of(offsets: Index, *, distinct: bool) -> Index:
    """Numbers of a group's rows, each once or some several times."""
    parts = [
        first + (RANDOM.permutation(last - first) if distinct else RANDOM.integers(0, last - first, last - first))
        for first, last in pairwise(offsets.tolist())
        if first < last
    ]
    return np.concatenate([np.empty(0, dtype=np.int64), *parts])


def ranges(offsets: Index, count: int = 30) -> tuple[Index, Index]:
    """Ranges within groups, in any order."""
    ends = [np.sort(RANDOM.integers(first, last + 1, (2, count)), axis=0) for first, last in pairwise(offsets.tolist())]
    start, stop = np.concatenate(ends, axis=1)
    order = RANDOM.permutation(len(start))
    return start[order], stop[order]


every_size = pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)


@every_size
@pytest.mark.parametrize("distinct", [True, False], ids=["distinct", "with ties"])
def test_the_kth_least_of_a_range_is_that_of_its_sorted_rows(sizes: list[int], distinct: bool, loops: None) -> None:
    offsets = offsets_of(sizes)
    codes = codes_of(offsets, distinct=distinct)
    start, stop = ranges(offsets)
    some = start < stop
    start, stop = start[some], stop[some]
    k = RANDOM.integers(0, stop - start)
    wanted = [np.sort(codes[a:b])[one] for a, b, one in zip(start, stop, k, strict=True)]
    assert Wavelet.of(codes, offsets).smallest(start, stop, k).tolist() == wanted


@every_size
@pytest.mark.parametrize("distinct", [True, False], ids=["distinct", "with ties"])
def test_neighbours_are_two_ranks_found_together(sizes: list[int], distinct: bool, loops: None) -> None:
    offsets = offsets_of(sizes)
    codes = Wavelet.of(codes_of(offsets, distinct=distinct), offsets)
    start, stop = ranges(offsets)
    start, stop = start[start < stop], stop[start < stop]
    low = RANDOM.integers(0, stop - start)
    high = np.minimum(low + RANDOM.integers(0, 2, len(low)), stop - start - 1)
    found = codes.neighbours(start, stop, low, high)
    assert [one.tolist() for one in found] == [codes.smallest(start, stop, k).tolist() for k in (low, high)]


@every_size
def test_codes_up_to_another_are_counted(sizes: list[int], loops: None) -> None:
    offsets = offsets_of(sizes)
    codes = codes_of(offsets, distinct=False)
    start, stop = ranges(offsets)
    group = np.searchsorted(offsets, start, side="right") - 1
    most = np.minimum(start + RANDOM.integers(0, 5, len(start)), offsets[np.minimum(group + 1, len(sizes))] - 1)
    wanted = [int((codes[a:b] <= one).sum()) for a, b, one in zip(start, stop, most, strict=True)]
    assert Wavelet.of(codes, offsets).at_most(start, stop, most).tolist() == wanted


@every_size
def test_both_forms_lay_the_codes_out_alike(sizes: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    offsets = offsets_of(sizes)
    codes = codes_of(offsets, distinct=False)
    words = []
    for loops in (None, compiled.warm()):
        monkeypatch.setattr(compiled, "kernels", lambda work, loops=loops: loops)
        words.append(Wavelet.of(codes, offsets).words.tolist())
    assert words[0] == words[1]


@pytest.mark.parametrize("rows, most", [(3, 16.0), (100, 3.0), (100_000, 4.5)])
def test_a_layout_takes_as_many_bytes_a_row_as_its_description_says(rows: int, most: float) -> None:
    offsets = np.arange(0, 200_001, rows)
    codes = np.arange(offsets[-1])
    assert Wavelet.of(codes, offsets).words.nbytes / len(codes) <= most


@every_size
def test_a_row_knows_where_its_value_stood_before_in_its_group(sizes: list[int], loops: None) -> None:
    offsets = offsets_of(sizes)
    values = RANDOM.integers(0, 5, offsets[-1])
    wanted = []
    for first, last in pairwise(offsets.tolist()):
        for row in range(first, last):
            before = [other + 1 for other in range(first, row) if values[other] == values[row]]
            wanted.append(max(before, default=first))
    assert earlier(values, offsets).tolist() == wanted


@every_size
def test_rows_are_ranked_within_their_group_equal_ones_as_they_stand(sizes: list[int], loops: None) -> None:
    offsets = offsets_of(sizes)
    values = RANDOM.integers(-9, 9, offsets[-1])
    place, rows = ranked(values, offsets)
    group = np.repeat(np.arange(len(sizes)), sizes)
    assert rows.tolist() == np.lexsort((values, group)).tolist()
    assert place[rows].tolist() == list(range(len(values)))


def test_keys_stand_in_the_order_of_floats_with_nan_last_and_one_zero() -> None:
    values = np.array([np.nan, 1e300, -np.inf, -0.0, 0.0, -5e-324, np.inf, -np.nan, -1.5])
    assert keys(values).argsort(kind="stable").tolist() == [2, 8, 5, 3, 4, 1, 6, 0, 7]
    assert len(set(keys(values).tolist())) == 7


def test_keys_stand_in_the_order_of_texts_and_of_the_largest_integers() -> None:
    assert keys(np.array(["b", "", "é", "a", "b"], dtype=object)).tolist() == [3, 1, 4, 2, 3]
    assert keys(np.array([2**63, 0, 2**64 - 1, 2**63 - 1], dtype=np.uint64)).argsort().tolist() == [1, 3, 0, 2]
