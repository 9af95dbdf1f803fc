"""Rows to their places in a table: a file for each bucket and slab of time, sorted there by keys, event time, known time and sequence.

Rows are counted to their places in two linear passes; only then is each place, which fits the cache better, put in order and written, some
places at once. Rows that do not fit the memory come in portions, each counted to its places and laid aside in a file.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from ...engine.folds.column import Index
from ...engine.folds.grouping import Coder, Order
from ...engine.folds.hashing import bucket
from ...engine.folds.rows import SEQUENCE
from ...engine.record import record
from ...engine.running.packed import Packed, pack
from ..ports import Here, Stretch
from .layout import known_times, times
from .source_note import SourceState, place_of

_BATCH_ROWS = 262_144
_NEAR = 1 << 22  # slabs that a table of all numbers between the first and the last is made for
_TIME, _KNOWN = "__time", "__known"
WRITERS = min(os.cpu_count() or 1, 8)


@record
class Places:
    """The places of a table that some rows go to: one for each of its buckets and each of these slabs, which rise."""

    state: SourceState
    table: str
    keys: tuple[str, ...]
    slabs: Index

    @property
    def number(self) -> int:
        """How many places there are."""
        return self.state.buckets * len(self.slabs)

    def stem(self, place: int) -> str:
        """What the name of a file of a place begins with."""
        number, slab = divmod(place, len(self.slabs))
        return stem(number, int(self.slabs[slab]))

    def packed(self, rows: pl.DataFrame, time: Index) -> Packed:
        """The rows grouped by place, as they followed each other before."""
        slab = _numbered(self.slabs, time // self.state.slab_us)
        if self.keys:
            slab += bucket(rows.select(self.keys), self.state.buckets) * len(self.slabs)
        return pack(rows, slab, self.number)


def stem(number: int, slab: int) -> str:
    """What the name of a file begins with.

    >>> stem(3, 20455)
    'b0003.s20455'
    """
    return f"b{number:04d}.s{slab}"


def where(path: str) -> tuple[int, int]:
    """The bucket and slab of a file.

    >>> where("data/b0003.s20455.5f2e0a7c11aa.0badc0de.lance")
    (3, 20455)
    """
    number, slab, *_ = path.rpartition("/")[2].split(".")
    return int(number.removeprefix("b")), int(slab.removeprefix("s"))


def slabs_of(days: Index, slab_us: int, day_us: int) -> Index:
    """The slabs that some days lie in; a slab has whole days."""
    return np.unique(days // (slab_us // day_us))


def laid_aside(packed: Packed, path: Path) -> Packed:
    """The same rows in a file, to be read a place at a time."""
    packed.frame.write_ipc(path, compression="uncompressed")
    with pa.memory_map(str(path)) as file:
        rows: Any = pl.from_arrow(pa.ipc.open_file(file).read_all())
    return Packed(rows, packed.offsets)


def stored(
    here: Here, places: Places, portions: Sequence[Packed], schema: pa.Schema, draft: Path, token: str, wrote: Callable[[int], None]
) -> list[Stretch]:  # fmt: skip
    """A file in the draft for each place that has rows; `wrote` hears of each how many."""
    sizes = sum((np.diff(portion.offsets) for portion in portions), np.zeros(places.number, dtype=np.int64))
    folder = place_of(places.state.name, places.table)

    def write(place: int) -> Stretch:
        rows = pl.concat([portion.buckets(place, place + 1) for portion in portions], rechunk=len(portions) > 1)
        found = in_order(places.state.name, places.state.layout, places.keys, rows)
        part = here.tables.write(folder, places.stem(place), batches(found, schema), schema, draft, token)
        wrote(part.rows)
        return Stretch((part,), part.rows)

    with ThreadPoolExecutor(WRITERS) as pool:
        return list(pool.map(write, np.flatnonzero(sizes).tolist()))


def in_order(source: str, layout: Mapping[str, Any], keys: Sequence[str], rows: pl.DataFrame) -> pl.DataFrame:
    """The rows of a place by keys, event time, known time and sequence."""
    time, known = times(source, layout, rows), known_times(source, layout, rows)
    if any(not rows.schema[key].is_integer() for key in keys) or len(keys) > 1:
        marks = [pl.Series(_TIME, time), *([] if known is None else [pl.Series(_KNOWN, known)])]
        by = [*keys, *(mark.name for mark in marks), SEQUENCE]
        return rows.with_columns(marks).sort(by).drop(mark.name for mark in marks)
    coded = np.zeros(rows.height, dtype=np.int64), 1
    if keys:
        coder = Coder.of(rows.select(keys), {key: rows.schema[key] for key in keys}, rows=rows.height)
        coded = coder.asked, coder.groups
    ties = [*([] if known is None else [known]), rows[SEQUENCE].to_numpy()]
    place = Order.of(*coded, time, *ties).place
    if place is None:
        return rows
    numbers = np.empty(rows.height, dtype=place.dtype)
    numbers[place] = np.arange(rows.height, dtype=place.dtype)
    return rows[pl.Series(numbers)]


def batches(rows: pl.DataFrame, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """The rows as Arrow knows them."""
    yield from arrow(rows).select(schema.names).to_batches(max_chunksize=_BATCH_ROWS)


def arrow(rows: pl.DataFrame) -> pa.Table:
    """The rows in types that every version of Arrow has."""
    return rows.to_arrow(compat_level=pl.CompatLevel.oldest())


def storable(rows: pl.DataFrame) -> pl.DataFrame:
    """Categories as text, which is what other programs and later versions can read."""
    texts = [name for name, dtype in rows.schema.items() if isinstance(dtype, pl.Categorical | pl.Enum)]
    return rows.with_columns(pl.col(name).cast(pl.String) for name in texts) if texts else rows


def _numbered(slabs: Index, wanted: Index) -> Index:
    """For each slab its number among those there are; a fresh array."""
    if not len(slabs):
        return np.zeros(0, dtype=np.int64)
    low, span = int(slabs[0]), int(slabs[-1] - slabs[0]) + 1
    if span == len(slabs):
        return wanted - low
    if span > _NEAR:
        return np.searchsorted(slabs, wanted)
    numbers = np.zeros(span, dtype=np.int64)
    numbers[slabs - low] = np.arange(len(slabs))
    return numbers[wanted - low]
