"""A shard: the published services in memory, answering now. A plain class; what carries its calls is not its business.

It follows the log: a push is made durable there first and is then read back from there, as pushes of any other process are. So what
it holds is always a snapshot and a stretch of the log, and starting again gives the same state.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from typing import Any

import polars as pl

from ..engine.errors import NotFound, NowThenError, Unavailable, WrongType, did_you_mean
from ..engine.folds import compiled
from ..engine.folds.online import Online
from ..engine.folds.rows import SEQUENCE
from ..engine.folds.timeline import Timeline
from ..engine.record import record
from ..store.rows.pushed import declared
from ..store.rows.records import STAMPS
from . import tokens
from .answer import Answer
from .failure import Failure
from .group_commit import GroupCommit
from .published import Publication, Published, Push
from .question import Form, Question

_LAST = 2**62  # a sequence number that no log reaches


def clock() -> int:
    """The time now, microseconds UTC."""
    return time.time_ns() // 1000


@record(eq=False)
class Held:
    """One service as a shard holds it: its features, a timeline for each side of their plan, and how much of each log they saw."""

    online: Online
    form: Form
    timelines: Sequence[Timeline]
    versions: Mapping[str, str]
    positions: dict[str, int]

    @staticmethod
    def load(published: Published) -> Held:
        """The service in memory."""
        service, online = published.service, published.online
        loaded = zip(online.sides, published.frames, published.exact_from, strict=True)
        timelines = tuple(Timeline.load(side, frame, exact) for side, frame, exact in loaded)
        return Held(
            online, Form.of(service.name, online), timelines, {service.name: service.version}, dict(published.positions)
        )

    def append(self, source: str, rows: pl.DataFrame) -> None:
        """Take rows of a source's log."""
        for timeline in self.timelines:
            if timeline.side.scan.source.name == source:
                timeline.append(_declared(timeline, rows))

    def watermark(self) -> int | None:
        """The least of the timelines' watermarks; None where one has no rows (or there are none)."""
        marks = [timeline.watermark for timeline in self.timelines]
        return None if not marks or None in marks else min(mark for mark in marks if mark is not None)


@record(eq=False)
class _State:
    """All services. Replaced as a whole by `reload`."""

    services: Mapping[str, Held]
    made_of: object
    marks: dict[str, object]  # per source, the mark of its log when it was last read
    failed: dict[str, Failure]  # services that have rows of which their features cannot be computed; the others go on

    @cached_property
    def sources(self) -> tuple[str, ...]:
        """The sources that any of the services reads."""
        return tuple(sorted({source for held in self.services.values() for source in held.positions}))


class Shard:
    """Answers and takes rows for all published services. Any number of threads may call it."""

    def __init__(self, publication: Publication, now: Callable[[], int] = clock) -> None:
        self._publication, self._now = publication, now
        self._lock = threading.RLock()
        self._commits: dict[str, GroupCommit[Push, int]] = {}
        compiled.warm()
        self._state = self._loaded()
        self._warm()

    def get(
        self,
        service: str,
        keys: Mapping[str, Any],
        *,
        request: Mapping[str, Any] | None = None,
        at: Any = None,
        with_rows: Mapping[str, Any] | None = None,
        push: bool = False,
        after: str | None = None,
        key: str | None = None,
    ) -> Answer:
        """The features of a service, in the order asked.

        `with_rows={source: rows}` counts those rows as arrived for this answer; `push=True` makes them durable first, once for each
        idempotency `key`. `after` is the token of a push that must have been seen.
        """
        held = self._held(service)
        question = held.form.ask(keys, request, at, self._now)
        tried = self._tried(with_rows)
        if tried and push:
            self._refuse_unsuited(tried)
            for source, rows in tried.items():
                self._append(source, rows, key)
        with self._lock:
            held = self._current(service, after)
            timelines = held.timelines if push or not tried else _branches(held, tried)
            return _answer(held, timelines, question)

    def push(self, source: str, rows: Any, key: str | None = None) -> str:
        """Make rows durable and seen by every later read; the token to read them by.

        The same idempotency key again finishes an interrupted push, and does nothing where it had been done.
        """
        checked = self._publication.checked(source, rows)
        self._refuse_unsuited({source: checked})
        position = self._append(source, checked, key)
        with self._lock:
            self._catch_up()
        return tokens.written({source: position})

    def reload(self) -> bool:
        """Take the newest snapshots; True where there were newer ones. Reads go on meanwhile, and see the change at once and whole."""
        if self._publication.state() == self._state.made_of:
            return False
        state = self._loaded()
        with self._lock:
            self._follow(state)
            self._state = state
        return True

    def services(self) -> dict[str, dict[str, Any]]:
        """What can be asked, by service: version, keys, request fields, features."""
        return {name: _described(held) for name, held in sorted(self._state.services.items())}

    def service(self, name: str) -> dict[str, Any]:
        """What one service can be asked."""
        return _described(self._held(name))

    def close(self) -> None:
        """Let go of the logs."""
        self._publication.close()

    def check_health(self) -> None:
        """Raises where the shard cannot answer."""
        with self._lock:
            self._catch_up()

    def _instead(self, name: str) -> str:
        """What to ask for in place of a name that no service has: the services of a view, else the nearest."""
        services = self._state.services
        holding = [
            service
            for service, held in services.items()
            if any(reference.view.name == name for reference in held.online.features.values())
        ]
        if holding:
            return f"It is a view; ask for a service that has it: {', '.join(sorted(holding))}."
        return did_you_mean(name, services)

    def _held(self, service: str) -> Held:
        self._refuse_failed(service)
        found = self._state.services.get(service)
        if found is None and self.reload():
            found = self._state.services.get(service)
        if found is None:
            self._refuse_failed(service)
            raise NotFound(f"service {service!r} is not published. {self._instead(str(service))}")
        return found

    def _refuse_unsuited(self, given: Mapping[str, pl.DataFrame]) -> None:
        """Raise where a function of the user's fails for rows, before they are durable and fail it for good."""
        with self._lock:
            sound = [held for name, held in self._state.services.items() if name not in self._state.failed]
            for timeline in (timeline for held in sound for timeline in held.timelines):
                if any(part.functions for part in timeline.side.parts.values()):
                    _with_rows(timeline, given.get(timeline.side.scan.source.name))

    def _refuse_failed(self, service: str) -> None:
        """Raise what keeps a service from answering, unless there is a newer snapshot that it can answer from."""
        if service in self._state.failed:
            self.reload()
        if service in self._state.failed:
            raise self._state.failed[service].error()

    def _current(self, service: str, after: str | None) -> Held:
        """A service as it is after what the logs hold now, and at least as new as a token."""
        self._catch_up()
        self._refuse_failed(service)
        held = self._state.services[service]
        for source, position in tokens.read(after).items() if after else ():
            seen = held.positions.get(source, position)
            if seen < position:
                raise Unavailable(
                    f"after={after!r}: the log of {source!r} has been read only up to {seen} here. Try again.",
                    retry_after=0.05,
                )
        return held

    def _catch_up(self) -> None:
        """Follow the logs. What was not read yet and was cut off one is in a newer snapshot."""
        try:
            self._follow(self._state)
        except NotFound:
            if not self.reload():
                raise

    def _follow(self, state: _State) -> None:
        """Take what was appended to the logs since."""
        for source in state.sources:
            mark = self._publication.mark(source)
            if state.marks.get(source, self) != mark:
                self._take(state, source)
                state.marks[source] = mark

    def _take(self, state: _State, source: str) -> None:
        tails: dict[int, tuple[list[pl.DataFrame], int]] = {}
        for name, held in state.services.items():
            position = held.positions.get(source)
            if position is None or name in state.failed:
                continue
            if position not in tails:
                tails[position] = self._publication.tail(source, position)
            try:
                for rows in _alike(tails[position][0]):
                    held.append(source, rows)
            except NowThenError as error:  # a cast or a function of the user's that some row does not suit
                state.failed[name] = Failure.of(error)
            held.positions[source] = tails[position][1]

    def _append(self, source: str, rows: pl.DataFrame, key: str | None) -> int:
        with self._lock:
            commits = self._commits.get(source)
            if commits is None:
                commits = self._commits[source] = GroupCommit(lambda pushes: self._publication.append(source, pushes))
        return commits.commit(Push(rows, key or ""))

    def _tried(self, with_rows: Mapping[str, Any] | None) -> dict[str, pl.DataFrame]:
        if with_rows is None:
            return {}
        if not isinstance(with_rows, Mapping):
            raise WrongType(
                f"with_rows is {type(with_rows).__name__}; give rows by source, as in {{'transactions': rows}}."
            )
        return {source: self._publication.checked(source, rows) for source, rows in with_rows.items()}

    def _loaded(self) -> _State:
        made_of = self._publication.state()
        services: dict[str, Held] = {}
        failed: dict[str, Failure] = {}
        for one in self._publication.services():
            try:
                services[one.service.name] = Held.load(one)
            except NowThenError as error:
                failed[one.service.name] = Failure.of(error)
        state = _State(services, made_of, {}, failed)
        self._follow(state)
        return state

    def _warm(self) -> None:
        """Ask every service once, so that the first caller does not wait for code to load."""
        for held in self._state.services.values():
            nothing = dict.fromkeys(held.form.keys)
            with suppress(NowThenError):  # what fails for nobody may do so for whoever asks, and says so then
                _answer(held, held.timelines, held.form.ask(nothing, dict.fromkeys(held.form.fields), None, self._now))


def _alike(frames: Sequence[pl.DataFrame]) -> list[pl.DataFrame]:
    """The rows in as few frames as their schemas allow: a hundred pushes are taken as one."""
    out: list[list[pl.DataFrame]] = []
    for frame in frames:
        if out and out[-1][0].schema == frame.schema:
            out[-1].append(frame)
        else:
            out.append([frame])
    return [pl.concat(alike) for alike in out]


def _branches(held: Held, tried: Mapping[str, pl.DataFrame]) -> Sequence[Timeline]:
    """The timelines with rows that nobody else sees."""
    return [_with_rows(timeline, tried.get(timeline.side.scan.source.name)) for timeline in held.timelines]


def _with_rows(timeline: Timeline, rows: pl.DataFrame | None) -> Timeline:
    if rows is None:
        return timeline
    branch = timeline.branch()
    branch.append(_declared(timeline, _numbered(rows)))
    return branch


def _declared(timeline: Timeline, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows as the source of a snapshot has them; another definition of it may have pushed them."""
    schema = timeline.side.scan.source.schema
    return declared(rows, {**schema, **{name: kind for name, kind in rows.schema.items() if name in STAMPS}})


def _answer(held: Held, timelines: Sequence[Timeline], question: Question) -> Answer:
    slots = held.online.fold(timelines, question.keys, question.at)
    served = held.online.finish(slots, question.request, question.at)
    return Answer.of(served, held.watermark(), held.versions, tokens.written(held.positions))


def _numbered(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with sequence numbers behind all there are."""
    return rows.with_columns((pl.int_range(pl.len(), dtype=pl.Int64) + _LAST).alias(SEQUENCE))


def _described(held: Held) -> dict[str, Any]:
    return {
        "name": held.form.service,
        "version": held.versions[held.form.service],
        "keys": {name: str(dtype) for name, dtype in held.form.keys.items()},
        "request": {name: str(dtype) for name, dtype in held.form.fields.items()},
        "features": {name: str(reference.dtype) for name, reference in held.online.features.items()},
    }
