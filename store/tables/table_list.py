"""The tables of a store as they are now, and the numbers by which Lance itself opens them: `lance.dataset(path, version=number)`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...engine.record import record
from ..ports import Here


@record
class Table:
    """One table."""

    path: str
    version: str  # beyond int64
    rows: int
    files: int
    bytes: int

    def __repr__(self) -> str:
        return f"{self.path}  version {self.version}  {self.rows:,} rows in {self.files:,} files, {self.bytes / 1e6:.1f} MB"


def tables_of(here: Here) -> list[Table]:
    """The tables of sources and views that the newest entry names."""
    names = here.ledger.head().names
    return [table for name, note in sorted(names.items()) for table in _tables(name, here, note)]


def _tables(name: str, here: Here, noted: str) -> Iterator[Table]:
    kind, _, rest = name.partition("/")
    if kind == "source":
        for table, facts in here.notes.get(noted)["tables"].items():
            yield _table(f"tables/{rest}/{table}", facts)
    elif kind == "view":
        note = here.notes.get(noted)
        if note.get("table"):
            yield _table(f"features/{note['name']}", note["table"])


def _table(path: str, facts: Mapping[str, Any]) -> Table:
    return Table(path, facts["version"], facts["rows"], facts["files"], facts["bytes"])
