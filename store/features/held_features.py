"""What cleanup, verify and forget must know of backfilled values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from ...engine.errors import Corrupt, NotFound
from ...engine.language.entity import Entity
from ..folders.canonical import digest
from ..ledger.entry import begun
from ..ledger.notes import note_path
from ..ports import Damage, DataPart, Entry, Here, Moved
from ..tables import data_file, table_manifest
from ..tables.lance_library import LanceFileReader
from ..tables.sums import SUFFIX, Sums
from ..tables.verified import check_whole
from ..training_sets.held_training import without_keys
from .chunks import Chunk, Column
from .column_files import ColumnFiles, files_of, relisted
from .feature_table import AT, Chunks, FeatureTable, column_of, stem_of, values


class HeldView:
    """The values of a view: notes of chunks, and a manifest."""

    def reaches(self, here: Here, note: Mapping[str, Any]) -> Iterator[str]:
        """The notes of its chunks, which know their files, and the manifest of its version."""
        table = FeatureTable.of(note)
        yield from map(note_path, table.chunks.values())
        if table.version is not None:
            yield _manifest(table)

    def check(self, here: Here, name: str, note: Mapping[str, Any]) -> Iterator[Damage]:
        """Whether the manifest is as it was written."""
        table = FeatureTable.of(note)
        if table.version is not None:
            path = _manifest(table)
            try:
                same = digest(here.folder.get(path)) == table.version.digest
            except NotFound:
                same = False
            if not same:
                yield Damage(path, "it is not the manifest that was written", ())

    def mend(self, here: Here, damage: Damage) -> bool:
        """Whether the sums of a file were made anew; or of the newest version a manifest, or a hole of what is damaged."""
        if damage.path.endswith(SUFFIX):
            return _sums_mended(here, damage.path)
        views = [name for name in damage.names if name.startswith("view/")]
        done = [_holed(here, view, damage.path) for view in views]
        return any(done)

    def without(
        self, here: Here, note: Mapping[str, Any], entity: Entity, keys: pl.DataFrame, draft: Path, token: str
    ) -> tuple[Mapping[str, Any], int] | None:
        """The table without the rows of some keys; None where the view is not about them, or has none of them."""
        table = FeatureTable.of(note)
        if not set(entity.keys) <= set(table.keys):
            return None
        erasing = _Erasing(here, table, entity, keys, draft, token)
        chunks = {id: erasing.erased(name) for id, name in table.chunks.items()}
        if not erasing.rows:
            return None
        here.tables.take_in(draft)
        return _rebuilt(here, replace(table, chunks=chunks), draft).note(), erasing.rows


class HeldChunk:
    """A stretch of a view's values: a file of keys and times, and files of columns."""

    def reaches(self, here: Here, note: Mapping[str, Any]) -> Iterator[str]:
        """Its files, and their sums."""
        for path in _paths(Chunk.of(note)):
            yield path
            yield path + SUFFIX

    def check(self, here: Here, name: str, note: Mapping[str, Any]) -> Iterator[Damage]:
        """Whether the sums are those of its files; the files say by their names what they should be."""
        for path in _paths(Chunk.of(note)):
            try:
                same = Sums.read(here.folder.get(path + SUFFIX)).are_of(path)
            except (NotFound, ValueError):
                same = False
            if not same:
                yield Damage(path + SUFFIX, "these are not the sums of its file", ())

    def mend(self, here: Here, damage: Damage) -> bool:
        """As its view does."""
        return HeldView().mend(here, damage)

    def without(
        self, here: Here, note: Mapping[str, Any], entity: Entity, keys: pl.DataFrame, draft: Path, token: str
    ) -> tuple[Mapping[str, Any], int] | None:
        """None: its view does it, as it knows the version to read."""
        return None


class _Erasing:
    """Writes the chunks of a table without the rows of some keys."""

    def __init__(
        self, here: Here, table: FeatureTable, entity: Entity, keys: pl.DataFrame, draft: Path, token: str
    ) -> None:
        self._here, self._table, self._entity, self._keys = here, table, entity, keys
        self._files, self._token, self.rows = ColumnFiles(here, table.place, draft, token), token, 0

    def erased(self, name: str) -> str:
        """The note of a chunk without them."""
        chunk = Chunk.of(self._here.notes.get(name))
        if not chunk.rows:
            return name
        columns = {version: column_of(column.feature, version) for version, column in chunk.columns.items()}
        found = pl.concat(values(self._here, self._table, chunk, [*self._table.keys, AT, *columns.values()]))
        left = without_keys(found, self._entity, self._keys)
        if left.height == found.height:
            return name
        self.rows += found.height - left.height
        made = {
            version: replace(column, file=self._written(stem_of(version), left.select(columns[version])))
            for version, column in chunk.columns.items()
        }
        keys = replace(chunk.keys, file=self._written("k", left.select(*self._table.keys, AT)))
        return self._here.notes.put(self._token, replace(chunk, rows=left.height, keys=keys, columns=made).note())

    def _written(self, stem: str, frame: pl.DataFrame) -> str:
        part = self._files.frame(stem, frame)
        return "" if part is None else part.path


def _rebuilt(here: Here, table: FeatureTable, draft: Path) -> FeatureTable:
    """The table with a version of the files that its chunks name, by what these say of themselves."""
    fields: dict[str, pa.Field] = {}
    chunks = Chunks(here).of(table)
    parts = {file: _part(here, table.place, file, fields) for chunk in chunks for file in files_of(chunk)}
    return relisted(here, table, chunks, parts, fields, draft)


def _part(here: Here, place: str, file: str, fields: dict[str, pa.Field]) -> DataPart:
    """What a file says of itself."""
    part, schema = data_file.described(here.folder.local(f"{place}/{file}"), file)
    fields.update({one.name: one for one in schema})
    return part


def _holed(here: Here, view: str, damaged: str) -> bool:
    """Whether the newest version of a view is without a damaged file from now on: what was in it is a hole, which a backfill fills."""
    base = here.ledger.head()
    work = begun("backfill", f"take {damaged} out of {view}, as it is damaged", wrote=[view])
    done = False
    with here.folder.draft(work.token) as draft:

        def change(head: Entry) -> Moved:
            nonlocal done
            if view not in head.names:
                return Moved({})
            table = FeatureTable.of(here.notes.get(head.names[view]))
            chunks = _sound(here, table, work.token)
            done = chunks != dict(table.chunks) or (table.version is not None and _manifest(table) == damaged)
            if not done:
                return Moved({})
            return Moved(
                {view: here.notes.put(work.token, _rebuilt(here, replace(table, chunks=chunks), draft).note())}
            )

        here.ledger.commit(base, work, change)
    return done


def _sound(here: Here, table: FeatureTable, token: str) -> dict[str, str]:
    """The notes of the chunks without what is damaged: a column, or all of a chunk whose keys or note are."""
    out = {}
    for id, name in table.chunks.items():
        try:
            chunk = Chunk.of(here.notes.get(name))
        except (Corrupt, NotFound):
            continue
        if _whole(here, table, chunk.keys):
            left = {version: one for version, one in chunk.columns.items() if _whole(here, table, one)}
            same = len(left) == len(chunk.columns)
            out[id] = name if same else here.notes.put(token, replace(chunk, columns=left).note())
    return out


def _whole(here: Here, table: FeatureTable, column: Column) -> bool:
    """Whether a file is as it was written."""
    path = f"{table.place}/{column.file}"
    try:
        if column.file:
            check_whole(path, [here.folder.get(path)])
    except (Corrupt, NotFound):
        return False
    return True


def _sums_mended(here: Here, path: str) -> bool:
    """Whether sums were made anew, from a file that is whole."""
    file = path.removesuffix(SUFFIX)
    try:
        local = here.folder.local(file)
        check_whole(file, [local.read_bytes()])
    except (NotFound, Corrupt):
        return False
    rows = LanceFileReader(str(local)).metadata().num_rows
    here.folder.put(path, Sums.of(local, rows, data_file.places(local)).written())
    return True


def _paths(chunk: Chunk) -> Sequence[str]:
    """Its files, below the store."""
    return [f"features/{chunk.view}/{file}" for file in files_of(chunk)]


def _manifest(table: FeatureTable) -> str:
    assert table.version is not None, "only asked of a table with one"
    return f"{table.place}/{table_manifest.path_of(table.version.number)}"
