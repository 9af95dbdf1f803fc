"""Grouping by key: dense codes for the keys asked about, and rows sorted by (code, time)."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from ..errors import WrongType
from ..language.instant import in_unit, refuse_far, refuse_nanoseconds
from ..record import record
from . import compiled
from .column import Array, Index, Mask
from .memory import fresh
from .positions import places, smallest, spread, standing

_LIGHT = 20  # without compiled loops a code costs little: they are worth loading for so many times the rows


def codes(events: pl.DataFrame, asked: pl.DataFrame, keys: dict[str, pl.DataType]) -> tuple[Index, Index, int]:
    """Codes of the events' keys, codes of the asked keys, and their number.

    Events of keys nobody asks about get -1. Keys asked about that are null (an unknown key) get the last code, which no event has.
    """
    coder = Coder.of(asked, keys, rows=events.height)
    return coder.own if events is asked else coder.codes(events), coder.asked, coder.groups


@record(eq=False)
class Coder:
    """Codes of the keys asked about, prepared once for any number of frames of events."""

    keys: dict[str, pl.DataType]
    asked: Index  # of each row asked about; the last code where its key is null, which no event has
    groups: int
    code: Callable[[pl.DataFrame], Index]

    @staticmethod
    def of(asked: pl.DataFrame, keys: dict[str, pl.DataType], *, rows: int = 0, lean: bool = False) -> Coder:
        """The coder of the keys of a frame; about so many rows of events will come. `lean`: codes that no key asked about has cost memory."""
        if not keys:
            return Coder(keys, np.zeros(asked.height, dtype=np.int64), 2, _one_group)
        table = typed(asked, keys, "the spine")
        form = _integers(table.to_series(), rows, lean) if len(keys) == 1 and _is_word(table.dtypes[0]) else None
        return Coder(keys, *(form or _joined(table, list(keys))))

    def codes(self, events: pl.DataFrame) -> Index:
        """The code of each event's key, -1 where nobody asks about it or it is null."""
        return self.code(typed(events, self.keys, "the source") if self.keys else events)

    @property
    def own(self) -> Index:
        """The codes of the rows asked about, were they events."""
        unknown = self.asked == self.groups - 1
        return np.where(unknown, -1, self.asked) if unknown.any() else self.asked


def typed(frame: pl.DataFrame, keys: dict[str, pl.DataType], whose: str, first: int = 0) -> pl.DataFrame:
    """The key columns in the entity's types; a value that does not fit is refused. `first` is the number of the first row."""
    return pl.DataFrame([_typed(frame[name], dtype, f"key {name!r} of {whose}", first) for name, dtype in keys.items()])


def _typed(key: pl.Series, dtype: pl.DataType, what: str, first: int) -> pl.Series:
    """A key in its type. Times are whole microseconds that Python has a datetime for: that is how they are asked for online."""
    refuse_far(key, what, first)
    refuse_nanoseconds(key, what, first)
    if key.dtype == dtype:
        return key
    if isinstance(dtype, pl.Datetime) and isinstance(key.dtype, pl.Datetime):
        key = in_unit(key, dtype.time_unit, what, first)
    made = key.cast(dtype, strict=False)
    if made.null_count() > key.null_count():
        row = (made.is_null() & key.is_not_null()).arg_max() or 0
        raise WrongType(f"{what} row {first + row}: {key[row]!r} does not fit {dtype}.")
    return made


@record
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
        return values if self.place is None else spread(values, self.place, self.size)

    def undone(self, values: Array) -> Array:
        """Values in this order as the rows stand; for an order that leaves out none."""
        return values if self.place is None else spread(values, self._rows, self.size)

    @cached_property
    def _rows(self) -> Index:
        """Which row stands at each place. To write values where they belong takes half the time of reading them from where they are."""
        assert self.place is not None, "only asked where rows move"
        assert len(self.place) == self.size, "only asked where no row is left out"
        return standing(self.place, self.size)


Form = tuple[Index, int, Callable[[pl.DataFrame], Index]]  # codes asked about, their number, and codes of events


def _one_group(events: pl.DataFrame) -> Index:
    return np.zeros(events.height, dtype=np.int64)


def _nobodys(events: pl.DataFrame) -> Index:
    return np.full(events.height, -1)


def _is_word(dtype: pl.DataType) -> bool:
    return (dtype.is_integer() and dtype not in (pl.Int128, pl.UInt128)) or isinstance(dtype, pl.Datetime | pl.Date)


def _integers(asked: pl.Series, rows: int, lean: bool) -> Form | None:
    """Codes by distance from the least key where the keys lie close together, else by a compiled table of hashes."""
    known = asked.drop_nulls().to_physical()
    if not len(known):
        return np.zeros(len(asked), dtype=np.int64), 1, _nobodys
    low, high = int(known.min()), int(known.max())  # type: ignore[arg-type]  # whole numbers
    span = high - low + 1
    words, present = _words(asked), asked.is_not_null().to_numpy()
    if _is_close(span, len(asked), rows, lean):
        near = _Near(np.uint64(low % 2**64), np.uint64(span))
        return np.where(present, near.of(words), span).astype(smallest(span), copy=False), span + 1, near
    loops = compiled.kernels((len(asked) + rows) // _LIGHT)
    if loops is None:
        return None
    out = fresh(len(words), smallest(len(words)))
    table, count = _learned(loops, words, present, out)
    held = table[table[:, 1] > 0]
    rank = np.empty(count, dtype=np.int64)
    rank[held[np.argsort(held[:, 0] if low >= 0 else held[:, 0].view(np.int64)), 1].astype(np.int64) - 1] = np.arange(
        count
    )
    loops.renumber_codes(table, rank, out)
    return np.where(present, out, count), count + 1, _Hashed(table)


def _learned(loops: Any, words: Array, present: Mask, out: Index) -> tuple[Array, int]:
    """A table of the words that are present, and how many there are; fill the code of each."""
    table, count = np.zeros((1024, 2), dtype=np.uint64), np.zeros(1, dtype=np.int64)
    begin = loops.learned_codes(words, present, 0, table, count, out)
    while begin < len(words):
        larger = np.zeros((2 * len(table), 2), dtype=np.uint64)
        loops.moved_codes(table, larger)
        table = larger
        begin = loops.learned_codes(words, present, begin, table, count, out)
    return table, int(count[0])


def _is_close(span: int, asked: int, rows: int, lean: bool) -> bool:
    """Whether a code for each of so many possible keys costs less than a table of those asked about."""
    if span <= 4 * asked + 1024:
        return True
    return span <= 4 * (asked + rows) + 1024 and not (lean and compiled.kernels((asked + rows) // _LIGHT))


@record(eq=False)
class _Near:
    """Codes by distance from the least key."""

    low: Any
    span: Any

    def __call__(self, events: pl.DataFrame) -> Index:
        """The code of each event."""
        return _absent(self.of(_words(events.to_series())), events.to_series())

    def of(self, words: Array) -> Index:
        """The code of each key."""
        out = fresh(len(words), smallest(int(self.span)))
        loops = compiled.kernels(len(words) // _LIGHT)
        if loops:
            loops.near_codes(words, np.array([self.low, self.span], dtype=np.uint64), out)
        else:
            distance = words - self.low
            out[:] = distance.view(np.int64)
            out[distance >= self.span] = -1
        return out


@record(eq=False)
class _Hashed:
    """Codes by a table of hashes."""

    table: Array

    def __call__(self, events: pl.DataFrame) -> Index:
        """The code of each event."""
        out = fresh(events.height, smallest(len(self.table)))
        compiled.warm().hashed_codes(_words(events.to_series()), self.table, out)
        return _absent(out, events.to_series())


def _words(keys: pl.Series) -> Array:
    """Whole numbers as 64 bits each, anything where there is none."""
    whole = keys if keys.dtype == pl.Int64 else keys.to_physical()
    whole = whole if whole.dtype in (pl.Int64, pl.UInt64) else whole.cast(pl.Int64)
    return (whole.fill_null(0) if whole.null_count() else whole).to_numpy().view(np.uint64)


def _absent(out: Index, keys: pl.Series) -> Index:
    if keys.null_count():
        out[keys.is_null().to_numpy()] = -1
    return out


def _joined(asked: pl.DataFrame, keys: list[str]) -> Form:
    """Codes of keys of any types, by a join with those that are known."""
    known = asked.drop_nulls().unique(maintain_order=True).with_row_index("__code")
    known = known.with_columns(pl.col("__code").cast(pl.Int32 if smallest(known.height) == np.int32 else pl.Int64))

    def coded(frame: pl.DataFrame, missing: int = -1) -> Index:
        joined = frame.join(known, on=keys, how="left", maintain_order="left")
        return joined["__code"].fill_null(missing).to_numpy()

    return coded(asked, known.height), known.height + 1, coded
