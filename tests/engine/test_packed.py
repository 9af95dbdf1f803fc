"""Packed tables: rows by bucket, in order, whatever their columns hold; in memory and in files."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from nowthen.engine.running.filed import Filed
from nowthen.engine.running.packed import Packed, pack, put_together
from nowthen.engine.running.shelf import Shelf

FRAME = pl.DataFrame(
    {
        "whole": [1, 2, 3, 4, 5],
        "real": [0.5, None, 2.5, float("nan"), -0.0],
        "text": ["a", None, "c", "d", "e"],
        "day": [date(2020, 1, day) for day in range(1, 6)],
        "yes": [True, False, None, True, False],
    }
)
BUCKET = np.array([2, 0, 2, -1, 0])


def test_a_bucket_holds_its_rows_in_their_order(loops: None) -> None:
    packed = pack(FRAME, BUCKET, 3)
    assert packed.sizes == (2, 0, 2)
    assert packed.buckets(0, 1).equals(FRAME[[1, 4]])
    assert packed.buckets(1, 2).equals(FRAME[[]])
    assert packed.buckets(2, 3).equals(FRAME[[0, 2]])


def test_neighbouring_buckets_are_one_stretch(loops: None) -> None:
    assert pack(FRAME, BUCKET, 3).buckets(0, 3).equals(FRAME[[1, 4, 0, 2]])


def test_rows_that_stand_by_bucket_are_not_moved(loops: None) -> None:
    packed = pack(FRAME, np.array([0, 0, 1, 1, 2]), 3)
    assert packed.frame is FRAME
    assert packed.sizes == (2, 2, 1)


def test_no_rows_make_empty_buckets(loops: None) -> None:
    assert pack(FRAME.clear(), np.array([], dtype=np.int64), 2).sizes == (0, 0)


def test_tables_put_together_follow_each_other() -> None:
    assert put_together([FRAME[:2], FRAME[2:]]).equals(FRAME)


def test_a_shelf_keeps_what_fits_and_files_the_rest(loops: None) -> None:
    packed = pack(FRAME, BUCKET, 3)
    with Shelf(packed.nbytes) as shelf:
        first, second = shelf.keep(packed), shelf.keep(packed)
        assert isinstance(first, Packed)
        assert isinstance(second, Filed)
        assert shelf.spilled(second) > 0
        for bucket in range(3):
            assert second.buckets(bucket, bucket + 1).equals(packed.buckets(bucket, bucket + 1))


def test_a_shelf_leaves_no_file_behind(loops: None) -> None:
    packed = pack(FRAME, BUCKET, 3)
    with Shelf(0) as shelf:
        filed = shelf.keep(packed)
        assert isinstance(filed, Filed)
        folder = Path(filed.path).parent
        assert folder.exists()
    assert not folder.exists()


def test_what_is_dropped_makes_room(loops: None) -> None:
    packed = pack(FRAME, BUCKET, 3)
    with Shelf(packed.nbytes) as shelf:
        shelf.drop(shelf.keep(packed))
        assert isinstance(shelf.keep(packed), Packed)
