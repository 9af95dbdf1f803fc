"""The registry: definitions of sources, views and services, in immutable rows.

An apply inserts the definitions it brings and one row that names what is current from then on, all in one insert. Only that row counts:
two applies at once take the same number, one wins, the other looks again and follows.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa

from ..engine.definition import from_json
from ..engine.errors import Conflict, Invalid, NotFound, did_you_mean
from ..engine.expr import digest
from .once import OnceTable

_COLUMNS = (
    ("id", pa.large_string()), ("kind", pa.large_string()), ("name", pa.large_string()), ("version", pa.large_string()),
    ("definition", pa.large_string()), ("created_at", pa.timestamp("us", "UTC")), ("owner", pa.large_string()), ("about", pa.large_string()),
)  # fmt: skip
_ATTEMPTS = 20
KINDS = ("source", "view", "service")


@dataclass(frozen=True)
class Entry:
    """One definition as it is stored: what kind of thing, its name, its content hash, and the JSON."""

    kind: str
    name: str
    version: str
    definition: Mapping[str, Any]
    owner: str = ""
    about: str = ""
    created_at: datetime | None = None

    @property
    def id(self) -> str:
        """The row's key: equal for equal definitions, words included, wherever the data is."""
        sources = {name: {**source, "reader": None} for name, source in self.definition["sources"].items()}
        return f"{self.kind}/{self.name}@{self.version}.{digest({**self.definition, 'sources': sources})[:12]}"

    @property
    def title(self) -> tuple[str, str]:
        """Kind and name."""
        return self.kind, self.name

    def made(self) -> Any:
        """The service, view or source itself."""
        return from_json(self.definition)


class Registry:
    """The definitions of a store."""

    def __init__(self, folder: Path) -> None:
        self._table = OnceTable(folder, _COLUMNS)

    def insert(self, entries: Iterable[Entry]) -> None:
        """Make these definitions the current ones of their names, all or none."""
        listed = list(entries)
        for _ in range(_ATTEMPTS):
            number = len(self._applies()) + 1
            mark = uuid4().hex
            self._table.insert([*map(_row, listed), _apply_row(number, mark, listed)])
            if self._applies()[number - 1]["version"] == mark:
                return
        raise Conflict(f"{_ATTEMPTS} others applied at the same time. Try again.")

    def current(self) -> dict[tuple[str, str], Entry]:
        """The current definition of each (kind, name)."""
        rows = {row["id"]: row for row in self._table.rows()}
        return {entry.title: entry for entry in map(_entry, (rows[id] for id in _current(rows.values()).values()))}

    def find(self, kind: str, name: str) -> Entry:
        """The definition of a name, or of `name@<hash prefix>`; NotFound names the nearest."""
        plain, _, prefix = name.partition("@")
        rows = {row["id"]: row for row in self._table.rows()}
        current = _current(rows.values())
        if (kind, plain) not in current:
            known = [other for one, other in current if one == kind]
            raise NotFound(
                f"no {kind} is named {plain!r}. {did_you_mean(plain, known)} Apply it first: store.apply(...)."
            )
        return _entry(rows[current[kind, plain]]) if not prefix else _pinned(rows.values(), kind, plain, prefix)

    def versions(self, kind: str, name: str) -> list[Entry]:
        """All definitions a name ever had, the first one first."""
        return [_entry(row) for row in self._table.rows() if (row["kind"], row["name"]) == (kind, name)]

    def _applies(self) -> list[dict[str, Any]]:
        rows = [row for row in self._table.rows(["id", "kind", "name", "version"]) if row["kind"] == "apply"]
        return sorted(rows, key=lambda row: int(row["name"]))


def _pinned(rows: Iterable[Mapping[str, Any]], kind: str, name: str, prefix: str) -> Entry:
    found = {
        row["version"]: row
        for row in rows
        if (row["kind"], row["name"]) == (kind, name) and row["version"].startswith(prefix)
    }
    if not found:
        versions = sorted({row["version"][:12] for row in rows if (row["kind"], row["name"]) == (kind, name)})
        raise NotFound(f"{kind} {name!r} has no version {prefix!r}. There are: {', '.join(versions)}.")
    if len(found) > 1:
        raise Invalid(
            f"{kind} {name!r}: {prefix!r} begins {len(found)} versions: {', '.join(sorted(found))}. Give more of it."
        )
    return _entry(next(iter(found.values())))


def _current(rows: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], str]:
    """The id of the current row of each (kind, name)."""
    applies = sorted((row for row in rows if row["kind"] == "apply"), key=lambda row: int(row["name"]))
    return {(kind, name): id for row in applies for kind, name, id in json.loads(row["definition"])}


def _row(entry: Entry) -> dict[str, Any]:
    parts = {
        "kind": entry.kind,
        "name": entry.name,
        "version": entry.version,
        "owner": entry.owner,
        "about": entry.about,
    }
    return {"id": entry.id, **parts, "definition": json.dumps(entry.definition), "created_at": datetime.now(UTC)}


def _apply_row(number: int, mark: str, entries: list[Entry]) -> dict[str, Any]:
    named = json.dumps([[*entry.title, entry.id] for entry in entries])
    parts = {"kind": "apply", "name": str(number), "version": mark, "owner": "", "about": ""}
    return {"id": f"apply/{number}", **parts, "definition": named, "created_at": datetime.now(UTC)}


def _entry(row: Mapping[str, Any]) -> Entry:
    return Entry(
        row["kind"],
        row["name"],
        row["version"],
        json.loads(row["definition"]),
        row["owner"],
        row["about"],
        row["created_at"],
    )
