"""The rows that a backfill asks about: the points of a grid, the events of a source, or a spine that is given; a stretch at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import polars as pl
from xxhash import xxh3_128

from ...engine.errors import Invalid, UnknownColumn, did_you_mean
from ...engine.folds.hashing import content_hashes
from ...engine.folds.rows import times_of
from ...engine.language import dtype as types
from ...engine.language.duration import Duration
from ...engine.language.expr import digest
from ...engine.language.instant import instants
from ...engine.language.nodes import Reference, RequestField, walk
from ...engine.language.source import Rows, SourceSpec
from ...engine.plan.lower import Open
from ...engine.record import record
from ...engine.running.training_set import keys_of
from ..rows.held_keys import SEEN, key_sources, seen_keys
from ..rows.living import living
from ..sources.grid import Moment, grid_keys, grid_times, moment_us
from ..sources.reading import reader_of
from .chunks import Chunk, Grid, Hole
from .feature_table import AT

CHUNK_ROWS = 1_000_000
_NUMBERS = (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64, pl.Float32, pl.Float64)


@record
class Wanted:
    """Which rows: every so often from `start` to `end` for all keys or for some, or the rows of a spine, or the events of a source."""

    start: Moment | None = None
    end: Moment | None = None
    every: Duration = "1d"
    keys: Any = None
    spine: Any = None
    at: str | None = None

    def check(self) -> None:
        """Refuse what means nothing, before anything is read."""
        if self.spine is None:
            if self.start is None or self.end is None:
                raise Invalid(
                    "which rows? Pass start= and end= (and every=), or spine= with at=, or spine= with a source."
                )
            if self.at is not None:
                raise Invalid(f"at={self.at!r} names a column of spine=; a grid makes its own times.")
            grid_times(self.start, self.end, self.every)
            return
        if self.keys is not None:
            raise Invalid("keys= belong to a grid; with spine= the rows are those of the spine. Pass one of them.")
        if events_of(self.spine) is None:
            if self.at is None:
                raise Invalid("spine= needs at=: which of its columns is the time asked at?")
            if self.start is not None or self.end is not None:
                raise Invalid("start= and end= belong to a grid; filter the spine instead.")


class AskedRows(Protocol):
    """Rows to ask about, of a grid, in stretches."""

    @property
    def grid(self) -> Grid:
        """What chunks of them belong to."""

    @property
    def sources(self) -> Sequence[SourceSpec]:
        """The sources that say which rows there are; none where that is given."""

    def span(self, view: str, features: tuple[str, ...]) -> Hole:
        """All of it, as one hole."""

    def cut(self, hole: Hole, held: Sequence[Chunk]) -> Iterator[tuple[Hole, int]]:
        """A hole in pieces that are filled one by one, each with its number of rows."""

    def rows(self, holes: Sequence[Hole]) -> pl.DataFrame:
        """The rows of some pieces, in the order of these: keys, request fields, and AT."""


def asked_rows(wanted: Wanted, features: Mapping[str, Reference], open_source: Open) -> AskedRows:
    """The rows that are wanted, for these features."""
    wanted.check()
    if wanted.spine is None:
        assert wanted.start is not None, "checked"
        assert wanted.end is not None, "checked"
        times = grid_times(wanted.start, wanted.end, wanted.every)
        keys = None if wanted.keys is None else _given_keys(wanted.keys, features)
        _check_request(features, () if keys is None else keys.columns)
        return GridRows(features, open_source, times, keys)
    source = events_of(wanted.spine)
    if source is not None:
        first = None if wanted.start is None else moment_us(wanted.start, "start")
        end = None if wanted.end is None else moment_us(wanted.end, "end")
        _check_request(features, list(source.schema))
        return EventRows(features, open_source, source, first, end)
    assert wanted.at is not None, "checked"
    return SpineRows(features, _read(wanted.spine), wanted.at)


@record
class GridRows:
    """Every key at every time; without given keys, each from the first time on at which it had been seen, however the times are cut."""

    features: Mapping[str, Reference]
    open_source: Open
    times: range
    given: pl.DataFrame | None

    @cached_property
    def grid(self) -> Grid:
        """Its step, offset and keys."""
        step = self.times.step
        return Grid(step, self.times.start % step, "all" if self.given is None else _digest(self.given))

    @property
    def sources(self) -> Sequence[SourceSpec]:
        """Those that tell the keys."""
        return key_sources(self.features) if self.given is None else ()

    def span(self, view: str, features: tuple[str, ...]) -> Hole:
        """From the first time to a step behind the last."""
        return Hole(view, self.grid, self.times.start, self.times[-1] + self.times.step, features)

    def cut(self, hole: Hole, held: Sequence[Chunk]) -> Iterator[tuple[Hole, int]]:
        """Whole steps, so many that there are not much more rows than CHUNK_ROWS; what was a chunk stays one."""
        if hole.chunk is not None and self.given is None:
            yield hole, hole.chunk.rows
            return
        step = self.times.step
        whole = hole.chunk is not None or any(chunk.start == hole.start and chunk.end == hole.end for chunk in held)
        width = hole.end - hole.start if whole else max(CHUNK_ROWS // max(self._most, 1), 1) * step
        for start in range(hole.start, hole.end, width):
            piece = replace(hole, start=start, end=min(start + width, hole.end))
            yield piece, self._height(range(piece.start, piece.end, step))

    def rows(self, holes: Sequence[Hole]) -> pl.DataFrame:
        """Of each by time, and within a time by key."""
        return pl.concat(map(self._points, holes))

    def _points(self, hole: Hole) -> pl.DataFrame:
        times = range(hole.start, hole.end, self.times.step)
        asked = pl.DataFrame({AT: np.arange(times.start, times.stop, times.step)}).cast(types.UTC)
        keys = self._asked_keys
        if not keys.width:
            return asked
        if self.given is not None:
            return asked.join(keys, how="cross", maintain_order="left_right").select(*keys.columns, AT)
        known = keys.filter(pl.col(SEEN) <= times[-1])
        rows = asked.join(known, how="cross", maintain_order="left_right")
        return rows.filter(pl.col(SEEN) <= pl.col(AT).to_physical()).select(*keys.drop(SEEN).columns, AT)

    def _height(self, times: range) -> int:
        """How many rows there are at some times."""
        keys = self._asked_keys
        if self.given is not None or not keys.width:
            return len(times) * (keys.height if keys.width else 1)
        before = -((times.start - keys[SEEN].to_numpy()) // times.step)  # times at which a key had not been seen
        return int((len(times) - before.clip(0, len(times))).sum())

    @property
    def _most(self) -> int:
        keys = self._asked_keys
        return keys.height if keys.width else 1

    @property
    def _asked_keys(self) -> pl.DataFrame:
        """Those given, or those of the sources with SEEN beside them; without columns where the features have no keys."""
        return self._seen if self.given is None else self.given

    @cached_property
    def _seen(self) -> pl.DataFrame:
        return seen_keys(self.features, self.open_source) if key_sources(self.features) else pl.DataFrame()


@record
class EventRows:
    """The rows of a source, each at its own time, as they are known now; by time, and within a time in their order."""

    features: Mapping[str, Reference]
    open_source: Open
    source: SourceSpec
    first: int | None
    end: int | None

    @property
    def grid(self) -> Grid:
        """The source."""
        return Grid(events=self.source.name)

    @property
    def sources(self) -> Sequence[SourceSpec]:
        """The source."""
        return (self.source,)

    def span(self, view: str, features: tuple[str, ...]) -> Hole:
        """From the first event to behind the last, as far as that is wanted."""
        times = self._times
        start = self.first if self.first is not None else int(times[0]) if len(times) else 0
        end = self.end if self.end is not None else int(times[-1]) + 1 if len(times) else start
        return Hole(view, self.grid, start, max(start, end), features)

    def cut(self, hole: Hole, held: Sequence[Chunk]) -> Iterator[tuple[Hole, int]]:
        """Stretches of about CHUNK_ROWS events; what was a chunk stays one."""
        begin, stop = self._places(hole)
        if hole.chunk is not None or any((one.start, one.end) == (hole.start, hole.end) for one in held):
            yield hole, stop - begin
            return
        cuts = [*self._times[begin + CHUNK_ROWS : stop : CHUNK_ROWS].tolist(), hole.end]
        start = hole.start
        for end in cuts:
            if end > start:
                first, last = np.searchsorted(self._times, [start, end]).tolist()
                yield replace(hole, start=start, end=end), last - first
                start = end

    def rows(self, holes: Sequence[Hole]) -> pl.DataFrame:
        """The events of some stretches."""
        return _parts(self._events, [self._places(hole) for hole in holes])

    def _places(self, hole: Hole) -> tuple[int, int]:
        begin, stop = np.searchsorted(self._times, [hole.start, hole.end]).tolist()
        return begin, stop

    @cached_property
    def _events(self) -> pl.DataFrame:
        columns = [*_keys(self.features), *_request(self.features)]
        rows = living(self.source, self.open_source(self.source), [*columns, self.source.event_time])
        times = pl.Series(AT, times_of(self.source, rows)).cast(types.UTC)
        return rows.select(*columns, times).sort(AT, maintain_order=True)

    @cached_property
    def _times(self) -> Any:
        return self._events[AT].to_physical().to_numpy()


@record
class SpineRows:
    """The rows of a spine in their order, each a stretch of CHUNK_ROWS at most."""

    features: Mapping[str, Reference]
    frame: pl.DataFrame
    at: str

    @cached_property
    def grid(self) -> Grid:
        """The digest of what is asked."""
        return Grid(spine=_digest(self._asked))

    @property
    def sources(self) -> Sequence[SourceSpec]:
        """None: the rows are given."""
        return ()

    def span(self, view: str, features: tuple[str, ...]) -> Hole:
        """From its first time to behind its last."""
        starts, ends = [start for start, _ in self._spans], [end for _, end in self._spans]
        return Hole(view, self.grid, min(starts, default=0), max(ends, default=0), features)

    def cut(self, hole: Hole, held: Sequence[Chunk]) -> Iterator[tuple[Hole, int]]:
        """A hole of rows that are there as it is; of the span the stretches that are not there."""
        rows = range(self._asked.height)
        if hole.chunk is not None:
            yield hole, len(rows[hole.first : hole.first + CHUNK_ROWS])
            return
        there = {chunk.first for chunk in held}
        for first, (start, end) in zip(rows[::CHUNK_ROWS], self._spans, strict=True):
            if first not in there:
                yield replace(hole, start=start, end=end, first=first), len(rows[first : first + CHUNK_ROWS])

    def rows(self, holes: Sequence[Hole]) -> pl.DataFrame:
        """The rows of some stretches; the last may end before it has CHUNK_ROWS."""
        return _parts(self._asked, [(hole.first, hole.first + CHUNK_ROWS) for hole in holes])

    @cached_property
    def _spans(self) -> list[tuple[int, int]]:
        """Of each stretch the first time and what is behind the last."""
        times = self._asked[AT].to_physical()
        stretches = (times.slice(first, CHUNK_ROWS) for first in range(0, len(times), CHUNK_ROWS))
        return [(int(one.min()), int(one.max()) + 1) for one in stretches]  # type: ignore[arg-type]

    @cached_property
    def _asked(self) -> pl.DataFrame:
        """What is asked, each column in one piece."""
        names = [*_keys(self.features), *_request(self.features)]
        for name in (*names, self.at):
            if name not in self.frame.columns:
                raise UnknownColumn(f"the spine has no column {name!r}. {did_you_mean(name, self.frame.columns)}")
        whole = self.frame.select(list(dict.fromkeys([*names, self.at]))).rechunk()  # columns side by side
        times = pl.Series(AT, instants(whole[self.at], f"the spine's {self.at!r}")).cast(types.UTC)
        return pl.DataFrame([*whole.select(names), times])


def _parts(frame: pl.DataFrame, stretches: Sequence[tuple[int, int]]) -> pl.DataFrame:
    """Some stretches [begin, end) of the rows of a frame, one after another; not copied where each begins at the end of the one before."""
    begins, ends = zip(*stretches)
    if begins[1:] == ends[:-1]:
        return frame[begins[0] : ends[-1]]
    return pl.concat([frame[begin:end] for begin, end in stretches])


def events_of(spine: Any) -> SourceSpec | None:
    """The source whose events are meant, if a source is given."""
    if isinstance(spine, Rows):
        return spine.spec
    return spine if isinstance(spine, SourceSpec) else None


def _check_request(features: Mapping[str, Reference], columns: Sequence[str]) -> None:
    """Refuse rows without the request fields that features read."""
    for name, reference in features.items():
        missing = [field for field in _request({name: reference}) if field not in columns]
        if missing:
            raise Invalid(
                f"feature {name!r} reads request field {missing[0]!r}, which these rows do not have. Pass spine= with that column, "
                "choose features that read no request, or add the column to keys=."
            )


def _keys(features: Mapping[str, Reference]) -> list[str]:
    return list(dict.fromkeys(key for reference in features.values() for key in keys_of(reference)))


def _request(features: Mapping[str, Reference]) -> list[str]:
    keys = _keys(features)
    nodes = [node for reference in features.values() for node in walk(reference)]
    return list(dict.fromkeys(node.name for node in nodes if isinstance(node, RequestField) and node.name not in keys))


def _read(given: Any) -> pl.DataFrame:
    reader = reader_of(given, "rows")
    return reader.read(list(reader.schema()))


def _given_keys(given: Any, features: Mapping[str, Reference]) -> pl.DataFrame:
    """The keys of a grid that are given, with the request fields that come along."""
    frame = grid_keys(given if isinstance(given, Mapping) else _read(given))
    for key in _keys(features):
        if key not in frame.columns:
            raise UnknownColumn(f"keys= has no key column {key!r}. {did_you_mean(key, frame.columns)}")
    columns = [*_keys(features), *(field for field in _request(features) if field in frame.columns)]
    return frame.select(columns).unique(maintain_order=True)


def _digest(frame: pl.DataFrame) -> str:
    """Of the rows, in their order."""
    return digest([frame.height, *map(_digest_of, frame)])[:32]


def _digest_of(column: pl.Series) -> str:
    """Of a column: of numbers their bytes, which costs a tenth of hashing each."""
    found = xxh3_128(f"{column.name} {column.dtype}".encode())
    plain = column.to_physical()
    whole = isinstance(plain.dtype, _NUMBERS) and not plain.null_count()
    content = np.ascontiguousarray(plain.to_numpy() if whole else content_hashes(column.to_frame()))
    found.update(content.view(np.uint8).data)
    return found.hexdigest()
