"""Ingest: what is new in a source, and what was pushed to it, into the store's event tables; all of it or nothing."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from ..engine.column import Index
from ..engine.errors import Conflict, Invalid
from ..engine.hashing import bucket
from ..engine.instant import instants
from ..engine.progress import Progress
from ..engine.rows import SEQUENCE
from ..engine.source import SourceSpec
from . import sequence
from .conform import conforming
from .event_files import BUCKET, SLAB, EventFiles
from .event_table import EventTable
from .fresh import Fresh, fresh, is_settled, needed, with_content
from .layout import BUCKETS, check_layout, layout_of, slab_width, tables_of
from .ledger import Commit, Ledger, SourceState
from .log import Log
from .records import stamped
from .stored_parts import KeyedTable

_ATTEMPTS = 20
_TIME, _KNOWN = "__time", "__known"


@dataclass(frozen=True)
class Ingested:
    """What an ingest did. `late` counts new rows older than the newest row the store had."""

    source: str
    new: int
    duplicates: int
    corrections: int
    late: int
    pushed: int  # of the new rows, those that came by the log
    rows: int  # in the store now
    version: int
    seconds: float

    def __str__(self) -> str:
        parts = f"{self.new:,} new ({self.pushed:,} pushed, {self.corrections:,} corrections, {self.late:,} late), {self.duplicates:,} known already"
        return f"ingested {self.source}: {parts}; {self.rows:,} rows in version {self.version}, {self.seconds:.1f} s"


class Ingest:
    """One source's way into a store."""

    def __init__(self, root: Path, spec: SourceSpec) -> None:
        self._root, self._spec = root, spec
        self._ledger = Ledger(root / "commits")
        self._log = Log(root / "log" / spec.name)

    def run(self, progress: Progress, *, read: bool = True, make: bool = False) -> Ingested:
        """Take in what the reader has (unless `read` is False) and what was pushed; safe to repeat, at once with others too.

        `make` makes the tables even where there is nothing to put into them.
        """
        started = time.perf_counter()
        given = self._given(progress) if read else None
        for _ in range(_ATTEMPTS):
            done = self._attempt(given, progress, make=make)
            if done is not None:
                return replace(done, seconds=time.perf_counter() - started)
        raise Conflict(f"{_ATTEMPTS} other ingests of {self._spec.name!r} came first. Try again.")

    def _given(self, progress: Progress) -> pl.DataFrame:
        """The rows of the reader, checked."""
        progress.step("reading")
        spec = self._spec
        rows = conforming(spec, spec.open()).read(list(spec.schema))
        missing = [name for name, dtype in spec.schema.items() if rows.schema[name] != dtype]
        if missing:
            raise Invalid(
                f"{spec.name}.{missing[0]} was read as {rows.schema[missing[0]]}, not {spec.schema[missing[0]]}."
            )
        _times(spec, rows)
        _known(spec, rows)
        progress.step(f"hashing {rows.height:,} rows")
        return with_content(spec, rows)

    def _attempt(self, given: pl.DataFrame | None, progress: Progress, *, make: bool) -> Ingested | None:
        """One try on the store as it stands; None if another commit on this source came first."""
        head = self._ledger.head()
        state = head.sources.get(self._spec.name)
        if state is not None:
            check_layout(self._spec, state)
        end = self._log.end()
        if given is not None and self._spec.row_id is None and end:
            raise Conflict(
                f"source {self._spec.name!r} was pushed to; to ingest it as well it needs row_id=, or rows would count twice."
            )
        table = table_at(self._root, self._spec, head, upto=end)
        arrived, pushed, listed = self._arrived(table, given, state)
        if _nothing(arrived, given, state, end) and not (make and state is None):
            return self._report(arrived, pushed, 0, state, head.version)
        progress.step(f"writing {arrived.rows.height:,} rows")
        after, late = self._after(state, arrived, end, listed, ingested=given is not None)
        tables = self._write(head, after, arrived.rows)
        return self._committed(head, state, after, tables, self._report(arrived, pushed, late, after, head.version + 1))

    def _arrived(
        self, table: EventTable, given: pl.DataFrame | None, state: SourceState | None
    ) -> tuple[Fresh, int, int]:
        """What is new: of the log, then of the reader; how much of it was pushed; and the last sequence number given."""
        tail = table.pushed()
        if given is None or not given.height:
            return tail, tail.rows.height, state.last_sequence if state else 0
        now = sequence.now_us()
        last = max(state.last_sequence if state else 0, table.upto)
        first = sequence.after(last, now, pushed=False)
        numbered = stamped(given, now, sequence.numbers(first, given.height)).select(tail.rows.columns)
        held = pl.concat([part.select(needed(self._spec)) for part in (table.stored(needed(self._spec)), tail.rows)])
        found = fresh(self._spec, held, numbered, snapshot=True)
        both = Fresh(
            pl.concat([tail.rows, found.rows]), tail.duplicates + found.duplicates, tail.corrections + found.corrections
        )
        return both, tail.rows.height, sequence.last(first, given.height)

    def _after(
        self, state: SourceState | None, arrived: Fresh, end: int, last: int, *, ingested: bool
    ) -> tuple[SourceState, int]:
        """The source's state after these rows, and how many of them are late."""
        times = _times(self._spec, arrived.rows)
        if state is None:
            span = int(times.max() - times.min()) if len(times) else 0
            state = SourceState(layout_of(self._spec), BUCKETS, slab_width(len(times), span))
        late = 0 if state.watermark is None else int((times < state.watermark).sum())
        marks = [mark for mark in (state.watermark, int(times.max()) if len(times) else None) if mark is not None]
        settled = state.settled and is_settled(self._spec, arrived)
        return replace(
            state, rows=state.rows + arrived.rows.height, ingested=state.ingested or ingested, watermark=max(marks, default=None),
            last_sequence=max(last, state.last_sequence), log_position=max(end, state.log_position), settled=settled,
        ), late  # fmt: skip

    def _write(self, head: Commit, state: SourceState, rows: pl.DataFrame) -> dict[str, int]:
        spec = self._spec
        times = _times(spec, rows)
        sortable = [pl.Series(_TIME, times), pl.Series(SLAB, times // state.slab_us)]
        known = _known(spec, rows)
        sortable += [] if known is None else [pl.Series(_KNOWN, known)]
        placed = rows.with_columns(sortable)
        versions = {}
        for name, keys in tables_of(spec).items():
            buckets = pl.Series(
                BUCKET, bucket(placed.select(keys), state.buckets) if keys else np.zeros(placed.height, np.int64)
            )
            by = [BUCKET, SLAB, *keys, _TIME, *([] if known is None else [_KNOWN]), SEQUENCE]
            ordered = placed.with_columns(buckets).sort(by).drop(_TIME, *([] if known is None else [_KNOWN]))
            versions[name] = EventFiles(self._root / "events" / name).commit(head.tables.get(name), _storable(ordered))
        return versions

    def _committed(
        self, head: Commit, before: SourceState | None, after: SourceState, tables: dict[str, int], report: Ingested
    ) -> Ingested | None:
        """The report once the commit stands; commits on other sources are no obstacle."""
        name = self._spec.name
        for _ in range(_ATTEMPTS):
            commit = head.following(f"ingest {name}", name, after, tables)
            if self._ledger.append(commit):
                return replace(report, version=commit.version)
            head = self._ledger.head()
            if head.sources.get(name) != before:
                return None
        return None

    def _report(self, arrived: Fresh, pushed: int, late: int, state: SourceState | None, version: int) -> Ingested:
        total = state.rows if state else 0
        return Ingested(
            self._spec.name,
            arrived.rows.height,
            arrived.duplicates,
            arrived.corrections,
            late,
            pushed,
            total,
            version,
            0.0,
        )


def _nothing(arrived: Fresh, given: pl.DataFrame | None, state: SourceState | None, end: int) -> bool:
    """True where a commit would change nothing."""
    if arrived.rows.height or end > (state.log_position if state else 0):
        return False
    return given is None or (state is not None and state.ingested)


def table_at(root: Path, spec: SourceSpec, commit: Commit, *, upto: int) -> EventTable:
    """The reader of a source's rows as of a commit, and of the log up to a position."""
    state = commit.sources.get(spec.name)
    log = root / "log" / spec.name
    if state is None:
        return EventTable(spec, (), BUCKETS, 1, log, 0, upto, True)
    tables = tuple(
        KeyedTable(tuple(keys), root / "events" / name, commit.tables[name]) for name, keys in tables_of(spec).items()
    )
    return EventTable(spec, tables, state.buckets, state.slab_us, log, state.log_position, upto, state.settled)


def _times(spec: SourceSpec, rows: pl.DataFrame) -> Index:
    return instants(
        rows[spec.event_time], f"{spec.name}.{spec.event_time}", time_zone=spec.time_zone, available=spec.available
    )


def _known(spec: SourceSpec, rows: pl.DataFrame) -> Index | None:
    if spec.known_time is None:
        return None
    return instants(
        rows[spec.known_time], f"{spec.name}.{spec.known_time}", time_zone=spec.time_zone, available=spec.available
    )


def _storable(rows: pl.DataFrame) -> pl.DataFrame:
    """Categories as text, which is what other programs and later versions can read."""
    texts = [name for name, dtype in rows.schema.items() if isinstance(dtype, pl.Categorical | pl.Enum)]
    return rows.with_columns(pl.col(name).cast(pl.String) for name in texts)
