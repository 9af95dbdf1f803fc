"""A table whose rows are grouped by bucket: what a split makes of a piece, one object however many buckets there are."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import polars as pl

from ..folds.column import Index
from ..folds.positions import grouped, spread, standing
from ..record import record


@record(eq=False)
class Packed:
    """Bucket b is the rows [offsets[b], offsets[b + 1]), as they followed each other before."""

    frame: pl.DataFrame
    offsets: Index
    base: int = 0  # the number of its first bucket

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many rows each bucket has."""
        return tuple(np.diff(self.offsets).tolist())

    @property
    def nbytes(self) -> int:
        """Bytes of all rows."""
        return int(self.frame.estimated_size())

    def buckets(self, first: int, last: int) -> pl.DataFrame:
        """The rows of the buckets [first, last), without a copy."""
        begin, end = (int(self.offsets[bucket - self.base]) for bucket in (first, last))
        return self.frame.slice(begin, end - begin)

    def groups(self, cuts: Sequence[int]) -> tuple[Packed, ...]:
        """The buckets between each two cuts as a packed table of their own, each with its own memory."""
        if len(cuts) == 2:
            return (self,)
        return tuple(
            Packed(_copied(self.buckets(first, last)), self.offsets[first : last + 1] - self.offsets[first], first)
            for first, last in pairwise(cuts)
        )


def pack(frame: pl.DataFrame, bucket: Index, buckets: int) -> Packed:
    """The rows grouped by the bucket given for each, in [0, buckets); -1 leaves a row out. Cost: two linear passes."""
    place, offsets = grouped(bucket, buckets)
    if place is None:
        return Packed(frame, offsets)
    size = int(offsets[-1])
    rows = pl.Series(standing(place, size)) if any(not _is_plain(column) for column in frame.get_columns()) else None
    columns = [_moved(column, place, size, rows) for column in frame.get_columns()]
    return Packed(pl.DataFrame(columns), offsets)


def put_together(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Tables of one schema one after another, each column in one piece."""
    return parts[0].rechunk() if len(parts) == 1 else pl.concat(parts, rechunk=True)


def _copied(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select(pl.all().gather(pl.int_range(frame.height)))


def _is_plain(column: pl.Series) -> bool:
    """Whether a column is numbers without nulls, one beside the other."""
    kind = column.dtype.is_numeric() or column.dtype.is_temporal()
    return kind and not isinstance(column.dtype, pl.Decimal) and not column.null_count() and column.n_chunks() == 1


def _moved(column: pl.Series, place: Index, size: int, rows: pl.Series | None) -> pl.Series:
    if not _is_plain(column):
        assert rows is not None, "computed for columns that are not plain"
        return column.gather(rows)
    values = column.to_physical().to_numpy()
    return pl.Series(column.name, spread(values, place, size)).cast(column.dtype)
