"""What the rooms of the store ask of each other: bytes at rest, the ledger that decides, small notes, tables, and what is kept of each kind.

Everything durable is either a *file* whose name holds the digest of its bytes, or an *entry* of the ledger, which says what there is now.
FORMAT.md describes the same on disk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import polars as pl
import pyarrow as pa

from ..engine.language.entity import Entity
from ..engine.language.instant import datetime_of


class Folder(Protocol):
    """A place for bytes, by path below it. It pickles without secrets: who opens it elsewhere takes them from the environment."""

    @property
    def url(self) -> str:
        """Where it is, without secrets."""

    def put_new(self, path: str, content: bytes) -> bool:
        """Whether the file is ours; False where there was one. Durable on return, also the one that was there.

        `StorageFull` and `Unavailable` mean that nothing is there; `CommitUnknown` that it may be.
        """

    def put(self, path: str, content: bytes) -> None:
        """Put or replace a file, whole and durably."""

    def expect(self, draft: Path) -> None:
        """Begin what can be begun for a draft that is whole and will be taken in."""

    def take_in(self, made: Mapping[str, Path]) -> None:
        """Bring drafts to their places, all durable on return. A place that holds the same already is left alone."""

    def get(self, path: str, ranges: Sequence[tuple[int, int]] = ()) -> bytes:
        """The bytes of a file, or of the ranges [begin, end) one after another. `NotFound` where there is none."""

    def listed(self, under: str, after: str = "") -> Iterator[tuple[str, int, int]]:
        """Path, bytes and time of change (microseconds) of the files below a folder, paths rising, those behind `after`."""

    def delete(self, paths: Iterable[str]) -> None:
        """Remove files; those that are gone already do not matter."""

    def draft(self, token: str) -> AbstractContextManager[Path]:
        """A local scratch folder for one attempt, held while it is used and removed afterwards."""

    def turn(self, name: str) -> AbstractContextManager[None]:
        """One's turn among writers of the same name on this machine. Nobody's safety needs it: after a while one goes on without it."""

    def sweep(self) -> int:
        """Remove drafts on this machine whose writers are gone; the bytes that this freed."""

    def local(self, path: str) -> Path:
        """A local file with these bytes, to be mapped into memory; of an object store a copy."""

    def lance(self, path: str) -> tuple[str, dict[str, str]]:
        """The address of a file or folder as Lance wants it, and its options."""


@dataclass(frozen=True, repr=False)
class Entry:
    """What there is in the store since one commit: for each name a note."""

    number: int
    at: int  # microseconds UTC; rises with the number
    job: str
    kind: str
    what: str  # for people
    lineage: Mapping[str, Any]
    moved: Mapping[str, tuple[str | None, str | None]]  # the names that this entry changed: note before, note after
    names: Mapping[str, str]
    removed: str | None  # the note of the paths that a cleanup or forget removes
    oldest: int  # entries before it are readable only as far as tags and training sets reach
    before: str  # sha256 of the entry before
    sha256: str

    def __repr__(self) -> str:
        return f"{self.number:6}  {datetime_of(self.at):%Y-%m-%d %H:%M:%S}  {self.what}"


@dataclass(frozen=True)
class Work:
    """Who commits, and why."""

    job: str
    token: str  # is part of every path that this attempt wrote
    kind: str
    what: str
    lineage: Mapping[str, Any]


@dataclass(frozen=True)
class Moved:
    """What an entry changes; a name that goes to None is taken away."""

    names: Mapping[str, str | None]
    removed: str | None = None
    oldest: int | None = None


Change = Callable[[Entry], Moved]  # on this head; raises `Conflict` where it no longer holds; may be called again


class Ledger(Protocol):
    """The entries. What none of them names does not exist."""

    def head(self) -> Entry:
        """The newest."""

    def entry(self, number: int) -> Entry:
        """One of them. `NotFound`, `Corrupt`."""

    def as_of(self, moment: int | datetime | str) -> Entry:
        """The entry of that number or tag, or the newest up to that time. `NotFound` before the first, and before `oldest` unless pinned."""

    def seen(self) -> Entry:
        """The newest entry that this process has looked at, without looking again."""

    def since(self, number: int, upto: int | None = None) -> Iterator[Entry]:
        """The entries behind a number, rising, up to another or the head."""

    def committed(self, job: str, *, since: int = 0) -> Entry | None:
        """The entry of a job whose commit was not seen to end, durably; None if it did not happen."""

    def removed_by(self, path: str) -> Entry | None:
        """The cleanup or forget that removed a path; None if none did."""

    def vouch(self, entry: Entry) -> Entry:
        """Make sure that an entry which was seen will be there after a power cut: before "nothing new" is acknowledged."""

    def commit(self, base: Entry, work: Work, change: Change) -> Entry:
        """Add an entry; where the change moves nothing, none, and the head is vouched for.

        The change is made on the head, again when another came first; `base` is the head that the work was begun on.

        `Conflict`: it no longer holds, or what it wrote or names was removed, or rows were forgotten since `base`: start over.
        `CommitUnknown`: it may have happened; `committed(job)` tells. `StorageFull`: it has not.
        """


class Notes(Protocol):
    """Small immutable JSON files, by their digest."""

    def put(self, token: str, note: Mapping[str, Any]) -> str:
        """Write one, durably; its name."""

    def put_all(self, token: str, notes: Iterable[Mapping[str, Any]]) -> list[str]:
        """Write notes side by side; all are durable on return."""

    def name(self, token: str, note: Mapping[str, Any]) -> str:
        """What a note will be called, before it is put."""

    def get(self, name: str) -> Mapping[str, Any]:
        """Read one, checked; of a note whose rows were forgotten the one in its place. `NotFound`, `Corrupt`."""


@dataclass(frozen=True)
class Version:
    """A version of a table."""

    number: str  # beyond int64
    digest: str  # sha256 of the manifest
    rows: int
    files: int
    bytes: int


@dataclass(frozen=True)
class DataPart:
    """One file of a table; the path is below the table."""

    path: str
    rows: int
    columns: tuple[str, ...]
    bytes: int
    at: tuple[int, ...]  # for each column, which of the file's own columns is the first of it: a struct takes several


@dataclass(frozen=True)
class Stretch:
    """Rows of a table: files side by side, each with some of the columns. A column that none has is null."""

    parts: tuple[DataPart, ...]
    rows: int


class Tables(Protocol):
    """Lance tables as lists of files. A `place` is the folder of one, such as `tables/transactions/customer`."""

    def write(
        self, place: str, stem: str, rows: Iterable[pa.RecordBatch], schema: pa.Schema, draft: Path, token: str
    ) -> DataPart:
        """Write a file into the draft of an attempt; it is there for others once it is taken in. `stem` is the first part of its name."""

    def take_in(self, draft: Path) -> None:
        """Bring all files of a draft to their places, durably."""

    def version(self, place: str, schema: pa.Schema, stretches: Sequence[Stretch], draft: Path) -> Version:
        """A version that has these stretches, one after another, durably."""

    def opened(self, place: str, version: Version) -> tuple[pa.Schema, tuple[Stretch, ...]]:
        """What a version consists of. `Corrupt`, `NotFound`."""

    def paths(self, place: str, version: Version) -> Iterator[str]:
        """All files that a version needs: its manifest, its data files and their sums."""

    def batches(
        self, place: str, version: Version, columns: Sequence[str], stretches: Sequence[Stretch] | None = None
    ) -> Iterator[pa.RecordBatch]:
        """The columns of some stretches, or all, in their order. What is read is checked first: `Corrupt` names the file."""


@dataclass(frozen=True)
class Here:
    """A store, for whoever works in it."""

    folder: Folder
    ledger: Ledger
    notes: Notes
    tables: Tables
    logs: Path | None = None  # the local folder of the logs of pushed rows, one a source; None: nothing can be pushed


@dataclass(frozen=True)
class Damage:
    """Something that is not as it was written."""

    path: str
    what: str
    names: tuple[str, ...]  # of the ledger, which need it


class Held(Protocol):
    """What is kept of one kind of note: what cleanup, verify and forget ask."""

    def reaches(self, here: Here, note: Mapping[str, Any]) -> Iterator[str]:
        """All paths it needs, other notes included, itself not."""

    def check(self, here: Here, name: str, note: Mapping[str, Any]) -> Iterator[Damage]:
        """What is damaged of it: every byte is read."""

    def mend(self, here: Here, damage: Damage) -> bool:
        """Whether it could be made whole from what else there is."""

    def without(
        self, here: Here, note: Mapping[str, Any], entity: Entity, keys: pl.DataFrame, draft: Path, token: str
    ) -> tuple[Mapping[str, Any], int] | None:
        """The note without the rows of some keys, and how many these were; None where it has none of them."""
