"""Forget: all rows of some keys of an entity leave the store: tables, features, training sets, snapshots, logs, and what old versions had of them.

Notes are written anew without the rows, also those that tags and training sets hold on to; a note `erased` says which stands in the place of
which. One entry names the new ones and lists all files that nobody needs then; after it they are deleted and the logs emptied. Writers that had
begun before start over. Versions that nothing pins end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from ...engine.errors import Conflict, Corrupt, Invalid, NotFound, WrongType, did_you_mean
from ...engine.language import dtype as types
from ...engine.language.definition_values import type_of
from ...engine.language.entity import Entity
from ..ledger.entry import begun
from ..ledger.start_over import StartOver, undisturbed
from ..ports import Entry, Here, Moved, Work
from ..rows.log import Log, Writer
from ..snapshots.stale_copies import put_stale_copies
from ..sources.conform import conformed
from ..sources.frame import as_frame
from .kinds import held
from .mentions import mentions
from .reachable import HELD_UNDER, Reach, erased_notes, for_servers, kept_entries

_ATTEMPTS = 10
_PATIENCE_S = 5.0
_BYTES = (str, bytes, bytearray, memoryview)  # sequences, of letters or numbers that nobody means


@dataclass(frozen=True, repr=False)
class Forgotten:
    """What was erased, by name; and what holds the keys' text still, if anything does."""

    entity: str
    keys: int
    version: int
    rows: Mapping[str, int]  # that had some, by name in the ledger
    files: int
    bytes: int
    logs: tuple[str, ...]  # that were emptied, of these sources
    left: tuple[
        str, ...
    ]  # files in which the text of a key is found, such as a feature's value; that may be another's; and damaged ones

    def __repr__(self) -> str:
        rows = ", ".join(f"{count:,} rows of {name}" for name, count in sorted(self.rows.items())) or "no rows"
        left = f" The text of a key is still found in {', '.join(self.left)}." if self.left else ""
        return (
            f"forgot {self.keys:,} keys of {self.entity}: {rows}; {self.files:,} files removed ({self.bytes / 1e6:.1f} MB), "
            f"{len(self.logs)} logs emptied, version {self.version}.{left} Backups keep what they have until they are made again, "
            "and running servers until they load again."
        )


def forgotten(here: Here, entity: Entity, keys: Any, settle: Callable[[], None]) -> Forgotten:
    """Erase all rows of some keys. `settle` drains the logs into the tables and publishes snapshots again, while nobody can push.

    `Unavailable` while a server writes a log of the entity's sources.
    """
    wanted = keys_of(entity, keys)
    _check_keys(here, entity)
    with ExitStack() as held_logs:
        writers = {log.name: held_logs.enter_context(Log(log).writer(_PATIENCE_S)) for log in _logs(here, entity)}
        settle()
        for name, writer in writers.items():
            _check_drained(here, name, writer)
        _check_known(here, entity)
        done = _erased(here, entity, wanted)
        emptied = tuple(sorted(name for name, writer in writers.items() if _emptied(here, entity, name, writer)))
    left = tuple(mentions(here, _logs(here, entity), wanted))
    return replace(done, logs=emptied, left=left)


def keys_of(entity: Entity, given: Any) -> pl.DataFrame:
    """The keys as a frame with the entity's key columns and types, each once. A list will do where there is one key column."""
    if not isinstance(entity, Entity):
        raise WrongType(f"forget needs the nt.Entity that the keys are of; this is {entity!r}.")
    if isinstance(given, _BYTES):
        raise WrongType(f"keys of {entity.name!r} are given as a list, also one alone: [key].")
    if len(entity.keys) == 1 and isinstance(given, Sequence) and not any(isinstance(one, Mapping) for one in given):
        given = {next(iter(entity.keys)): list(given)}
    frame = as_frame(given)
    if set(frame.columns) != set(entity.keys):
        raise Invalid(f"keys of {entity.name!r} have columns {list(entity.keys)}; these have {frame.columns}.")
    if frame.is_empty():
        raise Invalid(f"no keys of {entity.name!r} were given. To forget nothing would still end all earlier versions.")
    typed = frame.select(
        conformed(frame[name], types.settled(dtype), f"{entity.name}.{name}") for name, dtype in entity.keys.items()
    )
    if typed.null_count().sum_horizontal().item():
        raise Invalid(f"keys of {entity.name!r} have nulls: rows without a key belong to nobody and are not forgotten.")
    return typed.unique(maintain_order=True)


def _erased(here: Here, entity: Entity, keys: pl.DataFrame) -> Forgotten:
    sources = sorted(name for name in here.ledger.head().names if name.startswith("source/"))
    for _ in range(_ATTEMPTS):
        try:
            with ExitStack() as turns:
                for name in sources:
                    turns.enter_context(here.folder.turn(f"ingest-{name.removeprefix('source/')}"))
                head = here.ledger.head()
                with undisturbed(here.ledger, head):
                    return _Attempt(here, head, entity, keys).made()
        except (Conflict, StartOver) as error:
            last = error
    raise Conflict(
        f"forget {entity.name}: gave up after {_ATTEMPTS} attempts: other writers kept committing first. Try again."
    ) from last


class _Attempt:
    """One try on the store as it stands."""

    def __init__(self, here: Here, head: Entry, entity: Entity, keys: pl.DataFrame) -> None:
        self._here, self._head, self._entity, self._keys = here, head, entity, keys
        self._kept = kept_entries(here, self._head, self._head.number)
        self._new: dict[str, str] = {}  # note -> note without the rows
        self._rows: dict[str, int] = {}

    def made(self) -> Forgotten:
        """The report, once everything is erased."""
        work = begun("forget", f"forget {self._keys.height:,} keys of {self._entity.name}")
        with self._here.folder.draft(work.token) as draft:
            for note in self._tops():
                self._rewrite(note, draft, work.token)
        moved, doomed = self._moved(work)
        entry = self._here.ledger.commit(self._head, work, moved)
        put_stale_copies(self._here)
        self._here.folder.delete(sorted(doomed))
        self._here.folder.sweep()
        self._prove(entry)
        rows = {name: self._rows[note] for name, note in self._head.names.items() if self._rows.get(note)}
        return Forgotten(
            self._entity.name, self._keys.height, entry.number, rows, len(doomed), sum(doomed.values()), (), ()
        )

    def _tops(self) -> list[str]:
        return list(dict.fromkeys(self._now(note) for entry in self._kept for note in entry.names.values()))

    def _now(self, note: str) -> str:
        return erased_notes(self._here, self._head).get(note, note)

    def _rewrite(self, name: str, draft: Path, token: str) -> None:
        note = self._here.notes.get(name)
        found = held(note["kind"]).without(self._here, note, self._entity, self._keys, draft, token)
        if found is not None:
            self._new[name] = self._here.notes.put(token, found[0])
            self._rows[name] = found[1]

    def _moved(self, work: Work) -> tuple[Callable[[Entry], Moved], dict[str, int]]:
        """The commit, which holds on this head alone, and the files that nobody needs after it, with their bytes."""
        before = erased_notes(self._here, self._head)
        erased = {old: self._new.get(new, new) for old, new in before.items()} | self._new
        names: dict[str, str] = {name: self._new[note] for name, note in self._head.names.items() if note in self._new}
        names["erased"] = self._here.notes.put(work.token, {"kind": "erased", "notes": erased})
        after = replace(self._head, names={**self._head.names, **names}, removed=None)
        needed = Reach(self._here, after).of([*self._kept[:-1], after])
        doomed = {
            path: size
            for folder in HELD_UNDER
            for path, size, _ in self._here.folder.listed(folder)
            if path not in needed and not for_servers(path)
        }
        removed = self._here.notes.put(work.token, {"kind": "removed", "paths": sorted(doomed)})

        def moved(head: Entry) -> Moved:
            if head.number != self._head.number:
                raise Conflict(f"{work.what}: entry {head.number} came first.")
            return Moved(names, removed=removed, oldest=head.number + 1)

        return moved, doomed

    def _prove(self, entry: Entry) -> None:
        """Look once more whether any note has rows of the keys."""
        token = begun("forget", "proof").token
        with self._here.folder.draft(token) as draft:
            for name, note in entry.names.items():
                said = self._here.notes.get(note)
                found = held(said["kind"]).without(self._here, said, self._entity, self._keys, draft, token)
                if found is not None and found[1]:
                    raise Corrupt(f"{found[1]:,} rows of the keys are still in {name}. Run forget again.")


def _logs(here: Here, entity: Entity) -> list[Path]:
    """The logs, but those of sources known to have nothing of the entity."""
    head = here.ledger.head()
    found = sorted(one for one in here.logs.iterdir() if one.is_dir()) if here.logs and here.logs.is_dir() else []
    return [one for one in found if _has(here, head, one.name, entity) is not False]


def _has(here: Here, head: Entry, source: str, entity: Entity) -> bool | None:
    """Whether a source has the entity; None where the ledger says nothing of it."""
    note = head.names.get(f"source/{source}")
    return None if note is None else entity.name in here.notes.get(note)["layout"]["keys"]


def _check_known(here: Here, entity: Entity) -> None:
    """Refuse an entity that no source has: a name that is mistyped would end versions and erase nothing."""
    known = {one for source in _sources(here) for one in source["layout"]["keys"]}
    if entity.name not in known:
        raise NotFound(f"no source in this store is about {entity.name!r}. {did_you_mean(entity.name, known)}")
    _check_keys(here, entity)


def _check_keys(here: Here, entity: Entity) -> None:
    """Refuse an entity that a source knows by other keys: not all would be erased, or what is another's."""
    for source in _sources(here):
        layout = source["layout"]
        there = {name: type_of(layout["columns"][name]) for name in layout["keys"].get(entity.name, ())}
        same = there.keys() == entity.keys.keys() and all(_alike(there[name], entity.keys[name]) for name in there)
        if there and not same:
            raise Invalid(
                f"entity {entity.name!r} has the keys {there} in source {source['name']!r}; this one has {entity.keys}."
            )


def _alike(one: pl.DataType, other: pl.DataType) -> bool:
    """Whether equal keys of two types are the same key: whole numbers are, whatever their width."""
    return types.settled(one) == types.settled(other) or (one.is_integer() and other.is_integer())


def _sources(here: Here) -> Iterator[Mapping[str, Any]]:
    """The notes of all sources."""
    return (here.notes.get(note) for name, note in here.ledger.head().names.items() if name.startswith("source/"))


def _check_drained(here: Here, source: str, writer: Writer) -> None:
    """Refuse to begin while pushed rows are in a log alone."""
    note = here.ledger.head().names.get(f"source/{source}")
    taken = 0 if note is None else here.notes.get(note)["log_position"]
    if taken < writer.end:
        raise Invalid(
            f"rows were pushed to {source!r} that its tables do not have, and no registered source says what they are. "
            "Call store.apply(...) with it, or store.drain(...), then forget."
        )


def _emptied(here: Here, entity: Entity, source: str, writer: Writer) -> bool:
    """Empty the log of a source that has the entity; all its rows are in the tables."""
    if not writer.end or not _has(here, here.ledger.head(), source, entity):
        return False
    writer.emptied()
    return True
