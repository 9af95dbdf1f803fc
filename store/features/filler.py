"""Fills holes of a view: a commit for some holes together, on the table as it is then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Lock

import polars as pl
import pyarrow as pa

from ...engine.errors import Conflict
from ...engine.language import dtype as types
from ...engine.language.definition_values import type_json
from ..ports import DataPart, Entry, Here, Moved, Stretch, Version, Work
from .chunks import Chunk, Column, Hole, chunk_id
from .feature_table import Chunks, FeatureTable, named, stretches_of, table_of
from .fill_draft import Files, FillDraft, Filled


class Filler:
    """Fills holes of a view, as they were seen at a base entry."""

    def __init__(self, here: Here, view: str, keys: Mapping[str, pl.DataType], base: Entry, chunks: Chunks) -> None:
        self._here, self._view, self._base, self._chunks = here, view, base, chunks
        self._keys = {name: type_json(types.settled(dtype)) for name, dtype in keys.items()}
        self._before = table_of(base, here, view) or FeatureTable(view, self._keys)
        self._turn = Lock()
        self._last: tuple[Version, pa.Schema, dict[str, Stretch]] | None = None

    def draft(self, writers: ThreadPoolExecutor) -> FillDraft:
        """Where files for some holes are written, by these threads, before `fill` makes them count."""
        return FillDraft(self._here, self._before.place, writers)

    def fill(self, draft: FillDraft) -> Entry:
        """The entry since which the holes of a draft are filled, all of them or none; from several threads if need be. Leaves nothing of the draft.

        `Conflict`: another filled one first, or rows were forgotten since the base: look again.
        """
        if not draft.claim():
            raise Conflict("what was to be committed was given up meanwhile.")
        with draft:
            written = draft.written()
            self._here.tables.take_in(draft.folder)

            def change(head: Entry) -> Moved:
                table, chunks = self._table(head), []
                schema, stretches = self._opened(table)
                for filled, its in written:
                    held = self._held(table, filled.hole)
                    _list(stretches, held, its)
                    chunks.append(self._chunk(table, held, filled, its))
                    table = self._with(table, chunks[-1], filled, draft.work.token)
                self._here.notes.put_all(draft.work.token, [chunk.note() for chunk in chunks])
                whole = pa.schema(list({**{one.name: one for one in schema}, **draft.files.fields}.values()))
                after = replace(table, version=self._version(table, whole, stretches, draft.folder))
                return Moved({named(self._view): self._here.notes.put(draft.work.token, after.note())})

            with self._turn:  # files are written side by side; commits of one process need not race each other
                return self._here.ledger.commit(self._base, self._work(draft, [one for one, _ in written]), change)

    def _work(self, draft: FillDraft, batch: Sequence[Filled]) -> Work:
        """What is done, for people and for lineage."""
        sources = sorted({f"source/{name}" for one in batch for turns in one.turns.values() for name in turns})
        more = f" and {len(batch) - 1} more" if len(batch) > 1 else ""
        return replace(
            draft.work,
            what=f"backfill {batch[0].hole}{more}",
            lineage={"read": sources, "wrote": [named(self._view)]},
        )

    def _with(self, table: FeatureTable, chunk: Chunk, filled: Filled, token: str) -> FeatureTable:
        """The table with a chunk as it is from now on, whose note is still to be put."""
        columns = {**table.columns, **{name: filled.hashes[name] for name in filled.hole.features}}
        note = self._here.notes.name(token, chunk.note())
        self._chunks.keep(note, chunk)
        return replace(table, columns=columns, chunks={**table.chunks, chunk.id: note})

    def _table(self, head: Entry) -> FeatureTable:
        """The view's table at the head; without its chunks if their keys were of other types."""
        table = table_of(head, self._here, self._view) or FeatureTable(self._before.name, self._keys)
        if table.name != self._before.name:
            raise Conflict(f"view {self._view!r} was renamed meanwhile. Try again.")
        return table if self.fits(table) else FeatureTable(table.name, self._keys)

    def fits(self, table: FeatureTable) -> bool:
        """Whether a table has the view's keys. Where they changed it begins anew."""
        return dict(table.keys) == self._keys

    def _held(self, table: FeatureTable, hole: Hole) -> Chunk | None:
        """The chunk that the hole is in or that it replaces. `Conflict` if another filled the stretch meanwhile."""
        mine = chunk_id(hole.grid, hole.first if hole.grid.spine else hole.start)
        for id, note in table.chunks.items():
            if not id.startswith(f"{hole.grid.id}/"):
                continue
            chunk = self._chunks.get(note)
            same = hole.chunk is not None and chunk.keys == hole.chunk.keys
            kept = self._before.chunks.get(id) == note and hole.chunk is None
            if _meets(chunk, hole) and not (id == mine and (same or kept)):
                raise Conflict(f"another backfill filled {hole} meanwhile.")
        if mine in table.chunks:
            return self._chunks.get(table.chunks[mine])
        if hole.chunk is not None:
            raise Conflict(f"the rows of {hole} were removed meanwhile.")
        return None

    def _chunk(self, table: FeatureTable, held: Chunk | None, filled: Filled, files: Files) -> Chunk:
        """The chunk from now on."""
        hole, entry = filled.hole, self._base.number
        columns = {
            version: Column(name, _path(part), entry, filled.turns[name])
            for version, (name, part) in files.columns.items()
        }
        if filled.keys is None:
            assert held is not None, "a hole without rows of its own lies in a chunk"
            return replace(held, columns={**held.columns, **columns})
        keys = Column("", _path(files.keys), entry, filled.key_turns)
        rows = filled.keys.height
        return Chunk(table.name, hole.grid, hole.start, hole.end, filled.last, rows, keys, columns, hole.first)

    def _version(
        self, table: FeatureTable, schema: pa.Schema, stretches: dict[str, Stretch], draft: Path
    ) -> Version | None:
        """The version that has these files."""
        if not stretches:
            return None
        made = self._here.tables.version(table.place, schema, list(stretches.values()), draft)
        self._last = made, schema, stretches
        return made

    def _opened(self, table: FeatureTable) -> tuple[pa.Schema, dict[str, Stretch]]:
        """Schema and stretches of a version: of the one made last as it was made, as opening costs as much as there are files."""
        if table.version is None:
            return pa.schema([]), {}
        if self._last is not None and self._last[0] == table.version:
            return self._last[1], dict(self._last[2])
        return self._here.tables.opened(table.place, table.version)[0], stretches_of(self._here, table)


def _list(stretches: dict[str, Stretch], held: Chunk | None, files: Files) -> None:
    """List new files beside those that their chunk has already, or in the place of older ones."""
    mine = stretches.pop(held.keys.file, None) if held is not None else None
    stale = {column.file for version, column in held.columns.items() if version in files.columns} if held else ()
    kept = () if mine is None or files.keys is not None else mine.parts
    parts = (*(part for part in kept if part.path not in stale), *files.parts)
    if files.parts:
        keys = _path(files.keys) or (held.keys.file if held is not None else "")
        stretches[keys] = Stretch(parts, parts[0].rows)


def _path(part: DataPart | None) -> str:
    """Where a file is; "" where none was needed."""
    return "" if part is None else part.path


def _meets(chunk: Chunk, hole: Hole) -> bool:
    """Whether they share rows of their grid."""
    if hole.grid.spine is not None:
        return chunk.first == hole.first
    return chunk.start < hole.end and hole.start < chunk.end
