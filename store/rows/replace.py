"""Replace: other rows for a stretch of time, in one entry. Repeated, it leaves the same rows.

The rows that happened in it go, by their newest versions, and with them all their versions, so that no older one comes to light. A row that was corrected
to another time stays with all of its versions. What was pushed is taken in first.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace as changed
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from ...engine.errors import Conflict, Invalid
from ...engine.folds.column import Mask
from ...engine.folds.rows import SEQUENCE
from ...engine.language.instant import instant
from ...engine.language.source import SourceSpec
from ...engine.showing.progress import Progress
from ..ledger.entry import begun
from ..ledger.start_over import StartOver, committing, losing, until_done
from ..ports import Change, Entry, Here, Moved
from ..sources.conform import conforming
from ..sources.reading import reader_of
from ..tables.grown import Grown, files_of, grown, joined
from ..tables.thinned import Thinned, thinned
from . import sequence
from .compaction import path_of
from .erased_keys import Erased
from .evolution import Evolution, evolution, table_schema
from .fresh import Fresh, fresh, is_settled, needed, with_content
from .ingest import Ingest, Ingested
from .known_rows import stored_rows
from .layout import known_times, layout_of, times
from .living import latest
from .looked import DAY_US, days_of, read
from .placed import slabs_of, storable, where
from .records import stamped
from .source_note import SourceState, named, state_of


def replaced(here: Here, spec: SourceSpec, rows: Any, start: datetime, end: datetime) -> Ingested:
    """The rows that happened in [start, end) are these from now on. `Invalid` if one of them happened at another time."""
    started, given = time.perf_counter(), _given(spec, rows, start, end)
    span = instant(start, "start"), instant(end, "end")
    with Progress(f"replace {spec.name}") as progress:
        done = until_done(lambda: _drained(here, spec, span, progress).made(given), spec.name)
    return changed(done, seconds=time.perf_counter() - started)


def _drained(here: Here, spec: SourceSpec, span: tuple[int, int], progress: Progress) -> _Attempt:
    """An attempt on the store as it stands once all that was pushed is in its tables."""
    Ingest(here, spec).run(progress, read=False, make=True)
    base = here.ledger.head()
    state = state_of(base, here.notes, spec.name)
    if state is None or evolution(spec, state) != Evolution():
        raise StartOver
    return _Attempt(here, spec, base, state, *span)


def _given(spec: SourceSpec, rows: Any, start: datetime, end: datetime) -> pl.DataFrame:
    """The rows, checked, with a hash of what they say."""
    first, last = instant(start, "start"), instant(end, "end")
    if first >= last:
        raise Invalid(
            f"replace from {start} to {end}: there is nothing in between. The start is part of it, the end is not."
        )
    given = with_content(spec, storable(read(spec, conforming(spec, reader_of(rows, "rows")))))
    when = times(spec.name, layout_of(spec), given)
    known_times(spec.name, layout_of(spec), given)
    outside = np.flatnonzero((when < first) | (when >= last))
    if len(outside):
        row = int(outside[0])
        raise Invalid(
            f"row {row} happened at {given[spec.event_time][row]}, which is not in [{start}, {end}). Pass only rows within it."
        )
    return given


class _Attempt:
    """One try on the store as it stands."""

    def __init__(self, here: Here, spec: SourceSpec, base: Entry, state: SourceState, first: int, end: int) -> None:
        self._here, self._spec, self._base, self._state = here, spec, base, state
        self._first, self._end = first, end
        self._work = begun("replace", f"replace {spec.name}", wrote=[named(spec.name)])

    def made(self, given: pl.DataFrame) -> Ingested:
        """The report. Starts over if another commit on the source came first."""
        with self._here.folder.turn(f"ingest-{self._spec.name}"), losing(self._here.ledger):
            return self._made(given)

    def _made(self, given: pl.DataFrame) -> Ingested:
        here, spec, state, token = self._here, self._spec, self._state, self._work.token
        dropped = Erased.of(here, state).mask(given)
        schema = table_schema(spec)
        with here.folder.draft(token) as draft:
            left = self._left(draft)
            gone = next(iter(left.values())).gone
            came = self._new(given.filter(~pl.Series(dropped)), gone)
            days = days_of(times(spec.name, state.layout, came.rows))
            new = grown(
                here, spec, state, [came.rows] if came.rows.height else [], slabs_of(days, state.slab_us, DAY_US), schema, draft, token,
                corrections=came.corrections, in_memory=True, wrote=lambda _rows: None,
            )  # fmt: skip
            here.tables.take_in(draft)
            with committing():
                entry = here.ledger.commit(
                    self._base, self._work, self._change(left, new, self._after(came, new, gone), draft)
                )
        return Ingested(
            spec.name, new.rows, given.height - new.rows, came.corrections, new.late, 0, state.rows - gone.height + new.rows, entry.number, 0.0,
            removed=gone.height, forgotten=int(dropped.sum()),
        )  # fmt: skip

    def _change(self, left: Mapping[str, Thinned], new: Grown, after: SourceState, draft: Path) -> Change:
        """The change that holds on the very state that it was made on."""
        here, state, schema = self._here, self._state, table_schema(self._spec)

        def change(head: Entry) -> Moved:
            if state_of(head, here.notes, state.name) != state:
                raise Conflict(f"another commit on source {state.name!r} came first.")
            files = files_of(here, state)
            both = {table: [*left[table].of(files[table]), *new.stretches[table]] for table in files}
            told = joined(here, after, both, schema, draft)
            return Moved({named(state.name): here.notes.put(self._work.token, told.note())})

        return change

    def _left(self, draft: Path) -> dict[str, Thinned]:
        """Each table without the rows of the stretch and, where rows have versions, all others of these."""
        layout, several = self._state.layout, not self._state.settled and self._spec.row_id is not None
        columns = [layout["event_time"], *([layout["row_id"]] if layout["row_id"] else [])]
        files = files_of(self._here, self._state)
        ids = self._ids(columns) if several else None

        def chosen(rows: pl.DataFrame) -> Mask:
            if ids is None:
                return self._inside(rows)
            nameless: Mask = rows[layout["row_id"]].is_null().to_numpy() & self._inside(rows)
            chosen_ids: Mask = rows[layout["row_id"]].is_in(ids.implode()).fill_null(value=False).to_numpy()
            return chosen_ids | nameless

        found = {}
        for table, stretches in files.items():
            asked = stretches if several else [one for one in stretches if self._touched(path_of(one))]
            found[table] = thinned(self._here, self._state, table, asked, columns, chosen, draft, self._work.token)
        return found

    def _ids(self, columns: list[str]) -> pl.Series:
        """The row ids whose newest version happened in the stretch."""
        row_id, empty = columns[1], pl.Series(columns[1], [], dtype=self._spec.schema[columns[1]])
        near = [rows[row_id].filter(pl.Series(self._inside(rows))) for rows in self._stored(columns)]
        ids = pl.concat([empty, *near]).drop_nulls().unique().to_frame()
        order = [*columns, *([self._spec.known_time] if self._spec.known_time else []), SEQUENCE]
        parts = [rows.join(ids, on=row_id, how="semi") for rows in self._stored(order)]
        if not parts:
            return empty
        newest = latest(self._spec, pl.concat(parts), stamped=True)
        return newest[row_id].filter(pl.Series(self._inside(newest)))

    def _stored(self, columns: list[str]) -> Iterator[pl.DataFrame]:
        return stored_rows(self._here, self._state, columns)

    def _inside(self, rows: pl.DataFrame) -> Mask:
        when = times(self._spec.name, self._state.layout, rows)
        inside: Mask = (when >= self._first) & (when < self._end)
        return inside

    def _touched(self, path: str) -> bool:
        """Whether a file may have rows of the stretch."""
        _, slab = where(path)
        return self._first // self._state.slab_us <= slab <= (self._end - 1) // self._state.slab_us

    def _new(self, given: pl.DataFrame, gone: pl.DataFrame) -> Fresh:
        """The rows to store: numbered, each once; further versions of rows that stay are corrections."""
        now = sequence.now_us()
        first = sequence.after(self._state.last_sequence, now, pushed=False)
        rows = stamped(given, now, sequence.numbers(first, given.height))
        row_id = self._spec.row_id
        if row_id is None:
            return Fresh(rows, 0, 0)
        return fresh(self._spec, self._held(rows, gone[row_id] if gone.height else None), rows, snapshot=True)

    def _held(self, rows: pl.DataFrame, gone: pl.Series | None) -> pl.DataFrame:
        """The versions that stay of rows with the ids of new ones. The ids alone are read first: mostly none of them stays."""
        row_id = str(self._spec.row_id)
        ids = rows.select(pl.col(row_id).drop_nulls().unique())
        ids = ids if gone is None else ids.filter(~pl.col(row_id).is_in(gone.cast(rows.schema[row_id]).implode()))
        empty = rows.clear().select(needed(self._spec))
        near = ids.height and any(
            one[row_id].is_in(ids[row_id].implode()).any()
            for one in stored_rows(self._here, self._state, [row_id], rows)
        )
        if not near:
            return empty
        stay = stored_rows(self._here, self._state, needed(self._spec), rows)
        return pl.concat([empty, *(part.join(ids, on=row_id, how="semi") for part in stay)])

    def _after(self, came: Fresh, new: Grown, gone: pl.DataFrame) -> SourceState:
        """What is true of the source then."""
        state = self._state
        marks = [mark for mark in (state.watermark, new.watermark) if mark is not None]
        last = int(came.rows[SEQUENCE].max()) if came.rows.height else 0  # type: ignore[arg-type]
        after = changed(
            state, rows=state.rows - gone.height + new.rows, ingested=state.ingested or self._spec.reader is not None, watermark=max(marks, default=None),
            last_sequence=max(last, state.last_sequence), settled=state.settled and is_settled(self._spec, came), pieces=None,
        )  # fmt: skip
        old = [int(times(self._spec.name, state.layout, gone).min())] if gone.height else []
        return after.turned(min([self._first, new.first, *old]))
