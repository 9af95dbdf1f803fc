"""Ingest: what is new in a source, and what was pushed to it, into the store's tables; all of it or nothing, and once however often it is tried."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from ...engine.errors import Conflict
from ...engine.folds.column import Index
from ...engine.language.source import SourceSpec
from ...engine.plan.budget import bytes_of
from ...engine.showing.progress import Progress
from ..ledger.entry import begun
from ..ledger.start_over import committing, losing, undisturbed, until_done
from ..ports import Change, Entry, Here, Moved, Stretch, Work
from ..sources.conform import conforming
from ..tables.grown import Grown, files_of, grown, joined
from .arrivals import Arrived, arrived
from .compaction import Rewritten, rewritten, tidied
from .erased_keys import Erased
from .evolution import Evolution, as_stored, evolution, evolved, table_schema
from .known_rows import least_time
from .layout import BUCKETS, keyed, layout_of, slab_width, times
from .log import Log
from .looked import DAY_US, Look, days_of, look
from .passing import Passing
from .pieces_known import Files, unknown
from .placed import slabs_of
from .source_note import SourceState, named, state_of


@dataclass(frozen=True, repr=False)
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
    removed: int = 0  # rows that others took the place of
    forgotten: int = 0  # rows of erased keys, which were dropped

    def __repr__(self) -> str:
        parts = f"{self.new:,} new ({self.pushed:,} pushed, {self.corrections:,} corrections, {self.late:,} late), {self.duplicates:,} known already"
        more = {"removed": self.removed, "of erased keys dropped": self.forgotten}
        parts += "".join(f", {rows:,} {what}" for what, rows in more.items() if rows)
        return f"ingested {self.source}: {parts}; {self.rows:,} rows in version {self.version}, {self.seconds:.1f} s"


class Ingest:
    """One source's way into a store; about so much memory is used for rows."""

    def __init__(self, here: Here, spec: SourceSpec, memory: str | int | None = None) -> None:
        self._here, self._spec, self._memory = here, spec, bytes_of(memory)

    def run(self, progress: Progress, *, read: bool = True, make: bool = False) -> Ingested:
        """Take in what the reader has (unless `read` is False) and what was pushed; safe to repeat, at once with others too.

        `make` makes the tables even where there is nothing to put into them.
        """
        started = time.perf_counter()
        given = Given(self._here, self._spec, self._memory, progress) if read else None
        with self._here.folder.turn(f"ingest-{self._spec.name}"):
            done = until_done(lambda: self._attempt(given, progress, make=make), self._spec.name)
        return replace(done, seconds=time.perf_counter() - started)

    def _attempt(self, given: Given | None, progress: Progress, *, make: bool) -> Ingested:
        """One try on the store as it stands."""
        here, base = self._here, self._here.ledger.head()
        state = state_of(base, here.notes, self._spec.name)
        spec = self._spec = self._spec if given else as_stored(self._spec, state)
        change = evolution(spec, state)
        with losing(here.ledger):
            found = given.looked(state) if given else None
            with undisturbed(here.ledger, base):  # others may have drained the log, and cut it off
                came = arrived(here, spec, state, found, Erased.of(here, state), self._memory)
            files = given.files if given else Files(None, {})
            if not (came.new or self._matters(came, state, change, read=given is not None) or (make and state is None)):
                here.ledger.vouch(base)
                return _report(spec.name, came, files, 0, state, base.number)
            wrote = Passing(progress, "writing", came.new * len(keyed(layout_of(spec))))
            return self._written(base, state, change, came, files, wrote, read=given is not None)

    def _matters(self, came: Arrived, state: SourceState | None, change: Evolution, *, read: bool) -> bool:
        """Whether there is something to say though no row is new."""
        told = state is not None and state.ingested
        ahead = came.end > (state.log_position if state else 0)
        return ahead or bool(change.added or change.widened) or (read and not told)

    def _written(
        self, base: Entry, state: SourceState | None, change: Evolution, came: Arrived, files: Files, wrote: Passing, *, read: bool
    ) -> Ingested:  # fmt: skip
        """The rows in new files, and an entry that names them."""
        here, spec = self._here, self._spec
        what = "ingest" if read else "drain"
        work = begun(what, f"{what} {spec.name}", read=files.lineage(), wrote=[named(spec.name)])
        grounds = evolved(spec, state) if state else _first_state(spec, came)
        schema = table_schema(spec)
        with here.folder.draft(work.token) as draft:
            new = grown(
                here, spec, grounds, came.portions(spec), slabs_of(_days(spec, came), grounds.slab_us, DAY_US), schema, draft, work.token,
                corrections=came.corrections, in_memory=came.in_memory, wrote=wrote,
            )  # fmt: skip
            write = rewritten if change.widened else tidied
            old = write(here, state, schema, draft, work.token) if state else Rewritten({}, {})
            here.tables.take_in(draft)
            after = self._after(state, grounds, came, new, read=read)
            names = _naming(here, state, after, new.stretches, old, files, schema, len(came.kept), draft, work)
            with committing():
                entry = here.ledger.commit(base, work, names)
        return _report(spec.name, came, files, new.late, after, entry.number)

    def _after(
        self, state: SourceState | None, grounds: SourceState, came: Arrived, new: Grown, *, read: bool
    ) -> SourceState:
        """What is true of the source once these rows are in."""
        marks = [mark for mark in (grounds.watermark, new.watermark) if mark is not None]
        settled = self._spec.row_id is None or not (new.deletes or came.corrections)
        after = replace(
            grounds, rows=grounds.rows + new.rows, ingested=grounds.ingested or read, watermark=max(marks, default=None),
            last_sequence=max(came.last, grounds.last_sequence), log_position=max(came.end, grounds.log_position), settled=grounds.settled and settled,
        )  # fmt: skip
        if not new.rows:
            return after
        found = [least_time(self._here, state, ids) for ids in new.ids]
        replaced = [first for first in found if first is not None]
        return after.turned(
            min([new.first, *([] if self._spec.known_time else replaced)]), min([new.happened, *replaced])
        )


class Given:
    """The rows of a source's reader, looked at once, or again where what was erased has changed meanwhile."""

    def __init__(self, here: Here, spec: SourceSpec, memory: int, progress: Progress) -> None:
        self._here, self._spec, self._memory, self._progress = here, spec, memory, progress
        self._look: Look | None = None
        self._forgotten: str | None = None
        self.files = Files(None, {})

    def looked(self, state: SourceState | None) -> Look | None:
        """What the look at all rows told; None where the tables have all files as they are."""
        forgotten = None if state is None else state.forgotten
        if self._look is None or forgotten != self._forgotten:
            self._progress.step("reading")
            reader = conforming(self._spec, self._spec.open())
            self.files = unknown(self._here, self._spec, state, reader, pushed=self._pushed(state))
            erased = Erased.of(self._here, state)
            if self.files.reader is None:
                return None
            self._look = look(self._spec, self.files.reader, erased, self._memory, self._progress)
            self._forgotten = forgotten
        return self._look

    def _pushed(self, state: SourceState | None) -> bool:
        """Whether rows were pushed that the tables do not have."""
        logs = self._here.logs
        return logs is not None and Log(logs / self._spec.name).end() > (state.log_position if state else 0)


def _naming(
    here: Here, state: SourceState | None, after: SourceState, new: Mapping[str, Sequence[Stretch]],
    old: Rewritten, files: Files, schema: pa.Schema, looked: int, draft: Path, work: Work,
) -> Change:  # fmt: skip
    """The change that adds the new files to those there are, if the rows are as they were; compaction may have moved them."""

    def change(head: Entry) -> Moved:
        now = state_of(head, here.notes, after.name)
        if not same_rows(now, state):
            raise Conflict(f"another commit on source {after.name!r} came first.")
        stretches = old.among(files_of(here, now))
        both = {table: [*stretches.get(table, ()), *found] for table, found in new.items()}
        told = joined(here, after, both, schema, draft)
        if (
            files.reader is not None and files.marks
        ):  # what was passed over stays known as it was, so that it is read behind later pushes
            told = replace(told, pieces=here.notes.put(work.token, files.note(told.turn, looked)))
        return Moved({named(after.name): here.notes.put(work.token, told.note())})

    return change


def same_rows(one: SourceState | None, other: SourceState | None) -> bool:
    """Whether two states of a source have the same rows, in whatever files."""
    if one is None or other is None:
        return one is other
    return replace(one, tables={}) == replace(other, tables={})


def _first_state(spec: SourceSpec, came: Arrived) -> SourceState:
    """The state of a source before its first rows, which say how wide its slabs are."""
    pushed = times(spec.name, layout_of(spec), came.tail)
    span = max(came.look.span_us if came.look else 0, int(pushed.max() - pushed.min()) if len(pushed) else 0)
    return SourceState(spec.name, layout_of(spec), BUCKETS, slab_width(came.new, span))


def _days(spec: SourceSpec, came: Arrived) -> Index:
    """The days that there are new rows on."""
    pushed = days_of(times(spec.name, layout_of(spec), came.tail))
    return np.union1d(pushed, came.look.days) if came.look else pushed


def _report(source: str, came: Arrived, files: Files, late: int, state: SourceState | None, version: int) -> Ingested:
    rows = state.rows if state else 0
    return Ingested(
        source, came.new, came.duplicates + files.rows, came.corrections, late, came.tail.height, rows, version, 0.0,
        forgotten=came.forgotten,
    )  # fmt: skip
