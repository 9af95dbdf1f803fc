"""Snapshots: the events a service can still reach, sorted, split into shards and published for serving."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import polars as pl

from ...engine.errors import Conflict, Invalid
from ...engine.folds.hashing import HASH_VERSION, bucket
from ...engine.folds.rows import ARRIVAL, SEQUENCE
from ...engine.language.definition import to_json
from ...engine.language.expr import digest
from ...engine.language.instant import datetime_of, instants
from ...engine.language.nodes import Reference, walk
from ...engine.language.service import FeatureService
from ...engine.language.source import SourceSpec
from ...engine.plan.lower import Open, lower
from ...engine.plan.plan import At, Spine
from ...engine.plan.reader import Loaded, TimeBound
from ...engine.record import record
from ...engine.rules import optimize
from ...engine.rules.check import needed_columns
from ...engine.showing.progress import Progress
from ..folders.durable import storing
from ..ledger.entry import begun
from ..ports import Entry, Here, Moved
from ..rows.event_table import EventTable
from ..rows.ingest import Ingest
from ..rows.pinned import opener
from ..rows.source_note import SourceState, state_of
from ..sources.training import sources_of
from .manifest import Group, Manifest, ShardFile, digest_of, put_copy

_TIME, _KNOWN = "__time", "__known"
_LONGEST = 100


@dataclass(frozen=True, repr=False)
class Published:
    """What a snapshot published."""

    service: str
    version: str
    rows: int
    bytes: int
    watermark: datetime | None  # up to when every source was seen; None: one has no rows
    seconds: float

    def __repr__(self) -> str:
        size = f"{self.rows:,} rows, {self.bytes / 1e6:.1f} MB"
        return f"published {self.service} {self.version[:12]}: {size}, up to {self.watermark}, {self.seconds:.1f} s"


def sides_of(features: Mapping[str, Reference], open_source: Open) -> tuple[At, ...]:
    """The groups of folds a service needs: one At a source and set of keys."""
    no_questions = pl.DataFrame(schema={"at": pl.Datetime("us", "UTC")})
    spine = Spine(Loaded(no_questions, "nobody"), dict(no_questions.schema), "at", {})
    return optimize(lower(features, spine, open_source)).input.sides


def published(here: Here, service: FeatureService, shards: int) -> Published:
    """Take in what was pushed, then write and publish the snapshot of a service; later pushes are applied on top."""
    started = time.perf_counter()
    if shards < 1:
        raise Invalid(f"shards={shards}: a snapshot has at least one shard.")
    with Progress(f"snapshot {service.name}") as progress:
        sources = sources_of(service.features)
        for spec in sources:
            progress.step(f"draining {spec.name}")
            Ingest(here, spec).run(progress, read=False, make=spec.reader is None)
        entry = here.ledger.head()
        opened = opener(here, entry.number or None)
        tables = {spec.name: opened(spec) for spec in sources}
        manifest = _Build(here, service, entry, tables, shards, progress).run()
    files = [file for group in manifest.groups for file in group.files]
    sizes = sum(file.rows for file in files), sum(file.bytes for file in files)
    return Published(service.name, service.version, *sizes, _watermark(manifest), time.perf_counter() - started)


def _watermark(manifest: Manifest) -> datetime | None:
    """Up to when every source was seen, as answers say it: the least of the groups'; None where one has no rows."""
    marks = [group.watermark for group in manifest.groups if group.watermark is not None]
    return datetime_of(min(marks)) if marks and len(marks) == len(manifest.groups) else None


@record
class _Build:
    """One snapshot on its way, from tables that stand at an entry."""

    here: Here
    service: FeatureService
    entry: Entry
    tables: Mapping[str, EventTable]
    shards: int
    progress: Progress

    def run(self) -> Manifest:
        """The manifest, once its files are durable and the ledger and its copy name it."""
        name, here = self.service.name, self.here
        key = f"snapshot/{name}"
        read = [f"source/{source}" for source in self.tables]
        work = begun("snapshot", f"snapshot {name}", read=[f"definition/service/{name}", *read], wrote=[key])
        with here.folder.draft(work.token) as draft:
            sides = sides_of(self.service.features, lambda spec: self.tables[spec.name])
            made: dict[str, Path] = {}
            groups = tuple(self._group(side, work.token, draft, made) for side in sides)
            here.folder.take_in(made)
        created_at = datetime.now(UTC).isoformat()
        manifest = Manifest(
            name,
            self.service.version,
            created_at,
            self.entry.number,
            self.shards,
            HASH_VERSION,
            to_json(self.service),
            groups,
        )
        noted = here.notes.put(work.token, manifest.note())
        here.ledger.commit(self.entry, work, lambda head: Moved({key: self._still(head, noted)}))
        put_copy(here, name)
        return manifest

    def _still(self, head: Entry, noted: str) -> str:
        """The note, while the version that it was made from is kept: from there on servers read the logs."""
        if self.entry.number < head.oldest:
            raise Conflict(
                f"version {self.entry.number}, which a snapshot of {self.service.name} was made from, ended meanwhile. Publish again."
            )
        return noted

    def _group(self, side: At, token: str, draft: Path, made: dict[str, Path]) -> Group:
        spec, keys = side.scan.source, tuple(key for key, _ in side.keys)
        state = self._state(spec.name)
        self.progress.step(f"{spec.name} by {', '.join(keys) or 'nothing'}")
        cut = _cut(side.reach, state.watermark, self._history + (spec.max_ahead or 0))
        columns = (*(column for column in spec.schema if column in needed_columns(side)), ARRIVAL, SEQUENCE)
        rows = _sorted(spec, keys, _reachable(self.tables[spec.name], columns, cut))
        place = f"snapshots/{spec.name}.{_said(keys)}/{self.entry.number:08d}-{token}"
        files = []
        for shard, part in enumerate(_split(spec, keys, rows, self.shards)):
            path = f"{place}/shard-{shard:04d}.arrow"
            made[path] = draft / f"{len(made)}.arrow"
            files.append(written(made[path], path, part))
        return Group(
            spec.name, keys, columns, side.reach, self._history, cut, state.watermark, state.log_position, tuple(files)
        )

    def _state(self, source: str) -> SourceState:
        state = state_of(self.entry, self.here.notes, source)
        if state is None:
            raise Invalid(f"source {source!r} has no rows in the store. Call store.ingest(...) first.")
        return state

    @property
    def _history(self) -> int:
        """How far back the service can be asked."""
        nodes = [node for reference in self.service.features.values() for node in walk(reference)]
        return max(node.view.history for node in nodes if isinstance(node, Reference))


def _said(keys: tuple[str, ...]) -> str:
    """Key columns as part of a path, whatever they are called."""
    plain = "+".join(quote(key, safe="") for key in keys).replace("%", "=").replace("~", "=7E") or "_all"
    return plain if len(plain) <= _LONGEST else digest(list(keys))


def _cut(reach: int | None, watermark: int | None, slack: int) -> int | None:
    """Events at or before this instant can no more be reached; None: all can."""
    return None if reach is None or watermark is None else watermark - reach - slack


def _reachable(table: EventTable, columns: tuple[str, ...], cut: int | None) -> pl.DataFrame:
    """The rows after the cut; of rows with several versions all, as a version outside may end one inside."""
    spec = table.spec
    bound = None if cut is None or not (table.settled or spec.row_id is None) else TimeBound(spec.event_time, cut, None)
    rows = table.read(columns, bound)
    if cut is None:
        return rows
    kept = pl.Series(_event_times(spec, rows) > cut)
    if spec.row_id is not None and not table.settled:
        kept |= rows[spec.row_id].is_duplicated() & rows[spec.row_id].is_not_null()
    return rows.filter(kept)


def _sorted(spec: SourceSpec, keys: tuple[str, ...], rows: pl.DataFrame) -> pl.DataFrame:
    times = [pl.Series(_TIME, _event_times(spec, rows))]
    if spec.known_time is not None:
        times.append(
            pl.Series(
                _KNOWN,
                instants(rows[spec.known_time], spec.known_time, time_zone=spec.time_zone, available=spec.available),
            )
        )
    added = [one.name for one in times]
    return rows.with_columns(times).sort([*keys, *added, SEQUENCE]).drop(added)


def _split(spec: SourceSpec, keys: tuple[str, ...], rows: pl.DataFrame, shards: int) -> list[pl.DataFrame]:
    """The rows of each shard. All versions of a row are in every shard that has one of them."""
    if shards == 1 or not keys:
        return [rows, *(rows.clear() for _ in range(shards - 1))]
    home = rows.select(pl.Series("__shard", bucket(rows.select(keys), shards))).to_series()
    parts = [rows.filter(home == shard) for shard in range(shards)]
    if spec.row_id is None or not rows[spec.row_id].is_duplicated().any():
        return parts
    ids = [part[spec.row_id].drop_nulls().unique().implode() for part in parts]
    return [rows.filter((home == shard) | rows[spec.row_id].is_in(ids[shard])) for shard in range(shards)]


def written(draft: Path, path: str, rows: pl.DataFrame) -> ShardFile:
    """Write the rows of a shard into a draft; what is to be known of the file that it becomes."""
    with storing(draft):
        rows.rechunk().write_ipc(draft, compression="uncompressed", record_batch_size=max(rows.height, 1))
    return ShardFile(path.removeprefix("snapshots/"), rows.height, draft.stat().st_size, digest_of(draft))


def _event_times(spec: SourceSpec, rows: pl.DataFrame) -> pl.Series:
    return pl.Series(
        instants(rows[spec.event_time], spec.event_time, time_zone=spec.time_zone, available=spec.available)
    )
