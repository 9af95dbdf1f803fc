"""What a snapshot consists of: a manifest that names, per group of folds and shard, a file of events and its digest.

`snapshots/<service>.json` is replaced atomically and is all a server reads: it carries the service's definition, so no registry is needed. Files
are Arrow IPC, uncompressed, one record batch, to be mapped into memory.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from ..engine.definition import from_json
from ..engine.errors import Corrupt, Invalid, NotFound, did_you_mean
from ..engine.service import FeatureService
from .durable import publish

FORMAT = 1


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
            f"the snapshot of {self.service!r} has no events of {source!r} by {list(keys)}. Publish it anew: store.snapshot(...)."
        )

    def publish(self, folder: Path) -> None:
        """Make this the snapshot of its service, durably and at once."""
        publish(folder / f"{self.service}.json", json.dumps({"format": FORMAT, **asdict(self)}, indent=1).encode())


def read_manifest(folder: Path, service: str) -> Manifest:
    """The published snapshot of a service; NotFound says what is published."""
    place = folder / f"{service}.json"
    if not place.is_file():
        raise NotFound(
            f"service {service!r} was not published. Call store.snapshot(...). {did_you_mean(service, published(folder))}"
        )
    try:
        parts = json.loads(place.read_bytes())
        if parts.pop("format") == FORMAT:
            return Manifest(**{**parts, "groups": tuple(_group(group) for group in parts["groups"])})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Corrupt(f"{place} is damaged: {error}. Publish the service anew: store.snapshot(...).") from None
    raise Invalid(f"{place} has another format than {FORMAT}. Publish it anew: store.snapshot(...).")


def published(folder: Path) -> list[str]:
    """The names of all services that have a snapshot."""
    return sorted(one.stem for one in folder.glob("*.json")) if folder.is_dir() else []


def load(folder: Path, file: ShardFile) -> pl.DataFrame:
    """The rows of a shard, mapped into memory; Corrupt if the bytes are not those that were written."""
    place = folder / file.path
    if not place.is_file():
        raise Corrupt(f"{place} is missing. Publish the service anew: store.snapshot(...).")
    if digest_of(place) != file.digest:
        raise Corrupt(
            f"{place} is damaged: its digest is not {file.digest}. Publish the service anew: store.snapshot(...)."
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
