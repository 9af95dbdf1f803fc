"""Columns that travel in pieces: what arrives is what was sent, without a copy where the pieces lie one behind the other."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import polars as pl
import pytest
import ray

from nowthen.engine.folds.column import Column
from nowthen.engine.running.ray_frames import pieces, register, together

LARGE = 300_000  # rows; three pieces of 8-byte values


@pytest.mark.parametrize("dtype", ["i8", "f8", "i4", "i2", "?"])
def test_pieces_are_the_array_again(dtype: str) -> None:
    values = np.arange(2 * LARGE).astype(dtype)
    values.flags.writeable = False
    cut = pieces(values)
    assert len(cut) == -(-values.nbytes // (960 << 10))
    assert max(one.nbytes for one in cut) < 1 << 20
    assert together(cut).dtype == values.dtype
    assert (together(cut) == values).all()
    assert np.shares_memory(together(cut), values)


def test_pieces_that_lie_elsewhere_or_may_be_written_to_are_copied_together() -> None:
    values = np.arange(LARGE)
    assert not np.shares_memory(together(pieces(values)), values)
    values.flags.writeable = False
    apart, turned = [one.copy() for one in pieces(values)], pieces(values)[::-1]
    for one in apart:
        one.flags.writeable = False
    assert (together(apart) == values).all()
    assert (together(turned) == np.concatenate(turned)).all()


def test_what_is_small_or_no_number_is_one_piece() -> None:
    assert len(pieces(np.arange(10))) == 1
    assert len(pieces(np.array([], dtype=np.float64))) == 1
    assert len(pieces(np.array(["a"] * LARGE, dtype=object))) == 1
    every_second = np.arange(2 * LARGE)[::2]
    assert (together(pieces(every_second)) == every_second).all()


def test_what_is_read_where_it_lies_is_kept_alive() -> None:
    values = np.arange(LARGE)
    values.flags.writeable = False
    cut = pieces(values)
    owner = weakref.ref(cut[0])  # in Ray's store a piece owns the object
    whole = together(cut)
    del cut, values
    gc.collect()
    assert owner() is not None
    assert whole[-1] == LARGE - 1


@pytest.mark.ray
@pytest.mark.usefixtures("ray_cluster")
def test_columns_are_read_where_they_lie() -> None:
    register()
    odd = np.arange(LARGE) % 2 == 1
    sent: Any = [
        Column(pl.Int64(), np.arange(LARGE), odd),
        Column(pl.Boolean(), odd),
        Column.from_series(pl.Series(["ab", None, "c"] * 5)),
        Column.from_series(pl.Series([[1, 2], None, []], dtype=pl.List(pl.Int64))),
        Column.from_series(pl.Series([], dtype=pl.Float64)),
    ]
    reference = ray.put(sent)
    for mine, its in zip(sent, ray.get(reference), strict=True):
        assert its.dtype == mine.dtype
        assert its.to_series().equals(mine.to_series(), null_equal=True)
    first, again = (ray.get(reference)[0] for _ in range(2))
    assert first.values.ctypes.data == again.values.ctypes.data
    assert not first.values.flags.writeable
    del reference, again, its, mine
    assert (first.values == np.arange(LARGE)).all()
