"""Grouping by key: dense codes for the keys asked about, and rows sorted by (code, time)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from .column import Array, Index
from .errors import WrongType
from .memory import fresh
from .positions import places, smallest, spread, take


def codes(events: pl.DataFrame, asked: pl.DataFrame, keys: dict[str, pl.DataType]) -> tuple[Index, Index, int]:
    """Codes of the events' keys, codes of the asked keys, and their number.

    Events of keys nobody asks about get -1. Keys asked about that are null (an unknown key) get the last code, which no event has.
    """
    if not keys:
        return np.zeros(events.height, dtype=np.int64), np.zeros(asked.height, dtype=np.int64), 2
    same = events is asked
    events = typed(events, keys, "the source")
    asked = events if same else typed(asked, keys, "the spine")
    if len(keys) == 1 and asked.to_series().dtype.is_integer():
        dense = _by_offset(events.to_series(), asked.to_series())
        if dense is not None:
            return dense
    return _by_join(events, asked, list(keys))


def typed(frame: pl.DataFrame, keys: dict[str, pl.DataType], whose: str) -> pl.DataFrame:
    """The key columns in the entity's types; a value that does not fit is refused."""
    try:
        return frame.select(pl.col(name).cast(dtype, strict=True) for name, dtype in keys.items())
    except pl.exceptions.PolarsError as error:
        raise WrongType(f"a key of {whose} does not fit its type {keys}: {str(error).splitlines()[0]}") from None


@dataclass(frozen=True)
class Order:
    """Rows sorted by (group, time, ties, position), those of group < 0 left out: group g is [offsets[g], offsets[g + 1]).

    It holds where each row goes, not which row comes next: rows mostly arrive by time, and then each group's values are read and
    written one after another, whichever way they go.
    """

    place: Index | None  # of each row, -1 where it is left out; None where the rows stand in order
    offsets: Index

    @staticmethod
    def of(group: Index, groups: int, time: Index, *ties: Index) -> Order:
        """The order of rows. Cost: linear, and a sort of those groups that are out of order by (time, ties)."""
        return Order(*places(group, groups, time, ties))

    @property
    def size(self) -> int:
        """How many rows are in it."""
        return int(self.offsets[-1])

    def groups(self, rows: slice) -> Index:
        """The group of each of a stretch of the sorted rows."""
        begin, end = rows.start, min(rows.stop, self.size)
        first, last = np.searchsorted(self.offsets, [begin, end - 1], side="right") - 1
        cuts = np.clip(self.offsets[first : last + 2], begin, end)
        sizes = cuts[1:] - cuts[:-1]
        return np.repeat(np.arange(first, last + 1), sizes)

    def sorted(self, values: Array) -> Array:
        """The rows' values in this order."""
        if self.place is None:  # a copy where they lie in memory of Polars: loops are compiled for what may be written
            return values if values.flags.writeable else values.copy()
        return spread(values, self.place, self.size)

    def undone(self, values: Array) -> Array:
        """Values in this order as the rows stand; for an order that leaves out none."""
        return values if self.place is None else take(values, self.place)


def _by_offset(events: pl.Series, asked: pl.Series) -> tuple[Index, Index, int] | None:
    """Codes by distance from the least key, where the keys lie close together."""
    known = (asked.drop_nulls() if asked.null_count() else asked).to_numpy()
    if not len(known):
        return np.full(len(events), -1), np.zeros(len(asked), dtype=np.int64), 1
    low, high = int(known.min()), int(known.max())
    span = high - low + 1
    if span > 4 * (len(asked) + len(events)) + 1024:
        return None
    kind = smallest(span)
    asked_codes = _shifted(asked, low, kind)
    if asked.null_count():
        asked_codes = np.where(asked.is_null().to_numpy(), span, asked_codes)
    if events is asked and not asked.null_count():
        return asked_codes, asked_codes, span + 1
    inside = events.is_between(low, high).fill_null(False).to_numpy()
    return np.where(inside, _shifted(events, low, kind), -1), asked_codes, span + 1


def _shifted(keys: pl.Series, low: int, kind: np.dtype[Any]) -> Index:
    """The distance of each key from the least one; of keys that lie outside, anything."""
    out = fresh(len(keys), kind)
    if isinstance(keys.dtype, pl.UInt64):  # may lie beyond int64; the distance does not
        out[:] = (keys.fill_null(low).to_numpy() - np.uint64(low)).astype(kind)
    else:
        whole = keys.fill_null(low).to_numpy().astype(np.int64, copy=False)
        np.subtract(whole, low, out=out, casting="same_kind")
    return out


def _by_join(events: pl.DataFrame, asked: pl.DataFrame, keys: list[str]) -> tuple[Index, Index, int]:
    known = asked.drop_nulls().unique(maintain_order=True).with_row_index("__code")

    def coded(frame: pl.DataFrame, missing: int) -> Index:
        joined = frame.join(known, on=keys, how="left", maintain_order="left")
        return joined["__code"].cast(pl.Int64).fill_null(missing).to_numpy()

    return coded(events, -1), coded(asked, known.height), known.height + 1
