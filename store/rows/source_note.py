"""What the store says of a source: how its rows lie, how far it has come, when its rows changed, and its tables; one small note."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, field, replace
from typing import Any, Self

from ...engine.record import record
from ..ports import Entry, Notes, Version

KIND = "source"
_FIRSTS = 64


def named(source: str) -> str:
    """The name of a source's note in the ledger.

    >>> named("transactions")
    'source/transactions'
    """
    return f"source/{source}"


def place_of(source: str, table: str) -> str:
    """The folder of one of its tables."""
    return f"tables/{source}/{table}"


@record
class TableNote:
    """One table of a source, which holds all of its rows: bucketed by these keys."""

    keys: tuple[str, ...]
    version: Version


@record
class SourceState:
    """What an entry says of a source.

    `turn` rises when rows change, not by compaction. `firsts` holds for turns the least time from which answers may differ since the turn
    before, only those that are less than all later ones; `happened` in the same way the least event time of a row that came or went, which
    is earlier where rows are known late.
    """

    name: str
    layout: Mapping[str, Any]
    buckets: int
    slab_us: int
    rows: int = 0
    ingested: bool = False  # from its reader, not by pushes alone
    watermark: int | None = None  # the greatest event time, microseconds UTC
    last_sequence: int = 0
    log_position: int = 0
    settled: bool = True  # its rows have but one version each
    turn: int = 0
    firsts: tuple[tuple[int, int], ...] = ()
    happened: tuple[tuple[int, int], ...] = ()
    pieces: str | None = None  # the note of the files of its reader that it has
    forgotten: str | None = None  # the note of keys that were erased
    tables: Mapping[str, TableNote] = field(default_factory=dict)

    @classmethod
    def of(cls, note: Mapping[str, Any]) -> Self:
        """What a note says."""
        tables = {
            name: TableNote(tuple(facts["keys"]), Version(**{part: facts[part] for part in _VERSION} | {"number": facts["version"]}))
            for name, facts in note["tables"].items()
        }  # fmt: skip
        rest = {part: value for part, value in note.items() if part not in ("kind", "tables", *_PAIRS)}
        firsts, happened = (tuple((turn, first) for turn, first in note[part]) for part in _PAIRS)
        return cls(**rest, firsts=firsts, happened=happened, tables=tables)

    def note(self) -> dict[str, Any]:
        """The same as a note."""
        plain = {part: getattr(self, part) for part in self.__dataclass_fields__ if part not in ("tables", *_PAIRS)}
        pairs = {part: [list(pair) for pair in getattr(self, part)] for part in _PAIRS}
        tables = {name: _table(table) for name, table in self.tables.items()}
        return {"kind": KIND, **plain, **pairs, "tables": tables}

    def changed_before(self, turn: int, instant: int, *, events: bool = False) -> bool:
        """Whether answers at times up to the instant may differ from what they were at that turn; of `events` the rows that happened up to it."""
        return any(later > turn and first <= instant for later, first in (self.happened if events else self.firsts))

    def turned(self, first: int, happened: int | None = None) -> Self:
        """The state after rows changed from which answers at `first` and later may differ; the first of them happened then, or at another time."""
        turn = self.turn + 1
        event = first if happened is None else happened
        return replace(
            self, turn=turn, firsts=_with(self.firsts, turn, first), happened=_with(self.happened, turn, event)
        )


_VERSION = ("digest", "rows", "files", "bytes")
_PAIRS = ("firsts", "happened")


def _table(table: TableNote) -> dict[str, Any]:
    facts = asdict(table.version)
    return {"keys": list(table.keys), "version": facts.pop("number"), **facts}


def _with(pairs: Sequence[tuple[int, int]], turn: int, first: int) -> tuple[tuple[int, int], ...]:
    """The pairs and a new one; at most so many: the oldest two become one, with the later turn and the earlier time."""
    kept = [*(pair for pair in pairs if pair[1] < first), (turn, first)]
    while len(kept) > _FIRSTS:
        (_, first), (turn, other) = kept[:2]
        kept[:2] = [(turn, min(first, other))]
    return tuple(kept)


def state_of(entry: Entry, notes: Notes, source: str) -> SourceState | None:
    """What an entry says of a source; None where it says nothing."""
    note = entry.names.get(named(source))
    return None if note is None else SourceState.of(notes.get(note))
