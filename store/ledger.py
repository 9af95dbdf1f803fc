"""The ledger: one row a commit, naming the version of every table. What is in no commit does not exist.

Readers resolve tables through it, so an ingest into several tables is seen whole or not at all. Inserting row n + 1 is the
store's only compare-and-swap: of writers that all saw n, one wins, the others look again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from ..engine.errors import NotFound
from ..engine.instant import instant
from . import sequence
from .once import OnceTable

_COLUMNS = (
    ("version", pa.int64()),
    ("created_at", pa.timestamp("us", "UTC")),
    ("what", pa.large_string()),
    ("state", pa.large_string()),
)


@dataclass(frozen=True)
class SourceState:
    """What a commit says of a source: its layout, how far it has come, and whether its rows have but one version each."""

    layout: Mapping[str, Any]
    buckets: int
    slab_us: int
    rows: int = 0
    ingested: bool = False  # from its reader, not by pushes alone
    watermark: int | None = None  # the greatest event time, microseconds UTC
    last_sequence: int = 0
    log_position: int = 0
    settled: bool = True


@dataclass(frozen=True)
class Commit:
    """The store as it stood: versions of tables (`source/table`), and sources."""

    version: int = 0
    created_at: int = 0
    what: str = ""
    tables: Mapping[str, int] = field(default_factory=dict)
    sources: Mapping[str, SourceState] = field(default_factory=dict)

    def following(self, what: str, source: str, state: SourceState, tables: Mapping[str, int]) -> Commit:
        """The next commit: this one with one source and its tables moved on."""
        created_at = max(sequence.now_us(), self.created_at + 1)
        return Commit(self.version + 1, created_at, what, {**self.tables, **tables}, {**self.sources, source: state})


class Ledger:
    """The commits of a store."""

    def __init__(self, folder: Path) -> None:
        self._table = OnceTable(folder, _COLUMNS)

    def head(self) -> Commit:
        """The last commit; version 0 in an empty store."""
        newest = self._table.newest()
        return _commit(max(newest, key=lambda row: row["version"])) if newest else Commit()

    def append(self, commit: Commit) -> bool:
        """True if this commit is now the last one; False if another took its number."""
        state = {
            "tables": dict(commit.tables),
            "sources": {name: asdict(source) for name, source in commit.sources.items()},
        }
        moment = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=commit.created_at)
        row = {
            "version": commit.version,
            "created_at": moment,
            "what": commit.what,
            "state": json.dumps(state, sort_keys=True),
        }
        return self._table.insert([row]) == 1

    def as_of(self, moment: int | datetime) -> Commit:
        """The last commit at or before a version or a time."""
        rows = self._table.rows()
        if isinstance(moment, datetime):
            until = instant(moment, "as_of")
            found = [row for row in rows if instant(row["created_at"], "created_at") <= until]
        else:
            found = [row for row in rows if row["version"] == moment]
        if not found:
            there = (
                f"versions 1 to {len(rows)}, the first from {rows[0]['created_at']:%Y-%m-%d %H:%M:%S} UTC"
                if rows
                else "nothing"
            )
            raise NotFound(f"as_of={moment}: the store had no commit then. It has {there}.")
        return _commit(max(found, key=lambda row: row["version"]))

    def history(self) -> list[Commit]:
        """All commits, the first one first."""
        return sorted((_commit(row) for row in self._table.rows()), key=lambda commit: commit.version)


def _commit(row: Mapping[str, Any]) -> Commit:
    state = json.loads(row["state"])
    sources = {name: SourceState(**parts) for name, parts in state["sources"].items()}
    return Commit(row["version"], instant(row["created_at"], "created_at"), row["what"], state["tables"], sources)
