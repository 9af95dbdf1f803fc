"""Backfilled stretches of time, and the holes between and in them: what is there, what is not, and what is there but stale.

A chunk is one stretch of a grid (or of events, or of a spine): its rows, and beside them a column for each feature that was computed. A
column is good while the feature's hash is the one wanted, and no row of a source that it read has changed since in what its times can see.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from ...engine.language.duration import written
from ...engine.language.expr import digest
from ...engine.language.instant import datetime_of
from ..rows.source_note import SourceState

KIND = "chunk"
States = Mapping[str, SourceState]


@dataclass(frozen=True)
class Grid:
    """Which rows a view is asked at: `every` so often from an offset on for some keys, at the events of a source, or a spine's."""

    every: int = 0  # microseconds; 0 for events and spines
    offset: int = 0
    keys: str = "all"  # every key from when it was seen, or the digest of those given
    events: str | None = None  # the source whose events they are
    spine: str | None = None  # the digest of the rows

    @property
    def id(self) -> str:
        """What chunks of it are named by."""
        return digest(self.note())[:16]

    @property
    def label(self) -> str:
        """A few words for people, and for `every=`."""
        if self.spine is not None:
            return f"spine {self.spine[:8]}"
        if self.events is not None:
            return f"events of {self.events}"
        moved = f" from {written(self.offset)}" if self.offset else ""
        return written(self.every) + moved + ("" if self.keys == "all" else f" for keys {self.keys[:8]}")

    def note(self) -> dict[str, Any]:
        """As JSON."""
        if self.spine is not None:
            return {"spine": self.spine}
        if self.events is not None:
            return {"events": self.events}
        return {"every": self.every, "offset": self.offset, "keys": self.keys}

    @property
    def follows(self) -> bool:
        """Whether its rows depend on those of sources, so that they can become stale."""
        return self.spine is None and self.keys == "all"


@dataclass(frozen=True)
class Column:
    """A computed column: its file, from which entry, and at which turns of the sources it was computed."""

    feature: str  # its name then; "" of the file of keys and times
    file: str
    entry: int
    turns: Mapping[str, int]

    def fresh(self, states: States, last: int, *, events: bool = False) -> bool:
        """Whether no source has changed since in what times up to the last can see; or, of `events`, in the rows that happened up to it."""
        found = ((states[name], turn) for name, turn in self.turns.items() if name in states)
        return not any(state.changed_before(turn, last, events=events) for state, turn in found)


@dataclass(frozen=True)
class Chunk:
    """A stretch [start, end) of time of a grid, or of rows of a spine from the row `first` on."""

    view: str
    grid: Grid
    start: int
    end: int
    last: int  # the greatest time asked at
    rows: int
    keys: Column  # the file with the keys and times
    columns: Mapping[str, Column] = field(default_factory=dict)  # by the feature's hash, whatever it is called now
    first: int = 0

    @property
    def id(self) -> str:
        """Its name within the view; those of a grid sort by time."""
        return chunk_id(self.grid, self.first if self.grid.spine else self.start)

    @classmethod
    def of(cls, note: Mapping[str, Any]) -> Self:
        """What a note says."""
        columns = {version: Column(**facts) for version, facts in note["columns"].items()}
        plain = {part: note[part] for part in ("view", "start", "end", "last", "rows", "first")}
        return cls(grid=Grid(**note["grid"]), keys=Column(**note["keys"]), columns=columns, **plain)

    def note(self) -> dict[str, Any]:
        """The same as a note."""
        columns = {version: dict(vars(column)) for version, column in self.columns.items()}
        plain = {part: getattr(self, part) for part in ("view", "start", "end", "last", "rows", "first")}
        return {"kind": KIND, "grid": self.grid.note(), "keys": dict(vars(self.keys)), "columns": columns, **plain}


@dataclass(frozen=True, repr=False)
class Hole:
    """What is missing of a stretch: some features of a chunk that is there, or all rows of it."""

    view: str
    grid: Grid
    start: int
    end: int
    features: tuple[str, ...]
    chunk: Chunk | None = None  # whose rows are good
    first: int = 0
    because: str = "never filled"  # or: "rows changed since", "the feature changed"

    def __str__(self) -> str:
        named = ", ".join(self.features)
        return f"{self.view} on {self.grid.label} from {moment(self.start)} to {moment(self.end)}: {named} ({self.because})"

    def __repr__(self) -> str:
        return f"<Hole {self}>"

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "view": self.view,
            "grid": self.grid.label,
            "start": moment(self.start),
            "end": moment(self.end),
            "features": list(self.features),
            "because": self.because,
        }


def holes(chunks: Iterable[Chunk], states: States, wanted: Mapping[str, str], span: Hole) -> list[Hole]:
    """What is missing within a span, whose features are those asked for; `wanted` are their hashes. Neighbours come in order of time."""
    inside = sorted(
        (chunk for chunk in chunks if chunk.grid == span.grid and chunk.start < span.end and span.start < chunk.end),
        key=lambda chunk: (chunk.start, chunk.first),
    )
    found = [hole for chunk in inside for hole in _in_chunk(chunk, states, wanted, span)]
    gaps = [] if span.grid.spine else [*_gaps(inside, span)]
    return sorted([*found, *gaps], key=lambda hole: (hole.start, hole.first))


def _in_chunk(chunk: Chunk, states: States, wanted: Mapping[str, str], span: Hole) -> Iterator[Hole]:
    """The hole that a chunk is or has, if any."""
    whole = (span.view, chunk.grid, chunk.start, chunk.end)
    if not chunk.keys.fresh(states, chunk.last, events=chunk.grid.events is not None):
        yield Hole(*whole, span.features, None, chunk.first, "rows changed since")
        return
    reasons = {name: _missing(chunk, states, name, wanted[name]) for name in span.features}
    missing = tuple(name for name, reason in reasons.items() if reason)
    if missing:
        yield Hole(*whole, missing, chunk, chunk.first, reasons[missing[0]])


def _missing(chunk: Chunk, states: States, name: str, version: str) -> str:
    """Why a column has to be computed; "" where it is good."""
    column = chunk.columns.get(version)
    if column is None:
        other = any(held.feature == name for held in chunk.columns.values())
        return "the feature changed" if other else "never filled"
    return "" if column.fresh(states, chunk.last) else "rows changed since"


def _gaps(inside: Sequence[Chunk], span: Hole) -> Iterator[Hole]:
    """The stretches between chunks."""
    reached = span.start
    for begin, end in [*((chunk.start, chunk.end) for chunk in inside), (span.end, span.end)]:
        if begin > reached:
            yield Hole(span.view, span.grid, reached, begin, span.features)
        reached = max(reached, end)


def moment(at: int) -> str:
    """Microseconds UTC as people write them."""
    try:
        when = datetime_of(at)
    except OverflowError:
        return str(at)
    return when.isoformat().replace("+00:00", "Z").replace("T00:00:00Z", "")


def chunk_id(grid: Grid, place: int) -> str:
    """The name of a chunk within a view: of a grid the digest, and where it begins."""
    return f"{grid.id}/{place}"


__all__ = ["Chunk", "Column", "Grid", "Hole", "States", "chunk_id", "holes", "moment"]
