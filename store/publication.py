"""What a server needs of a store: published states, and the logs to append to and follow. Loads neither registry nor Lance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import polars as pl

from ..engine.errors import Invalid, NotFound, did_you_mean
from ..engine.rows import SEQUENCE
from ..engine.service import FeatureService
from ..engine.source import SourceSpec
from . import sequence
from .follow import Follower
from .log import Log, Writer
from .manifest import Group, Manifest, load, published, read_manifest
from .pushed import checked
from .training import sources_of

_PATIENCE_S = 5.0  # how long an append waits for another process that appends to the same log


@dataclass(frozen=True)
class State:
    """A published service with the rows of one shard: a frame for every group of the manifest, in its order."""

    service: FeatureService
    manifest: Manifest
    frames: Sequence[pl.DataFrame]

    @property
    def exact_from(self) -> list[int | None]:
        """For every group the earliest instant (microseconds UTC) that can be asked about; None: any."""
        return [group.exact_from for group in self.manifest.groups]

    @property
    def positions(self) -> Mapping[str, int]:
        """The position in each source's log up to which the frames hold pushed rows."""
        return {group.source: group.log_position for group in self.manifest.groups}


class Publication:
    """The serving side of the store in a folder."""

    def __init__(self, root: str | PathLike[str]) -> None:
        self.root = Path(root)
        self._snapshots = self.root / "snapshots"
        self._writers: dict[str, Writer] = {}
        self._followers: dict[str, Follower] = {}
        self._sources: dict[str, tuple[SourceSpec, Group]] = {}

    def services(self, shard: int = 0) -> list[State]:
        """Every published service with its rows."""
        states = [self._load(read_manifest(self._snapshots, name), shard) for name in published(self._snapshots)]
        self._sources = {spec.name: (spec, group) for state in states for spec, group in _sources(state)}
        return states

    def state(self) -> object:
        """Something that changes when a snapshot is published."""
        stats = [(name, (self._snapshots / f"{name}.json").stat()) for name in published(self._snapshots)]
        return [(name, stat.st_ino, stat.st_mtime_ns) for name, stat in stats]

    def checked(self, source: str, rows: Any) -> pl.DataFrame:
        """The rows as they are stored, or what is wrong with them; writes nothing."""
        spec, group = self._source(source)
        if spec.row_id is None and group.ingested:
            raise Invalid(
                f"source {source!r} was ingested; to push to it as well it needs row_id=, or rows would count twice."
            )
        return checked(spec, rows, sequence.now_us())

    def append(self, source: str, pushes: Sequence[tuple[pl.DataFrame, str]]) -> list[int]:
        """Make pushes (checked rows, key or "") durable together; the position of each, of the first push for a key seen before."""
        self._source(source)
        writer = self._writers.get(source)
        if writer is None:
            writer = self._writers[source] = Log(self.root / "log" / source).writer()
        else:
            writer.resume(_PATIENCE_S)
        try:
            return [appended.last for appended in writer.append_many(pushes)]
        finally:
            writer.pause()

    def end(self, source: str) -> int:
        """The position of the last row of a source's log. Costs one look at a file's size when nothing came."""
        if source not in self._followers:
            self._follow(source, self._source(source)[1].log_position)
        return self._followers[source].end()

    def tail(self, source: str, position: int) -> Iterator[tuple[pl.DataFrame, int]]:
        """The rows of a source's log after a position, with arrival and sequence, and the position after them.

        Cheap where it goes on from the position of the last call.
        """
        follower = self._followers.get(source)
        if follower is None or follower.handed_out != position:
            follower = self._follow(source, position)
        for frame in follower.rows()[0]:
            yield frame, int(frame[SEQUENCE][-1])

    def close(self) -> None:
        """Give up the logs."""
        for writer in self._writers.values():
            writer.close()
        self._writers = {}

    def _load(self, manifest: Manifest, shard: int) -> State:
        if not 0 <= shard < manifest.shards:
            raise Invalid(
                f"service {manifest.service!r} was published for {manifest.shards} shards; there is no shard {shard}."
            )
        return State(
            manifest.made(), manifest, [load(self._snapshots, group.files[shard]) for group in manifest.groups]
        )

    def _follow(self, source: str, position: int) -> Follower:
        self._followers[source] = Follower(Log(self.root / "log" / source), position)
        return self._followers[source]

    def _source(self, name: str) -> tuple[SourceSpec, Group]:
        if not self._sources:
            self.services()
        if name not in self._sources:
            raise NotFound(f"no published service reads source {name!r}. {did_you_mean(name, self._sources)}")
        return self._sources[name]


def _sources(state: State) -> Iterator[tuple[SourceSpec, Group]]:
    specs = {spec.name: spec for spec in sources_of(state.service.features)}
    for group in state.manifest.groups:
        yield specs[group.source], group
