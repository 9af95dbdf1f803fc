"""What a shard needs of a store: what is published, and the logs of what is pushed."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import polars as pl

from ..engine.errors import CommitUnknown, NowThenError, Unavailable
from ..engine.folds.online import Online
from ..engine.language.nodes import load as load_functions
from ..engine.language.service import FeatureService
from ..engine.language.source import SourceSpec
from ..store.ports import Folder, Here
from ..store.rows.erased_keys import check_erased
from ..store.rows.log import Appended, Log, Writer
from ..store.rows.pushed import checked
from ..store.rows.records import stamped
from ..store.rows.sequence import now_us, numbers
from ..store.snapshots.manifest import Manifest, load, manifests, read_manifest
from ..store.snapshots.manifest import published as published_names
from ..store.store import Store

_WAIT_S = 5.0  # for another process that is writing to the same log
_RECENT = 1024  # own pushes kept to be applied without reading them back


@dataclass(frozen=True)
class Published:
    """A service as it was last published: for every side of its plan, in order, the rows that may still matter."""

    service: FeatureService
    online: Online
    frames: Sequence[pl.DataFrame]
    exact_from: Sequence[int | None]
    positions: Mapping[str, int]  # per source, the position in its log up to which the frames hold what was pushed


class Push(NamedTuple):
    """Checked rows on their way into a log."""

    rows: pl.DataFrame
    key: str


class Publication(Protocol):
    """Where a shard loads from, and where it makes rows durable."""

    def state(self) -> object:
        """Something that changes when a snapshot is published. Asked now and then."""

    def services(self) -> list[Published]:
        """Every published service, newest snapshots."""

    def checked(self, source: str, rows: Any) -> pl.DataFrame:
        """Rows in the source's types, complete, not ahead of the clock; or what is wrong with them. Writes nothing."""

    def append(self, source: str, pushes: Sequence[Push]) -> list[int]:
        """Make pushes durable together; the log's position after each (of the first push, for a key that was seen before)."""

    def mark(self, source: str) -> object:
        """Something that changes when a source's log grows. Asked at every read: cheap."""

    def close(self) -> None:
        """Let go of the logs."""

    def tail(self, source: str, position: int) -> tuple[list[pl.DataFrame], int]:
        """The durable rows of a source's log after a position, with arrival and sequence, and the position after them."""


@dataclass
class _Feed:
    """The log of one source as this process follows and writes it."""

    log: Log
    spec: SourceSpec
    writer: Writer | None = None
    recent: deque[tuple[int, pl.DataFrame, int]] = field(default_factory=lambda: deque(maxlen=_RECENT))
    read_mark: object = None  # the log's mark right after our last push
    writing: bool = False
    pushable: bool = False  # known to be
    last_mark: object = None
    newest: tuple[int, Path | None] = (-1, None)  # the folder's time, and its last segment then

    def mark(self) -> object:
        """Last segment and its size; a new segment changes the folder's time. Costs two looks at the file system."""
        try:
            changed = os.stat(self.log.folder).st_mtime_ns
            if self.newest[0] != changed:
                self.newest = changed, max(self.log.folder.glob("*.log"), default=None)
            segment = self.newest[1]
            return None if segment is None else (segment, os.stat(segment).st_size)
        except FileNotFoundError:
            return None


class StorePublication:
    """A store. Pushes of other processes to the same store are seen as well."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._folder = store.here.folder
        self._feeds: dict[str, _Feed] = {}
        self._opening = threading.Lock()

    def state(self) -> object:
        """Names, times and sizes of the manifests."""
        return manifests(self._folder)

    def services(self) -> list[Published]:
        """Every published service, newest snapshots."""
        names = published_names(self._folder)
        return [_published(self._folder, read_manifest(self._folder, name)) for name in names]

    def checked(self, source: str, rows: Any) -> pl.DataFrame:
        """Rows as they will be stored."""
        feed = self._feed(source)
        if not feed.pushable:
            self._store.check_pushable(feed.spec)
            feed.pushable = True
        return checked(feed.spec, rows, now_us())

    def append(self, source: str, pushes: Sequence[Push]) -> list[int]:
        """Make pushes durable together."""
        feed = self._feed(source)
        feed.last_mark, feed.writing = self.mark(source), True
        try:
            return [appended.last for appended in _appended(feed, pushes, self._store.here)]
        finally:
            feed.writing = False

    def mark(self, source: str) -> object:
        """The state of the log's folder and of its last segment; while we write, what it was before: rows count once they are durable."""
        feed = self._feed(source)
        found = feed.mark()
        # Asked last: a write that began after we looked may show in what we found, and is not durable yet.
        return feed.last_mark if feed.writing else found

    def tail(self, source: str, position: int) -> tuple[list[pl.DataFrame], int]:
        """Our own pushes from memory where they follow the position, the rest from the log."""
        feed = self._feed(source)
        frames: list[pl.DataFrame] = []
        for before, rows, after in list(feed.recent):
            if before == position:
                frames.append(rows)
                position = after
        if feed.writing or (frames and feed.read_mark == feed.mark()):
            return frames, position
        more, position = feed.log.read(position)
        return frames + more, position

    def close(self) -> None:
        """Stop writing to the logs; a later push opens them again."""
        for feed in self._feeds.values():
            if feed.writer is not None:
                feed.writer.close()
                feed.writer = None

    def _feed(self, source: str) -> _Feed:
        feed = self._feeds.get(source)
        if feed is None:
            with self._opening:
                spec = self._store.source(source)
                feed = self._feeds.setdefault(source, _Feed(self._store.log(source), spec))
        return feed


def _published(folder: Folder, manifest: Manifest) -> Published:
    service = manifest.made()
    # Of a function that cannot be imported hears whoever asks for what it makes; other services go on.
    with suppress(NowThenError):
        load_functions(service.features.values())
    online = Online(service.features)
    groups = [manifest.group(side.scan.source.name, tuple(name for name, _ in side.keys)) for side in online.sides]
    exact = [None if group.cut is None or group.reach is None else group.cut + group.reach for group in groups]
    frames = [pl.concat([load(folder, file) for file in group.files]) for group in groups]
    return Published(service, online, frames, exact, {group.source: group.log_position for group in groups})


def _appended(feed: _Feed, pushes: Sequence[Push], here: Here) -> list[Appended]:
    writer = _writing(feed)
    before = writer.end
    try:
        check_erased(here, feed.spec.name, *(push.rows for push in pushes))
        done = writer.append_many(pushes)
    except CommitUnknown:
        feed.writer = None
        raise
    except BaseException:
        writer.pause()
        raise
    for push, appended in zip(pushes, done, strict=True):
        if appended.last > before:
            rows = stamped(push.rows, appended.arrival, numbers(appended.first, appended.rows))
            feed.recent.append((before, rows, appended.last))
            before = appended.last
    feed.read_mark = feed.mark()
    writer.pause()
    return done


def _writing(feed: _Feed) -> Writer:
    """The log's writer, once no other process writes."""
    until = time.monotonic() + _WAIT_S
    while True:
        with suppress(Unavailable):
            if feed.writer is None or feed.writer.process != os.getpid():
                feed.writer = feed.log.writer()
            else:
                feed.writer.resume()
            return feed.writer
        if time.monotonic() > until:
            raise Unavailable(f"another process is writing to the log of {feed.spec.name!r}. Try again.")
        time.sleep(0.002)
