"""What is kept of snapshots: the files of their shards, and the copy of their manifest that servers read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from ...engine.errors import Conflict, Corrupt, NotFound
from ...engine.folds.rows import SEQUENCE
from ...engine.language.entity import Entity
from ..folders.names import new_token
from ..ports import Damage, Entry, Here
from ..rows.held_rows import erased_rows, of_keys
from ..rows.pinned import table_at
from ..rows.source_note import state_of
from ..sources.training import sources_of
from .manifest import Manifest, ShardFile, copy_of, digest_of, load, put_copy, read_manifest
from .snapshot import written


class HeldSnapshot:
    """The `Held` of snapshots."""

    def reaches(self, here: Here, note: Mapping[str, Any]) -> Iterator[str]:
        """The files of its shards. The copy for servers is nobody's: the head alone has one."""
        for group in note["groups"]:
            yield from (f"snapshots/{file['path']}" for file in group["files"])

    def check(self, here: Here, name: str, note: Mapping[str, Any]) -> Iterator[Damage]:
        """Every file by its digest; of what is published now, the copy too."""
        for group in Manifest.of(note).groups:
            for file in group.files:
                what = _damage(here, f"snapshots/{file.path}", file.digest)
                if what:
                    yield Damage(f"snapshots/{file.path}", what, ())
        if here.ledger.head().names.get(f"snapshot/{note['service']}") == name:
            try:
                same = read_manifest(here.folder, note["service"]) == Manifest.of(note)
            except (NotFound, Corrupt):
                same = False
            if not same:
                yield Damage(copy_of(note["service"]), "it is not what the ledger says is published", ())

    def mend(self, here: Here, damage: Damage) -> bool:
        """Whether the copy was put again; a shard is mended by publishing anew."""
        service = damage.path.removeprefix("snapshots/").removesuffix(".json")
        if damage.path != copy_of(service) or "/" in service:
            return False
        put_copy(here, service)
        return True

    def without(
        self, here: Here, note: Mapping[str, Any], entity: Entity, keys: pl.DataFrame, draft: Path, token: str
    ) -> tuple[Mapping[str, Any], int] | None:
        """The snapshot without the rows of some keys: and of other versions of rows that go with them."""
        manifest = Manifest.of(note)
        erasure = _Erasure(here, manifest, entity, keys)
        made: dict[str, Path] = {}
        groups, removed = [], 0
        for group in manifest.groups:
            files = []
            for file in group.files:
                rows = load(here.folder, file)
                kept = erasure.kept(group.source, rows)
                removed += rows.height - kept.height
                files.append(file if kept.height == rows.height else _anew(file, kept, made, draft, token))
            groups.append(replace(group, files=tuple(files)))
        if not removed:
            return None
        here.folder.take_in(made)
        return replace(manifest, groups=tuple(groups)).note(), removed


class _Erasure:
    """Which rows of a snapshot go with some keys: those of the keys, and those that go from the tables, by their sequence numbers."""

    def __init__(self, here: Here, manifest: Manifest, entity: Entity, keys: pl.DataFrame) -> None:
        self._here, self._manifest, self._entity, self._keys = here, manifest, entity, keys
        self._sources = {spec.name: spec for spec in sources_of(manifest.made().features)}
        self._known: dict[str, pl.Series] = {}

    def kept(self, source: str, rows: pl.DataFrame) -> pl.DataFrame:
        """The rows that stay."""
        if self._entity.name not in {entity.name for entity in self._sources[source].entities}:
            return rows
        gone = rows[SEQUENCE].is_in(self._numbers(source).implode())
        if set(self._entity.keys) <= set(rows.columns):
            gone |= of_keys(rows, self._keys)
        return rows.filter(~gone)

    def _numbers(self, source: str) -> pl.Series:
        """The sequence numbers of rows that go from the tables that the snapshot was made from; where these are gone, from those of now."""
        if source not in self._known:
            entry = self._here.ledger.entry(self._manifest.store_version)
            try:
                self._known[source] = self._read(source, entry)
            except (NotFound, Conflict):
                self._known[source] = self._read(source, self._here.ledger.head())
        return self._known[source]

    def _read(self, source: str, entry: Entry) -> pl.Series:
        state = state_of(entry, self._here.notes, source)
        if state is None:
            return pl.Series([], dtype=pl.Int64)
        going = erased_rows(self._here, state, self._entity, self._keys)
        rows = table_at(self._here, self._sources[source], entry, upto=0).read([*going.columns, SEQUENCE])
        return rows.filter(pl.Series(going.chosen(rows)))[SEQUENCE]


def _anew(file: ShardFile, rows: pl.DataFrame, made: dict[str, Path], draft: Path, token: str) -> ShardFile:
    """A shard written again, in a folder of this attempt."""
    place, _, shard = file.path.rpartition("/")
    own = f"{token}-{new_token()}"  # an attempt writes several snapshots anew
    path = f"snapshots/{place.rpartition('/')[0]}/{own}/{shard}"
    made[path] = draft / f"snapshot-{own}.arrow"
    return written(made[path], path, _alone(rows))


def _alone(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows in buffers of their own: texts of rows that were filtered out stay in those that Polars shares, and would be written."""
    found: Any = pl.from_arrow(rows.to_arrow(compat_level=pl.CompatLevel.oldest()))
    return found.cast(dict(rows.schema))  # type: ignore[no-any-return]


def _damage(here: Here, path: str, wanted: str) -> str:
    try:
        found = digest_of(here.folder.local(path))
    except NotFound:
        return "it is missing"
    return "" if found == wanted else "its digest is not the one that it was written with"
