"""What a snapshot consists of: a manifest that names, per group of folds and shard, a file of events and its digest.

The ledger names its note; `snapshots/<service>.json` is a copy of it with a digest, replaced atomically, and all a server reads: it carries the
service's definition, so no registry is needed. Files are Arrow IPC, uncompressed, one record batch, to be mapped into memory.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import polars as pl
import pyarrow as pa

from ...engine.errors import Corrupt, Invalid, NotFound, did_you_mean
from ...engine.language.definition import from_json
from ...engine.language.service import FeatureService
from ..folders.canonical import sealed, unsealed
from ..ports import Folder, Here

FORMAT = 2
_PLACE = "snapshots"


@dataclass(frozen=True)
class ShardFile:
    """The events of one shard: path below `snapshots/`, size, and blake2b-128 of the bytes."""

    path: str
    rows: int
    bytes: int
    digest: str


@dataclass(frozen=True)
class Group:
    """The events that folds over one source by one set of keys can still reach.

    Rows are sorted by (keys, event_time, known_time, `__sequence`). All have event_time > cut (microseconds UTC; None: everything is there),
    except versions of rows that have several. `log_position` is where to read on in the log of the source.
    """

    source: str
    keys: tuple[str, ...]
    columns: tuple[str, ...]
    reach: int | None
    history: int
    cut: int | None
    watermark: int | None
    log_position: int
    files: tuple[ShardFile, ...]


@dataclass(frozen=True)
class Manifest:
    """A published state of a service."""

    service: str
    version: str
    created_at: str
    store_version: int
    shards: int
    hash_version: int
    definition: Mapping[str, Any]
    groups: tuple[Group, ...]

    def made(self) -> FeatureService:
        """The service itself."""
        made: FeatureService = from_json(self.definition)
        return made

    def group(self, source: str, keys: tuple[str, ...]) -> Group:
        """The group of that source and keys."""
        for group in self.groups:
            if (group.source, group.keys) == (source, keys):
                return group
        raise NotFound(
            f"the snapshot of {self.service!r} has no events of {source!r} by {list(keys)}. Publish it again: store.snapshot(...)."
        )

    def note(self) -> dict[str, Any]:
        """The note that the ledger is to name."""
        return {"kind": "snapshot", "format": FORMAT, **asdict(self)}

    @classmethod
    def of(cls, note: Mapping[str, Any]) -> Self:
        """What a note says."""
        parts = {name: part for name, part in note.items() if name not in ("kind", "format", "sha256")}
        if note.get("format") != FORMAT:
            raise Invalid(f"a snapshot has another format than {FORMAT}. Publish it again: store.snapshot(...).")
        return cls(**{**parts, "groups": tuple(_group(group) for group in parts["groups"])})


def copy_of(service: str) -> str:
    """Where the copy for servers stands.

    >>> copy_of("fraud")
    'snapshots/fraud.json'
    """
    return f"{_PLACE}/{service}.json"


def put_copy(here: Here, service: str) -> None:
    """Put the copy for servers, as the ledger says now: where another publishes at the same time, what is put last is what it names."""
    key = f"snapshot/{service}"
    noted: str | None = ""
    while (now := here.ledger.head().names.get(key)) != noted:
        noted = now
        if noted is None:
            here.folder.delete([copy_of(service)])
        else:
            here.folder.put(copy_of(service), sealed(here.notes.get(noted)))


def read_manifest(folder: Folder, service: str) -> Manifest:
    """The published snapshot of a service; NotFound says what is published."""
    try:
        content = folder.get(copy_of(service))
    except (NotFound, Invalid):
        raise NotFound(
            f"service {service!r} was not published. Call store.snapshot(...). {did_you_mean(service, published(folder))}"
        ) from None
    try:
        return Manifest.of(unsealed(content, copy_of(service)))
    except Corrupt as error:
        raise Corrupt(f"{error} Publish the service again: store.snapshot(...).") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, Invalid):
            raise
        raise Corrupt(
            f"{copy_of(service)} is damaged: {error}. Publish the service again: store.snapshot(...)."
        ) from None


def published(folder: Folder) -> list[str]:
    """The names of all services that have a snapshot."""
    return [path.removeprefix(f"{_PLACE}/").removesuffix(".json") for path, *_ in manifests(folder)]


def manifests(folder: Folder) -> tuple[tuple[str, int, int], ...]:
    """The manifests that servers read: path, bytes, time of change. Another answer means that something was published."""
    found = folder.listed(_PLACE)
    return tuple(one for one in found if one[0].count("/") == 1 and one[0].endswith(".json"))


def load(folder: Folder, file: ShardFile) -> pl.DataFrame:
    """The rows of a shard, mapped into memory; Corrupt if the bytes are not those that were written."""
    path = f"{_PLACE}/{file.path}"
    try:
        place = folder.local(path)
    except NotFound:
        raise Corrupt(f"{path} is missing. Publish the service again: store.snapshot(...).") from None
    if digest_of(place) != file.digest:
        raise Corrupt(
            f"{path} is damaged: its digest is not {file.digest}. Publish the service again: store.snapshot(...)."
        )
    mapped: Any = pl.from_arrow(pa.ipc.open_file(pa.memory_map(str(place))).read_all())
    return mapped  # type: ignore[no-any-return]


def digest_of(place: Path) -> str:
    """blake2b-128 of a file's bytes, in hex."""
    with place.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def _group(parts: Mapping[str, Any]) -> Group:
    files = tuple(ShardFile(**file) for file in parts["files"])
    return Group(**{**parts, "keys": tuple(parts["keys"]), "columns": tuple(parts["columns"]), "files": files})
