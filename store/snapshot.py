"""Snapshots: the events a service can still reach, sorted, split into shards and published for serving."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import polars as pl

from ..engine.definition import to_json
from ..engine.errors import Invalid
from ..engine.hashing import HASH_VERSION, bucket
from ..engine.instant import instants
from ..engine.lower import Open, lower
from ..engine.nodes import Reference, walk
from ..engine.plan import At, Spine
from ..engine.progress import Progress
from ..engine.reader import Loaded, TimeBound
from ..engine.rows import ARRIVAL, SEQUENCE
from ..engine.rules import optimize
from ..engine.rules.check import needed_columns
from ..engine.service import FeatureService
from ..engine.source import SourceSpec
from .durable import make_folder, storing, sync_all
from .event_table import EventTable
from .ledger import Commit
from .manifest import Group, Manifest, ShardFile, digest_of

_TIME, _KNOWN = "__time", "__known"


@dataclass(frozen=True)
class Published:
    """What a snapshot published."""

    service: str
    version: str
    rows: int
    bytes: int
    watermark: datetime | None
    seconds: float

    def __str__(self) -> str:
        size = f"{self.rows:,} rows, {self.bytes / 1e6:.1f} MB"
        return f"published {self.service} {self.version[:12]}: {size}, up to {self.watermark}, {self.seconds:.1f} s"


def sides_of(features: Mapping[str, Reference], open_source: Open) -> tuple[At, ...]:
    """The groups of folds a service needs: one At a source and set of keys."""
    no_questions = pl.DataFrame(schema={"at": pl.Datetime("us", "UTC")})
    spine = Spine(Loaded(no_questions, "nobody"), dict(no_questions.schema), "at", {})
    return optimize(lower(features, spine, open_source)).input.sides


def build(
    folder: Path,
    service: FeatureService,
    commit: Commit,
    tables: Mapping[str, EventTable],
    shards: int,
    progress: Progress,
) -> Published:
    """Write and publish the snapshot of a service from tables that stand at a commit."""
    started = time.perf_counter()
    if shards < 1:
        raise Invalid(f"shards={shards}: a snapshot has at least one shard.")
    name = f"{commit.version:08d}-{uuid4().hex[:8]}"
    history = max(
        node.view.history
        for reference in service.features.values()
        for node in walk(reference)
        if isinstance(node, Reference)
    )
    sides = sides_of(service.features, lambda spec: tables[spec.name])
    groups = tuple(
        _group(folder, name, side, tables[side.scan.source.name], commit, history, shards, progress) for side in sides
    )
    created_at = datetime.now(UTC).isoformat()
    Manifest(
        service.name, service.version, created_at, commit.version, shards, HASH_VERSION, to_json(service), groups
    ).publish(folder)
    files = [file for group in groups for file in group.files]
    marks = [group.watermark for group in groups if group.watermark is not None]
    watermark = datetime.fromtimestamp(max(marks) / 1e6, UTC) if marks else None
    seconds = time.perf_counter() - started
    return Published(
        service.name,
        service.version,
        sum(file.rows for file in files),
        sum(file.bytes for file in files),
        watermark,
        seconds,
    )


def _group(
    folder: Path, name: str, side: At, table: EventTable, commit: Commit, history: int, shards: int, progress: Progress
) -> Group:  # fmt: skip
    spec, keys = side.scan.source, tuple(key for key, _ in side.keys)
    state = commit.sources[spec.name]
    progress.step(f"{spec.name} by {', '.join(keys) or 'nothing'}")
    cut = _cut(side.reach, state.watermark, history + (spec.max_ahead or 0))
    columns = (*(column for column in spec.schema if column in needed_columns(side)), ARRIVAL, SEQUENCE)
    rows = _sorted(spec, keys, _reachable(table, columns, cut))
    place = f"{spec.name}.{'+'.join(quote(key, safe='') for key in keys) or '_all'}/{name}"
    files = tuple(
        _write(folder, f"{place}/shard-{shard:04d}.arrow", part)
        for shard, part in enumerate(_split(spec, keys, rows, shards))
    )
    return Group(spec.name, keys, columns, side.reach, history, cut, state.watermark, state.log_position, files)


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


def _write(folder: Path, path: str, rows: pl.DataFrame) -> ShardFile:
    place = folder / path
    make_folder(place.parent)
    with storing(place):
        rows.rechunk().write_ipc(place, compression="uncompressed", record_batch_size=max(rows.height, 1))
        sync_all([place])
    return ShardFile(path, rows.height, place.stat().st_size, digest_of(place))


def _event_times(spec: SourceSpec, rows: pl.DataFrame) -> pl.Series:
    return pl.Series(
        instants(rows[spec.event_time], spec.event_time, time_zone=spec.time_zone, available=spec.available)
    )
