"""The one versioned hash of keys and rows: decides buckets, exchange and shards, so its values are stored and never change.

Polars' own hash may change with any version. Another function would be another HASH_VERSION, recorded beside what was placed by it.
Mixing is SplitMix64 (Steele, Lea and Flood 2014, "Fast Splittable Pseudorandom Number Generators", figure 14).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from . import compiled
from .column import Array, Index
from .kernels_hashing import FIRST, GAMMA, SECOND
from .memory import fresh

HASH_VERSION = 1
Hashes = np.ndarray[Any, np.dtype[np.uint64]]

_NULL = np.uint64(0x6E756C6C6E756C6C)
_LIGHT = 20  # rows that numpy hashes while compiled loops are worth loading for one of other work (2026-11: 6 ns a row)
_STRETCH = 16_384  # words mixed at a time, so that what lies between stays in the cache: a third less time (2026-11)


def bucket(keys: pl.DataFrame, buckets: int) -> Index:
    """The bucket of each row's key, (n,) in [0, buckets); a key with a null in it is in bucket 0.

    >>> bucket(pl.DataFrame({"customer_id": [1, 2, 3, None]}), 4)
    array([2, 0, 3, 0])
    """
    hashes = key_hashes(keys)
    loops = compiled.kernels(len(hashes) // _LIGHT)
    if loops:
        loops.bucketed(hashes, buckets)
    else:
        hashes %= np.uint64(buckets)
    places = hashes.view(np.int64)
    for column in keys.get_columns():
        if column.null_count():
            places[column.is_null().to_numpy()] = 0
    return places


def key_hashes(keys: pl.DataFrame) -> Hashes:
    """A hash of each row, (n,); the order of the columns counts, their names and integer widths do not."""
    if not keys.width:
        return np.zeros(keys.height, dtype=np.uint64)
    out = fresh(keys.height, np.dtype(np.uint64))
    loops = compiled.kernels(keys.height // _LIGHT)
    for number, column in enumerate(keys.get_columns()):
        if loops and not column.null_count() and (column.dtype.is_integer() or column.dtype.is_temporal()):
            loops.hashed_words(_whole(column), number == 0, out)
        else:
            hashes = _hashes(column)
            out[:] = hashes if number == 0 else out ^ hashes
            out = _mixed(out)
    return out


def content_hashes(rows: pl.DataFrame) -> Index:
    """A hash of each row's content, (n,) of int64; neither order of columns nor a column of nulls changes it.

    Equal numbers of different width are equal, NaN is equal to NaN, 0.0 is not -0.0.
    """
    import hashlib  # only here, like Arrow below: who merely asks for the version does without

    out = np.zeros(rows.height, dtype=np.uint64)
    for column in rows.get_columns():
        name = int.from_bytes(hashlib.blake2b(column.name.encode(), digest_size=8).digest(), "little")
        part = _mixed(_hashes(column) ^ np.uint64(name))
        if column.null_count():
            part[column.is_null().to_numpy()] = 0
        out += part
    return out.view(np.int64)


def _hashes(column: pl.Series) -> Hashes:
    """A hash of each value, (n,); nulls share one."""
    dtype = column.dtype
    if dtype.is_numeric() or dtype.is_temporal() or isinstance(dtype, pl.Boolean):
        out = _mixed(_words(column))
    else:
        out = _hashes_of_bytes(column.cast(pl.String) if _is_text(dtype) else _as_text(column))
    if column.null_count():
        out[column.is_null().to_numpy()] = _NULL
    return out


def _is_text(dtype: pl.DataType) -> bool:
    return isinstance(dtype, pl.String | pl.Categorical | pl.Enum)


def _as_text(column: pl.Series) -> pl.Series:
    """Values of other types (lists, structs, decimals, bytes) by their Python form."""
    return pl.Series([None if value is None else repr(value) for value in column.to_list()], dtype=pl.String)


def _words(column: pl.Series) -> Hashes:
    """Numbers and times as 64 bits each; a fresh array."""
    dtype = column.dtype
    if dtype.is_float():
        values = column.cast(pl.Float64).fill_null(0.0).to_numpy().copy()
        values[np.isnan(values)] = np.nan
        return values.view(np.uint64)
    if isinstance(dtype, pl.Decimal):
        return _hashes_of_bytes(_as_text(column))
    return _whole(column).copy()


def _whole(column: pl.Series) -> Hashes:
    """Whole numbers and times as 64 bits each, not to be written to."""
    dtype = column.dtype
    if isinstance(dtype, pl.Datetime | pl.Duration):
        column = column.dt.cast_time_unit("us")
    whole = column.to_physical() if dtype.is_temporal() else column
    wide = pl.UInt64 if isinstance(dtype, pl.UInt64) else pl.Int64
    return whole.cast(wide).fill_null(0).to_numpy().view(np.uint64)


def _hashes_of_bytes(column: pl.Series) -> Hashes:
    """A hash of each text's UTF-8 bytes, eight at a time for all texts together."""
    offsets, data = _buffers(column)
    length = np.diff(offsets)
    out = _mixed(length.astype(np.uint64))
    eights = np.lib.stride_tricks.sliding_window_view(np.concatenate([data, np.zeros(8, np.uint8)]), 8)
    done, left = 0, np.flatnonzero(length > 0)
    while len(left):
        word = eights[offsets[left] + done].view("<u8").ravel().astype(np.uint64)
        spare = np.maximum(8 - (length[left] - done), 0).astype(np.uint64) * np.uint64(8)
        out[left] = _mixed(out[left] ^ ((word << spare) >> spare))
        done += 8
        left = left[length[left] > done]
    return out


def _buffers(column: pl.Series) -> tuple[Index, Array]:
    import pyarrow as pa

    array: Any = column.to_arrow(compat_level=pl.CompatLevel.oldest())
    array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    array = array.fill_null("").cast(pa.large_string())
    _, offsets, data = array.buffers()
    starts = np.frombuffer(offsets, dtype=np.int64)[array.offset : array.offset + len(array) + 1]
    return starts, np.frombuffer(data or b"", dtype=np.uint8)


def _mixed(words: Hashes) -> Hashes:
    """SplitMix64's output function; consumes its argument."""
    for first in range(0, len(words), _STRETCH):
        part = words[first : first + _STRETCH]
        part += GAMMA
        part ^= part >> np.uint64(30)
        part *= FIRST
        part ^= part >> np.uint64(27)
        part *= SECOND
        part ^= part >> np.uint64(31)
    return words
