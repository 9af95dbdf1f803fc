"""What arrives at a source's tables: rows that were pushed, and rows of its reader, as far as the tables do not have them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from ...engine.errors import Conflict
from ...engine.folds.column import Mask
from ...engine.folds.rows import SEQUENCE
from ...engine.language.source import SourceSpec
from ...engine.record import record
from ..ports import Here
from . import sequence
from .erased_keys import Erased
from .fresh import needed, with_content
from .known_rows import new_pushes, new_rows
from .log import Log
from .looked import Look
from .placed import storable
from .pushed import declared
from .records import STAMPS, stamped
from .source_note import SourceState


@record
class Arrived:
    """Rows that are new, and how many were not."""

    tail: pl.DataFrame  # pushed ones, as they are stored
    look: Look | None
    kept: Mask  # which of the rows looked at
    duplicates: int
    corrections: int
    forgotten: int
    end: int  # of the log
    arrival: int
    first: int  # sequence number of the first row looked at

    @property
    def new(self) -> int:
        """How many rows are new."""
        return self.tail.height + int(self.kept.sum())

    @property
    def last(self) -> int:
        """The last sequence number given; 0 if none was."""
        return sequence.last(self.first, len(self.kept)) if len(self.kept) else 0

    @property
    def in_memory(self) -> bool:
        """Whether the rows come in one portion."""
        return self.look is None or self.look.rows is not None or not self.kept.any()

    def portions(self, spec: SourceSpec) -> Iterator[pl.DataFrame]:
        """The new rows as they are stored, portion by portion."""
        columns, listed = self.tail.columns, self._listed(spec)
        parts = [] if self.tail.is_empty() else [self.tail]
        if self.in_memory:
            parts += [rows.select(columns) for rows in listed]
            yield from [pl.concat(parts)] if parts else []
            return
        yield from parts
        for rows in listed:
            yield rows.select(columns)

    def _listed(self, spec: SourceSpec) -> Iterator[pl.DataFrame]:
        """The new rows of the reader, numbered as they stand there."""
        if self.look is None or not self.kept.any():
            return
        for first, end, rows in self.look.portions(spec, self.kept):
            places = first + np.flatnonzero(self.kept[first:end])
            yield stamped(rows, self.arrival, self.first + 2 * places)


def arrived(
    here: Here, spec: SourceSpec, state: SourceState | None, given: Look | None, erased: Erased, memory: int
) -> Arrived:
    """What of the log behind the tables' position, and of the rows looked at, is new."""
    log = None if here.logs is None else Log(here.logs / spec.name)
    position, end = (state.log_position if state else 0), (log.end() if log else 0)
    if given is not None and spec.row_id is None and end:
        raise Conflict(
            f"source {spec.name!r} was pushed to; to ingest it as well it needs row_id=, or rows would count twice."
        )
    rows = with_content(spec, storable(pushed_rows(spec, log, position, end)))
    dropped = erased.mask(rows)
    tail = new_pushes(here, spec, state, rows.filter(~pl.Series(dropped)) if dropped.any() else rows)
    now = sequence.now_us()
    first = sequence.after(max(state.last_sequence if state else 0, end), now, pushed=False)
    done = Arrived(
        tail.rows, given, np.zeros(0, dtype=np.bool_), tail.duplicates, tail.corrections, int(dropped.sum()), end, now, first
    )  # fmt: skip
    return done if given is None or not given.ids.height else _with_listed(here, spec, state, given, done, memory)


def _with_listed(
    here: Here, spec: SourceSpec, state: SourceState | None, given: Look, pushed: Arrived, memory: int
) -> Arrived:
    """The same, with the rows looked at that are new."""
    numbers = pl.Series(SEQUENCE, sequence.numbers(pushed.first, given.ids.height))
    listed, out = given.ids.with_columns(numbers), given.dropped
    listed = listed if out is None else listed.filter(~pl.Series(out))
    held = pushed.tail.select(needed(spec))
    found = new_rows(here, spec, state, listed.select(needed(spec)), held, memory)
    kept = np.zeros(given.ids.height, dtype=np.bool_)
    found.mark(kept, pushed.first)
    return Arrived(
        pushed.tail, given, kept, pushed.duplicates + found.duplicates, pushed.corrections + found.corrections,
        pushed.forgotten + (0 if out is None else int(out.sum())), pushed.end, pushed.arrival, pushed.first,
    )  # fmt: skip


def pushed_rows(spec: SourceSpec, log: Log | None, position: int, upto: int) -> pl.DataFrame:
    """The rows of a log after a position and not after another, in the types of the source; columns that came later are null."""
    schema = {**spec.schema, **STAMPS}
    frames, _ = log.read(position, upto) if log is not None and upto > position else ([], 0)
    return pl.concat([pl.DataFrame(schema=schema), *(declared(frame, schema) for frame in frames)])
