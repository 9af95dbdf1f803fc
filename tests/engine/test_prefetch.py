"""Fetching ahead: an instruction where a loop is compiled, nothing in Python, and without effect on what comes out."""

from __future__ import annotations

import platform

import numpy as np
import pytest

from nowthen.engine.folds.column import Index
from nowthen.engine.folds.jit import jit, prefetch
from nowthen.engine.folds.layout import Kind
from nowthen.engine.folds.native import Loop


@jit
def fetches(table: Index, at: int) -> int:
    prefetch(table, at)
    return int(table[0, 0])


@pytest.mark.parametrize("at", [0, 1, -1, 10**9, -(2**63), 2**63 - 1])
@pytest.mark.parametrize("dtype", ["int64", "uint8"])
def test_to_fetch_what_is_not_there_is_nothing(at: int, dtype: str) -> None:
    table = np.array([[7, 1], [2, 3]], dtype=dtype)
    assert Loop(fetches)(table, at) == fetches(table, at) == 7


@pytest.mark.skipif(platform.machine() != "x86_64", reason="another processor has another instruction for it")
def test_it_is_left_in_the_code() -> None:
    from nowthen.engine.folds.compiling import object_code

    kinds = [Kind(np.dtype(np.int64), 2), Kind(np.dtype(np.int64), None)]
    assert b"\x0f\x18" in object_code(fetches, kinds)
