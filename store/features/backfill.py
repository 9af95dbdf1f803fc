"""Backfill: features at many past times, kept in the store's own feature tables. What is there is never computed again.

What was pushed is taken in first, and all is computed as of the entry since which it is. Chunks are committed a few together, so that a backfill
that was stopped goes on where it was; another one at the same time does what is left.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from ...engine.errors import Conflict, Deadline, Invalid
from ...engine.language.duration import positive
from ...engine.language.nodes import Reference
from ...engine.language.view import ViewSpec
from ...engine.plan.budget import bytes_of
from ...engine.plan.rates import seconds
from ...engine.running.executor import on, slots
from ...engine.showing.progress import Progress
from ..ports import Entry, Here
from ..sources.training import sources_of
from ..tables.lost import looked_again
from .asked_rows import Wanted, events_of
from .chunks import Hole
from .fill_draft import Filled
from .view_backfill import How, Piece, ViewBackfill

_TIMES = 20  # that others may come first
_AT_ONCE = 2  # commits: while the files of one are forced to the disk those of the next are written
_WRITERS = 2  # files that are written at once, those of the earlier commit first
_COMMIT_BYTES = 128 << 20  # of values: more are a greater loss when a commit fails, of fewer a run would take several


@dataclass(frozen=True, repr=False)
class Backfilled:
    """What a backfill did, or would do."""

    holes: tuple[Hole, ...] = ()  # that were there
    rows: int = 0
    values: Mapping[str, int] = field(default_factory=dict)  # how many were computed of each feature
    bytes: int = 0  # about, before compression
    tasks: int = 0  # chunks
    seconds: float | None = 0.0  # an estimate, of what was not done
    version: int = 0  # of the store since which they are there
    dry_run: bool = False

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        plain = {part: getattr(self, part) for part in ("rows", "bytes", "tasks", "seconds", "version", "dry_run")}
        return {**plain, "values": dict(self.values), "holes": [hole.as_json() for hole in self.holes]}

    def __repr__(self) -> str:
        if not self.holes:
            return f"backfill: all of it is there, in version {self.version}; nothing was computed"
        named = ", ".join(f"{name} {count:,}" for name, count in self.values.items())
        whole = f"{self.rows:,} rows in {self.tasks:,} chunks, about {self.bytes / 2**20:,.1f} MiB; values: {named}"
        if self.dry_run:
            about = (
                "" if self.seconds is None else f", roughly {max(self.seconds, 1):,.0f} s by rates of another machine"
            )
            return f"backfill would fill {whole}{about}. Nothing was done."
        return f"backfilled {whole}; version {self.version}, {self.seconds:,.1f} s"

    def plus(self, other: Backfilled) -> Backfilled:
        """Both."""
        values = {name: self.values.get(name, 0) + other.values.get(name, 0) for name in [*self.values, *other.values]}
        took = None if self.seconds is None or other.seconds is None else self.seconds + other.seconds
        return Backfilled(
            (*self.holes, *other.holes), self.rows + other.rows, values, self.bytes + other.bytes,
            self.tasks + other.tasks, took, max(self.version, other.version), self.dry_run or other.dry_run,
        )  # fmt: skip


def backfilled(
    here: Here,
    features: Mapping[str, Reference],
    wanted: Wanted,
    how: How | None = None,
    *,
    dry_run: bool = False,
) -> Backfilled:
    """Fill the holes of features for the rows wanted; with `dry_run` what that would be, by the tables as they are, pushed rows left out."""
    how, began = how or How(), time.monotonic()
    _check(wanted, how)
    if dry_run:
        return _planned(here, features, wanted, how)
    _drained(here, features, wanted)
    until = None if how.deadline is None else began + positive(how.deadline, "deadline") / 1e6
    done = Backfilled(version=here.ledger.head().number)
    with looked_again(here.ledger):
        for view, names in _views(features):
            done = done.plus(_filled(here, view, names, wanted, how, until))
    return replace(done, seconds=time.monotonic() - began)


def holes(here: Here, features: Mapping[str, Reference], wanted: Wanted) -> list[Hole]:
    """What is missing of features for the rows wanted, by the tables as they are."""
    wanted.check()
    entry = here.ledger.head()
    with looked_again(here.ledger):
        jobs = [ViewBackfill(here, view, names, wanted, entry) for view, names in _views(features)]
        return [hole for job in jobs for hole in job.holes]


def _check(wanted: Wanted, how: How) -> None:
    """Refuse what means nothing before anything long begins."""
    wanted.check()
    on(how.engine)
    bytes_of(how.memory)
    if how.workers is not None and how.workers < 1:
        raise Invalid(f"workers={how.workers}; pass at least one.")


def _views(features: Mapping[str, Reference]) -> list[tuple[ViewSpec, list[str]]]:
    """The views of features, each with the features wanted."""
    found: dict[str, tuple[ViewSpec, list[str]]] = {}
    for reference in features.values():
        view, names = found.setdefault(reference.view.name, (reference.view, []))
        if view is not reference.view and view.features.get(reference.name) is not reference.feature:
            raise Invalid(f"two different views are named {view.name!r}. Fill one after the other.")
        if reference.name not in names:
            names.append(reference.name)
    for view, names in found.values():
        _check_apart(view, names)
    return list(found.values())


def _check_apart(view: ViewSpec, names: Sequence[str]) -> None:
    """Refuse features of one hash, and so of one column, whose functions are different ones of equal source: they may find different globals."""
    seen: dict[str, str] = {}
    for name in view.features:
        twin = seen.setdefault(view.version(name), name)
        one, other = view.features[twin], view.features[name]
        if one.identity != other.identity and not {twin, name}.isdisjoint(names):
            raise Invalid(
                f"features {twin!r} and {name!r} of view {view.name!r} have one version, as their functions are of equal source "
                f"({', '.join(sorted(one.functions | other.functions))}), and would be stored as one. Use one function, and give what differs as a "
                "keyword-only parameter."
            )


def _drained(here: Here, features: Mapping[str, Reference], wanted: Wanted) -> None:
    """Take what was pushed to the sources into their tables."""
    from ..rows.ingest import Ingest

    asked = events_of(wanted.spine)
    sources = {spec.name: spec for spec in [*([asked] if asked else []), *sources_of(features)]}
    for spec in sources.values():
        with Progress(f"backfill: draining {spec.name}") as progress:
            Ingest(here, spec).run(progress, read=False, make=spec.reader is None)


def _filled(
    here: Here, view: ViewSpec, names: Sequence[str], wanted: Wanted, how: How, until: float | None
) -> Backfilled:
    """Fill the holes of one view; where others come first, what they left."""
    done = Backfilled()
    for _ in range(_TIMES):
        entry = here.ledger.head()
        job = ViewBackfill(here, view, names, wanted, entry)
        filling = _Filling(job)
        try:
            for run in job.runs(how):
                filling.run(run, _within(how, until))
        except Conflict as conflict:
            lost = conflict
        else:
            here.ledger.vouch(entry)
            return done.plus(replace(filling.done, version=max(filling.done.version, entry.number)))
        done = done.plus(filling.done)
    raise Conflict(
        f"backfill {view.name}: gave up after {_TIMES} attempts: other writers kept committing first. The last time: {lost}"
    ) from lost


class _Filling:
    """Fills holes of a view, a few side by side, and counts what was done."""

    def __init__(self, job: ViewBackfill) -> None:
        self._job, self.done = job, Backfilled()

    def run(self, run: Sequence[Piece], how: How) -> None:
        """Compute a run and fill its holes. What was filled counts also where another could not be."""
        waiting: deque[tuple[Sequence[Piece], Future[Entry]]] = deque()
        with ThreadPoolExecutor(_WRITERS) as writers, ThreadPoolExecutor(_AT_ONCE) as pool:
            try:
                with closing(self._job.computed(run, how)) as computed:
                    for batch in _batches(run, self._job):
                        waiting.append((batch, self._filling(islice(computed, len(batch)), writers, pool)))
                        if len(waiting) > _AT_ONCE:
                            self._count(*waiting.popleft())
            finally:
                lost = [error for one in waiting if (error := self._failed(*one)) is not None]
        if lost:
            raise lost[0]

    def _filling(self, batch: Iterable[Filled], writers: ThreadPoolExecutor, pool: ThreadPoolExecutor) -> Future[Entry]:
        """The commit of a batch, whose files are written as it comes."""
        draft = self._job.filler.draft(writers)
        try:
            for filled in batch:
                draft.write(filled)
            return pool.submit(self._job.filler.fill, draft)
        except BaseException:
            if draft.claim():  # else the commit is under way, as `submit` may fail after it was heard
                with draft:
                    raise
            raise

    def _failed(self, pieces: Sequence[Piece], filling: Future[Entry]) -> BaseException | None:
        error = filling.exception()
        if error is None:
            self._count(pieces, filling)
        return error

    def _count(self, pieces: Sequence[Piece], filling: Future[Entry]) -> None:
        for piece in pieces:
            self.done = self.done.plus(_one(self._job, piece, filling.result()))


def _batches(run: Sequence[Piece], job: ViewBackfill) -> Iterator[list[Piece]]:
    """Pieces that are committed together, of about _COMMIT_BYTES."""
    batch: list[Piece] = []
    for piece in run:
        batch.append(piece)
        if sum(map(job.size, batch)) >= _COMMIT_BYTES:
            yield batch
            batch = []
    if batch:
        yield batch


def _one(job: ViewBackfill, piece: Piece, entry: Entry) -> Backfilled:
    hole = piece.hole
    values = {f"{hole.view}:{name}": piece.rows for name in hole.features}
    return Backfilled((hole,), piece.rows, values, job.size(piece), 1, 0.0, entry.number)


def _within(how: How, until: float | None) -> How:
    """The same with the time that is left."""
    if until is None:
        return how
    left = until - time.monotonic()
    if left <= 0:
        raise Deadline(
            f"the backfill is not done in {how.deadline}. What is done is kept: the same call goes on from there."
        )
    return replace(how, deadline=f"{max(int(left * 1e6), 1)}us")


def _planned(here: Here, features: Mapping[str, Reference], wanted: Wanted, how: How) -> Backfilled:
    """What there is to do, and about what it takes."""
    entry, workers, on_ray = here.ledger.head(), slots(how.engine, how.workers), on(how.engine) == "run_ray"
    done = Backfilled(version=entry.number, dry_run=True)
    for view, names in _views(features):
        job = ViewBackfill(here, view, names, wanted, entry)
        for run in job.runs(how):
            took = seconds(job.plan(run, how), sum(piece.rows for piece in run), workers, on_ray=on_ray)
            for piece in run:
                done = done.plus(_one(job, piece, entry))
            done = replace(done, seconds=None if took is None or done.seconds is None else done.seconds + took)
    return done


__all__ = ["Backfilled", "How", "Wanted", "backfilled", "holes"]
