"""Rows of groups in the order of their values: what order statistics and distinct counts are made from."""

from __future__ import annotations

import numpy as np
import polars as pl

from .column import Array, Column, Index
from .positions import places

_SIGN = np.uint64(2**63)


def keys(values: Array) -> Index:
    """Integers in the order of the values, equal where they are equal: every NaN is one value, the greatest; -0.0 is 0.0.

    >>> keys(np.array([1.0, -0.0, 0.0, -1.0])).argsort(kind="stable")
    array([3, 1, 2, 0])
    """
    if values.dtype == np.object_:
        return Column(pl.String(), values).to_series().rank("dense").to_numpy().astype(np.int64)
    if values.dtype == np.uint64:
        return (values ^ _SIGN).view(np.int64)
    if values.dtype.kind != "f":
        return values.astype(np.int64, copy=False)
    plain = np.where(np.isnan(values), np.nan, values + values.dtype.type(0)).astype(np.float64, copy=False)
    bits: Index = plain.view(np.int64)
    return bits ^ ((bits >> 63) & np.int64(2**63 - 1))


def ranked(keys: Index, offsets: Index) -> tuple[Index, Index]:
    """Where each row stands when the rows of every group are sorted by key, equal ones as they stand; and the row at each such place."""
    group = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    place, _ = places(group, len(offsets) - 1, keys)
    rows = np.arange(len(keys))
    if place is None:
        return rows, rows
    at = np.empty_like(rows)
    at[place] = rows
    return place, at


def earlier(keys: Index, offsets: Index) -> Index:
    """For each row the one after the last row before it, in its group, with the same key; the group's first row where there is none."""
    begin = np.repeat(offsets[:-1], np.diff(offsets))
    _, rows = ranked(keys, offsets)
    in_order = keys[rows]
    again = np.flatnonzero((in_order[1:] == in_order[:-1]) & (begin[rows[1:]] == begin[rows[:-1]]))
    begin[rows[again + 1]] = rows[again] + 1
    return begin
