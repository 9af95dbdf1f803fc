"""How frames and columns travel through Ray's object store: as arrays, which are read where they lie."""

from __future__ import annotations

from itertools import accumulate
from typing import Any

import numpy as np
import polars as pl
import ray

from ..folds.column import Array, Column

# Ray copies an array of a megabyte or more by six threads that it starts for it. Where the other cores work they wait for their turn: 42
# columns of two megabytes took 15 to 60 ms, and 8 in pieces (2 cores, 2026-11).
_PIECE = 960 << 10  # bytes; a whole number of lines of the cache, at which Ray lets arrays begin


def register() -> None:
    """Have Ray take frames and columns so, in this process."""
    ray.util.register_serializer(pl.DataFrame, serializer=_to_arrow, deserializer=pl.from_arrow)
    ray.util.register_serializer(Column, serializer=_in_pieces, deserializer=_of_pieces)


def _to_arrow(frame: pl.DataFrame) -> Any:
    # Not the newest level: Ray cannot serialize the string views that it writes.
    return frame.to_arrow(compat_level=pl.CompatLevel.oldest())


def _in_pieces(column: Column) -> tuple[Any, ...]:
    return column.dtype, pieces(column.values), None if column.valid is None else pieces(column.valid)


def _of_pieces(made: tuple[Any, ...]) -> Column:
    dtype, values, valid = made
    return Column(dtype, together(values), None if valid is None else together(valid))


def pieces(values: Array) -> list[Array]:
    """An array in pieces one after another; texts and lists in one."""
    if not isinstance(values, np.ndarray) or values.dtype.hasobject or values.nbytes <= _PIECE:
        return [values]
    rows = _PIECE // values.itemsize
    return [values[first : first + rows] for first in range(0, len(values), rows)]


def together(parts: list[Array]) -> Array:
    """The array that pieces are of: without a copy where each lies behind the one before, as they do in an object of Ray's store.

    Each piece there keeps the whole object alive. Nobody may write to it, by which it is told from memory of this process.
    """
    if len(parts) == 1:
        return parts[0]
    ends = accumulate((part.nbytes for part in parts), initial=parts[0].ctypes.data)
    apart = any(part.ctypes.data != end for part, end in zip(parts, ends, strict=False))
    if apart or any(part.flags.writeable for part in parts):
        return np.concatenate(parts)
    return np.lib.stride_tricks.as_strided(parts[0], (sum(map(len, parts)),), writeable=False)
