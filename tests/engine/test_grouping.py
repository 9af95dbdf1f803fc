"""Grouping: equal keys get equal codes, whatever their type, and null keys equal none."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import numpy as np
import polars as pl
import pytest

from nowthen.engine.errors import Invalid, WrongType
from nowthen.engine.folds import compiled
from nowthen.engine.folds.grouping import Coder, Order, codes

DTYPES: list[tuple[pl.DataType, list[Any]]] = [
    (pl.Int64(), [1, 2, 3]),
    (pl.Int64(), [-(2**63), 0, 2**63 - 1]),
    (pl.Int8(), [-128, 0, 127]),
    (pl.UInt64(), [2**63, 2**63 + 1, 2**64 - 1]),
    (pl.UInt8(), [0, 1, 255]),
    (pl.String(), ["", "a", "ä"]),
    (pl.Boolean(), [True, False]),
    (pl.Datetime("us"), [datetime(1900, 1, 1), datetime(1970, 1, 1), datetime(2026, 1, 1)]),
    (pl.Date(), [date(1900, 1, 1), date(1970, 1, 1), date(2026, 1, 1)]),
]

pytestmark = pytest.mark.usefixtures("loops")


@pytest.mark.parametrize("dtype, values", DTYPES, ids=lambda part: str(part)[:20])
def test_events_meet_the_questions_of_their_key(dtype: pl.DataType, values: list[Any]) -> None:
    asked = [values[0], None, *values[1:], values[0]]
    held = [*reversed(values), None, values[0]]
    for part in (asked, asked[:2], asked[1:2]):
        group, asked_group, groups = codes(frame(dtype, held), frame(dtype, part), {"key": dtype})
        for i, one in enumerate(held):
            for j, other in enumerate(part):
                assert (group[i] == asked_group[j]) == (one is not None and one == other)
        assert group.max() < groups
        assert asked_group.max() < groups
        assert asked_group.min() >= 0


SPANS = {"close together": 900, "far apart": 2**62}


@pytest.mark.parametrize("span", SPANS)
@pytest.mark.parametrize("nulls", [False, True])
def test_a_coder_gives_any_number_of_frames_their_codes(span: str, nulls: bool) -> None:
    random = np.random.default_rng(1)
    some = random.integers(-SPANS[span], SPANS[span], 3000)

    def drawn(n: int) -> pl.DataFrame:
        keys = pl.Series("key", random.choice(some, n))
        return pl.DataFrame(keys.scatter(range(0, n, 7), None) if nulls else keys)

    asked = drawn(2000)
    coder = Coder.of(asked, {"key": pl.Int64()})
    code_of = dict(zip(asked["key"].to_list(), coder.asked.tolist(), strict=True))
    assert len(set(code_of.values())) == len(code_of)
    for held in (drawn(5000), drawn(10), asked, drawn(0)):
        wanted = [-1 if key is None else code_of.get(key, -1) for key in held["key"].to_list()]
        found = coder.codes(held)
        assert [code if code in code_of.values() else -1 for code in found.tolist()] == wanted
        assert len(held) == 0 or found.max() < coder.groups


def test_codes_of_hashed_keys_follow_the_keys() -> None:
    if compiled.kernels(0) is None:
        pytest.skip("keys far apart are hashed by compiled loops alone")
    for dtype, keys in ((pl.Int64(), [-(2**62), -3, 0, 2**62]), (pl.UInt64(), [0, 3, 2**63, 2**64 - 1])):
        asked = frame(dtype, [keys[2], None, keys[0], keys[3], keys[1]])
        coder = Coder.of(asked, {"key": dtype})
        assert coder.asked.tolist() == [2, 4, 0, 3, 1]
        assert coder.codes(frame(dtype, [*keys, None, 1])).tolist() == [0, 1, 2, 3, -1, -1]


def test_codes_for_keys_far_apart_are_few_where_each_costs_memory_however_many_rows_come() -> None:
    asked, held = frame(pl.Int64(), [5, None, 9_000_000, 5]), frame(pl.Int64(), [9_000_000, 6, 5, None, -1])
    wide, lean = (Coder.of(asked, {"key": pl.Int64()}, rows=5_000_000, lean=lean) for lean in (False, True))
    assert wide.groups == 9_000_000 - 5 + 2
    assert lean.groups == (3 if compiled.kernels(0) else wide.groups)
    first, last = lean.asked[0], lean.asked[2]
    assert lean.asked.tolist() == [first, lean.groups - 1, last, first]
    found = lean.codes(held).tolist()
    assert (found[0], found[2:]) == (last, [first, -1, -1])
    assert found[1] not in (first, last)


def test_events_that_are_asked_about_meet_themselves_unless_their_key_is_null() -> None:
    rows = pl.DataFrame({"key": [4, None, 4, 5]})
    group, asked_group, groups = codes(rows, rows, {"key": pl.Int64()})
    assert group.tolist() == [0, -1, 0, 1]
    assert asked_group.tolist() == [0, groups - 1, 0, 1]


def frame(dtype: pl.DataType, values: list[Any]) -> pl.DataFrame:
    return pl.DataFrame({"key": pl.Series(values, dtype=dtype)})


def test_a_composite_key_with_a_null_part_is_unknown() -> None:
    keys = {"a": pl.Int64(), "b": pl.String()}
    held = pl.DataFrame({"a": [1, 1, None], "b": ["x", None, "x"]})
    asked = pl.DataFrame({"a": [1, 1, None, 2], "b": ["x", None, "x", "x"]})
    group, asked_group, _ = codes(held, asked, keys)
    assert [(group == one).any() for one in asked_group] == [True, False, False, False]


def test_without_keys_all_rows_are_one_group() -> None:
    group, asked_group, _ = codes(pl.DataFrame({"x": [1, 2]}), pl.DataFrame({"x": [5]}), {})
    assert group.tolist() == [0, 0]
    assert asked_group.tolist() == [0]


def test_a_key_that_does_not_fit_its_type_is_refused() -> None:
    with pytest.raises(WrongType, match="key 'key' of the spine row 1: 300 does not fit Int8"):
        codes(pl.DataFrame({"key": [1]}), pl.DataFrame({"key": [1, 300]}), {"key": pl.Int8()})


MS, US, NS = (pl.Datetime(unit) for unit in ("ms", "us", "ns"))


@pytest.mark.parametrize("found, wanted", [(US, MS), (NS, US), (NS, NS)], ids=str)
def test_a_time_is_never_cut_to_the_key_of_another(found: pl.DataType, wanted: pl.DataType) -> None:
    fine = pl.DataFrame({"key": pl.Series([None, 1_999], dtype=found)})
    own = pl.DataFrame({"key": pl.Series([1], dtype=wanted).cast(wanted)})
    with pytest.raises(Invalid, match="key 'key' of the spine row 1: "):
        codes(own.clear(), fine, {"key": wanted})
    with pytest.raises(Invalid, match="key 'key' of the source row 1: "):
        codes(fine, own.clear(), {"key": wanted})


@pytest.mark.parametrize("found, number", [(MS, 5), (US, 5_000), (NS, 5_000_000)], ids=str)
def test_a_time_in_another_unit_is_the_same_key(found: pl.DataType, number: int) -> None:
    asked = pl.DataFrame({"key": pl.Series([5, None], dtype=pl.Int64).cast(MS)})
    group, asked_group, _ = codes(pl.DataFrame({"key": pl.Series([number], dtype=found)}), asked, {"key": MS})
    assert group.tolist() == asked_group[:1].tolist()


@pytest.mark.parametrize("dtype", [MS, US, pl.Date()], ids=str)
def test_a_key_that_python_has_no_time_for_is_refused(dtype: pl.DataType) -> None:
    far = pl.DataFrame({"key": pl.Series([None, 2**62 if dtype != pl.Date() else 2**30]).cast(dtype)})
    with pytest.raises(Invalid, match=r"row 1: .* is not in the years 1 to 9999"):
        codes(far, far, {"key": dtype})


def test_rows_are_sorted_by_group_time_ties_and_position() -> None:
    random = np.random.default_rng(0)
    group, time, tie = (random.integers(low, 4, 200) for low in (-1, 0, 0))
    order = Order.of(group, 4, time, tie)
    wanted = sorted((i for i in range(200) if group[i] >= 0), key=lambda i: (group[i], time[i], tie[i], i))
    assert order.sorted(np.arange(200)).tolist() == wanted
    assert order.offsets.tolist() == [sum(0 <= g < k for g in group) for k in range(5)]


@pytest.mark.parametrize("rows", [0, 1, 5_000])
def test_what_was_put_in_order_goes_back(rows: int) -> None:
    random = np.random.default_rng(rows)
    order = Order.of(random.integers(0, 40, rows), 40, random.integers(0, 9, rows))
    numbers = random.integers(0, 99, rows)
    for values in (random.random(rows), numbers > 50, numbers.astype(np.int8), numbers.astype(str).astype(object)):
        assert order.undone(order.sorted(values)).tolist() == values.tolist()


def test_rows_that_were_left_out_do_not_come_back() -> None:
    order = Order.of(np.array([1, -1, 0]), 2, np.arange(3))
    with pytest.raises(AssertionError):
        order.undone(order.sorted(np.arange(3)))
