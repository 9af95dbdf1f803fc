"""The backfill of one view as the store stands at an entry: which holes there are, and their values, a group of chunks in one run of the engine."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from functools import cached_property, partial

import polars as pl

from ...engine.errors import WrongType
from ...engine.language import dtype as types
from ...engine.language.duration import Duration
from ...engine.language.source import SourceSpec
from ...engine.language.view import ViewSpec
from ...engine.plan.budget import bytes_of
from ...engine.plan.pieces import width
from ...engine.plan.plan import Plan
from ...engine.plan.reader import Loaded
from ...engine.record import record
from ...engine.running.training_set import TrainingSet, keys_of
from ...engine.running.training_set import training_set as over_spine
from ..ports import Entry, Here
from ..rows.event_table import EventTable
from ..rows.pinned import table_of as events_of
from ..rows.source_note import state_of
from ..sources.training import sources_of
from . import asked_rows
from .asked_rows import Wanted
from .chunks import Chunk, Hole, States, holes
from .feature_table import AT, Chunks, FeatureTable, table_of
from .feature_table import values as stored
from .fill_draft import Filled
from .filler import Filler

_CHUNKS_A_RUN = 16  # so that what is lost by a kill is bounded
_SHARE = 8  # of the memory, for the rows of a run


@record
class How:
    """With what it is computed, as `collect` takes it."""

    engine: str = "auto"
    memory: str | int | None = None
    workers: int | None = None
    deadline: Duration | None = None


@record
class Piece:
    """A hole that is filled as one chunk, and its rows."""

    hole: Hole
    rows: int


class ViewBackfill:
    """Some features of a view, wanted for some rows."""

    def __init__(self, here: Here, view: ViewSpec, names: Sequence[str], wanted: Wanted, entry: Entry) -> None:
        self._here, self._entry, self._view = here, entry, view
        self._features = {name: view.reference(name) for name in names}
        self._opened: dict[int, EventTable] = {}
        self._chunks = Chunks(here)
        self._asked = asked_rows.asked_rows(wanted, self._features, self._open)
        self._sources = {
            spec.name: spec for spec in [*sources_of(self._features), *self._asked.sources]
        }  # all as of the entry
        for spec in self._sources.values():
            self._open(spec)

    @cached_property
    def filler(self) -> Filler:
        """What puts the values into the store."""
        every = {name: self._view.reference(name) for name in self._view.features}
        keys = {key: dtype for reference in every.values() for key, dtype in keys_of(reference).items()}
        return Filler(self._here, self._view.name, keys, self._entry, self._chunks)

    @cached_property
    def pieces(self) -> list[Piece]:
        """All that is missing, in the parts that are filled one by one."""
        held = self._held
        found = holes(held, self._states, self._hashes, self._span)
        if self._asked.grid.spine is not None:
            found = [*found, self._span]
        cut = [self._piece(hole, rows) for one in found for hole, rows in self._asked.cut(one, held)]
        return sorted(cut, key=lambda piece: (piece.hole.start, piece.hole.first))

    def _piece(self, hole: Hole, rows: int) -> Piece:
        """A piece; a chunk that lost rows, as they were forgotten, is filled anew once a feature is missing: until then they stay away."""
        whole = hole.chunk is not None and hole.chunk.rows != rows
        return Piece(replace(hole, chunk=None, features=tuple(self._features)) if whole else hole, rows)

    @property
    def holes(self) -> list[Hole]:
        """All that is missing, in stretches as long as they are."""
        if self._asked.grid.spine is not None:
            return [piece.hole for piece in self.pieces]
        return holes(self._held, self._states, self._hashes, self._span)

    def runs(self, how: How) -> list[list[Piece]]:
        """Pieces that are computed together: neighbours that lack the same features, as many as the memory takes."""
        features = {name: self._features[name].dtype for name in self._features}
        row = 8 + width(features, list(features)) + width(self._key_types, list(self._key_types))
        most = max(bytes_of(how.memory) // _SHARE // row, 1)
        out: list[list[Piece]] = []
        for piece in self.pieces:
            last = out[-1] if out else []
            fits = len(last) < _CHUNKS_A_RUN and sum(one.rows for one in last) + piece.rows <= most
            if last and fits and last[0].hole.features == piece.hole.features:
                last.append(piece)
            else:
                out.append([piece])
        return out

    def computed(self, run: Sequence[Piece], how: How) -> Generator[Filled]:
        """The values of a run, a piece after the other."""
        rows, sizes = self._rows([piece.hole for piece in run]), [piece.rows for piece in run]
        assert rows.height == sum(sizes), "pieces know how many rows they have"
        train = self._training_set(run[0].hole.features, rows)
        options = {"engine": how.engine, "memory": how.memory, "workers": how.workers, "deadline": how.deadline}
        with closing(train.batches(asked_rows.CHUNK_ROWS, **options)) as frames:  # type: ignore[arg-type]
            for piece, asked, made in zip(run, cut([rows], sizes), cut(frames, sizes), strict=True):
                yield self._filled(piece.hole, asked, made)

    def plan(self, run: Sequence[Piece], how: How) -> Plan:
        """How a run would be carried out."""
        train = self._training_set(run[0].hole.features, self._rows([run[0].hole]).clear())
        return train.plan(engine=how.engine, memory=how.memory, workers=how.workers)

    def size(self, piece: Piece) -> int:
        """About how many bytes a piece takes in the store."""
        values = {name: self._features[name].dtype for name in piece.hole.features}
        keys = 0 if piece.hole.chunk is not None else 8 + width(self._key_types, list(self._key_types))
        return piece.rows * (width(values, list(values)) + keys)

    def _training_set(self, features: Iterable[str], spine: pl.DataFrame) -> TrainingSet:
        chosen = {name: self._features[name] for name in features}
        return over_spine(Loaded(spine, "chunks"), chosen, at=AT, open_source=self._open)

    def _filled(self, hole: Hole, asked: pl.DataFrame, made: pl.DataFrame) -> Filled:
        keys = None if hole.chunk is not None else self._keys(asked)
        turns = {name: self._turns(sources_of({name: self._features[name]})) for name in hole.features}
        last = hole.end - (hole.grid.every or 1)
        return Filled(
            hole, keys, made.select(hole.features), last, self._hashes, self._turns(self._asked.sources), turns
        )

    def _keys(self, asked: pl.DataFrame) -> pl.DataFrame:
        """Keys and times as they are stored: keys in the types of their entities."""
        kinds = {name: types.settled(dtype) for name, dtype in self._key_types.items()}
        try:
            return asked.select(*(pl.col(name).cast(dtype) for name, dtype in kinds.items()), AT)
        except pl.exceptions.PolarsError as error:
            raise WrongType(f"keys of {self._view.name!r} are {kinds}: {str(error).splitlines()[0]}") from None

    def _rows(self, holes: Sequence[Hole]) -> pl.DataFrame:
        """The rows of some pieces."""
        if not any(map(self._chunk_knows, holes)):
            return self._asked.rows(holes)
        return pl.concat(self._read(hole) if self._chunk_knows(hole) else self._asked.rows([hole]) for hole in holes)

    def _chunk_knows(self, hole: Hole) -> bool:
        """Whether its chunk says which rows they are: a grid of all keys would take those that were seen since as well."""
        return hole.chunk is not None and hole.grid.every > 0 and hole.grid.keys == "all"

    def _read(self, hole: Hole) -> pl.DataFrame:
        assert self._table is not None, "a chunk is one of a table"
        assert hole.chunk is not None, "it knows"
        found = list(stored(self._here, self._table, hole.chunk, [*self._key_types, AT])) if hole.chunk.rows else []
        return pl.concat(found) if found else self._asked.rows([hole]).clear()

    @cached_property
    def _key_types(self) -> dict[str, pl.DataType]:
        every = [self._view.reference(name) for name in self._view.features]
        return {key: dtype for reference in every for key, dtype in keys_of(reference).items()}

    @cached_property
    def _span(self) -> Hole:
        return self._asked.span(self._view.name, tuple(self._features))

    @cached_property
    def _table(self) -> FeatureTable | None:
        found = table_of(self._entry, self._here, self._view.name)
        return found if found is None or self.filler.fits(found) else None

    @cached_property
    def _held(self) -> list[Chunk]:
        return self._chunks.of(self._table, f"{self._asked.grid.id}/")

    @cached_property
    def _hashes(self) -> dict[str, str]:
        return {name: self._view.version(name) for name in self._features}

    @cached_property
    def _states(self) -> States:
        found = {name: state_of(self._entry, self._here.notes, name) for name in self._sources}
        return {name: state for name, state in found.items() if state is not None}

    def _turns(self, sources: Iterable[SourceSpec]) -> Mapping[str, int]:
        return {spec.name: self._states[spec.name].turn for spec in sources}

    def _open(self, spec: SourceSpec) -> EventTable:
        """The table of a source as of the entry."""
        make = partial(events_of, self._here, spec, self._entry, live=False)
        if id(spec) not in self._opened:
            self._opened[id(spec)] = make()
        return self._opened[id(spec)]


def cut(frames: Iterable[pl.DataFrame], sizes: Sequence[int]) -> Iterator[pl.DataFrame]:
    """The rows of frames that follow each other, in frames of these sizes."""
    coming = iter(frames)
    waiting = next(coming)
    for size in sizes:
        parts = [waiting]
        while sum(part.height for part in parts) < size:
            parts.append(next(coming))
        whole = pl.concat(parts) if len(parts) > 1 else waiting
        yield whole[:size]
        waiting = whole[size:]
