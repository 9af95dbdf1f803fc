"""The hash of keys and rows. What it gave once it gives for ever: buckets on disks were placed by it."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import polars as pl
import pytest

from nowthen.engine.folds.hashing import bucket, content_hashes, key_hashes

pytestmark = pytest.mark.usefixtures("loops")


@pytest.mark.parametrize(
    "keys, hashes",
    [
        (
            pl.Series([0, 1, -1, 2**62]),
            [12035550249420947055, 6791897765849424158, 6755974106381971767, 13758858877095464340],
        ),
        (
            pl.Series(["", "a", "abcdefgh", "abcdefghi", "ä" * 20]),
            [
                12035550249420947055,
                14291139579252193271,
                13225188406043880956,
                5313049184131344851,
                15199698440096848512,
            ],
        ),
        (pl.Series([True, False]), [6791897765849424158, 12035550249420947055]),
        (pl.Series([date(2026, 1, 1)]), [57048893004706668]),
        (pl.Series([datetime(2026, 1, 1, tzinfo=UTC)]), [8891587087434991711]),
    ],
)
def test_hashes_never_change(keys: pl.Series, hashes: list[int]) -> None:
    assert key_hashes(keys.to_frame()).tolist() == hashes


def test_rows_without_keys_hash_alike() -> None:
    assert key_hashes(pl.DataFrame(height=5)).tolist() == [0] * 5


def test_several_keys_hash_together() -> None:
    both = pl.DataFrame({"a": [1, 1, 2], "b": ["x", "y", "x"]})
    assert len(set(key_hashes(both).tolist())) == 3


def test_width_and_unit_do_not_count() -> None:
    moment = pl.Series([datetime(2026, 1, 1)])
    assert (key_hashes(pl.DataFrame([moment])) == key_hashes(pl.DataFrame([moment.dt.cast_time_unit("ms")]))).all()
    assert (key_hashes(pl.DataFrame({"a": [7]})) == key_hashes(pl.DataFrame({"a": [7]}).cast(pl.UInt8))).all()


def test_a_null_key_is_in_the_first_bucket() -> None:
    assert bucket(pl.DataFrame({"a": [1, None, 3], "b": ["x", "y", None]}), 64).tolist()[1:] == [0, 0]


@pytest.mark.parametrize("buckets", [1, 7, 8, 1000])
def test_a_bucket_is_what_the_hash_leaves_over(buckets: int) -> None:
    keys = pl.DataFrame({"a": [0, 1, -1, 2**62], "b": ["x", "y", "z", "x"], "c": [1, 2, 3, 4]})
    assert bucket(keys, buckets).tolist() == (key_hashes(keys) % np.uint64(buckets)).tolist()


def test_the_hash_of_several_columns_never_changes() -> None:
    keys = pl.DataFrame(
        {"a": [3, -4], "b": [date(2026, 1, 1), None], "c": [datetime(2026, 1, 1), datetime(1960, 1, 1)]}
    )
    assert key_hashes(keys).tolist() == [9362304909519081514, 3719330168567525510]


def test_keys_spread_evenly() -> None:
    sizes = np.bincount(bucket(pl.DataFrame({"a": range(10_000)}), 16), minlength=16)
    assert sizes.min() > 500
    assert sizes.max() < 750


def test_a_slice_hashes_as_the_whole() -> None:
    texts = pl.DataFrame({"a": ["one", "two", None, "three"]})
    assert (key_hashes(texts[1:]) == key_hashes(texts)[1:]).all()


def test_content_ignores_the_order_of_columns_and_columns_of_nulls() -> None:
    rows = pl.DataFrame({"a": [1, 2], "b": ["x", None]})
    other = pl.DataFrame({"c": [None, None], "b": ["x", None], "a": [1, 2]})
    assert (content_hashes(rows) == content_hashes(other)).all()


def test_content_tells_columns_apart() -> None:
    rows = [pl.DataFrame({"a": [1], "b": [2]}), pl.DataFrame({"a": [2], "b": [1]})]
    assert content_hashes(rows[0]) != content_hashes(rows[1])


def test_content_of_nan_is_equal_to_itself() -> None:
    rows = pl.DataFrame({"a": [float("nan"), -float("nan")]})
    assert len(set(content_hashes(rows).tolist())) == 1


def test_content_of_nested_values_counts() -> None:
    rows = pl.DataFrame({"a": [[1], [2]], "b": [{"x": 1}, {"x": 1}], "c": [b"1", b"1"]})
    assert len(set(content_hashes(rows).tolist())) == 2
