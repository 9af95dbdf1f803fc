"""Compaction of backfilled values: chunks that go on as each other become one, and columns of former definitions that nothing needs are left out.

Nothing is computed, and no hole comes or goes: what was good is said to be good as of the entry that it was looked at, what was stale stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import pyarrow as pa

from ...engine.errors import Conflict, NotFound
from ...engine.record import record
from ..ports import Change, Entry, Here, Moved
from ..rows.placed import WRITERS
from ..tables.compaction import Plan
from . import asked_rows
from .chunks import Chunk
from .column_files import ColumnFiles, files_of, relisted
from .feature_table import AT, Chunks, FeatureTable, column_of, named, states_of, stem_of, stretches_of, table_of
from .joining import good, groups, joined
from .needed import Needed


def planned(here: Here, view: str, base: Entry) -> Plan:
    """Fewer chunks, without columns that nothing needs, for a view's values as they stand at an entry."""
    table = table_of(base, here, view)
    if table is None:
        raise NotFound(f"nothing of view {view!r} was backfilled in this store. Call store.backfill(...) first.")
    job = _Compaction(here, view, base, table)
    return Plan(job.before, job.after, job.rows, job.write if job.steps else None)


@record
class _Step:
    """Chunks as they are held, and the same without columns that are left out, which become one."""

    held: tuple[Chunk, ...]
    group: tuple[Chunk, ...]

    @property
    def changes(self) -> bool:
        """Whether anything becomes of them."""
        return len(self.group) > 1 or self.held != self.group

    @property
    def files(self) -> int:
        """How many files they will have."""
        return max(len(files_of(chunk)) for chunk in self.group)


class _Compaction:
    """What is to be done to the values of a view."""

    def __init__(self, here: Here, view: str, base: Entry, table: FeatureTable) -> None:
        self._here, self._view, self._base, self._table = here, view, base, table
        self._chunks, self._needed = Chunks(here), Needed(here)
        held = self._chunks.of(table)
        self._states = states_of(base, here, held)
        filled = set(table.columns.values())
        former = {version for chunk in held for version in chunk.columns} - filled
        self._dropped = former - self._needed.among(base, former)
        self._current = filled & self._needed.of(base, f"definition/view/{view}", filled)
        every = self._steps({chunk.id: chunk for chunk in held})
        self.steps = [step for step in every if step.changes]
        self.before, self.after = sum(len(files_of(chunk)) for chunk in held), sum(step.files for step in every)
        self.rows = sum(chunk.rows for chunk in held)

    def _steps(self, held: Mapping[str, Chunk]) -> list[_Step]:
        found = groups(map(self._thinned, held.values()), self._states, asked_rows.CHUNK_ROWS)
        return [_Step(tuple(held[chunk.id] for chunk in group), tuple(group)) for group in found]

    def _thinned(self, chunk: Chunk) -> Chunk:
        """A chunk without what nothing needs; nor what is stale of no current definition, as that can only be computed again."""
        kept = {
            version: column
            for version, column in chunk.columns.items()
            if version not in self._dropped and (version in self._current or column.fresh(self._states, chunk.last))
        }
        return replace(chunk, columns=kept)

    def write(self, draft: Path, token: str) -> Change:
        """Write the files of chunks that become one; the change holds on each head that has the old ones, if the new are good there."""
        files = ColumnFiles(self._here, self._table.place, draft, token)
        joining = _Joining(self._here, self._table, files)
        new = [self._made(step.group, joining) for step in self.steps]
        return partial(self._changed, new, files)

    def _made(self, group: Sequence[Chunk], joining: _Joining) -> Chunk:
        if len(group) == 1:
            return group[0]
        return joined(group, joining.written(group), self._states, self._base.number)

    def _changed(self, new: Sequence[Chunk], files: ColumnFiles, head: Entry) -> Moved:
        """The view with the new chunks in the place of the old ones. `Conflict` where others are there, or something is needed again."""
        now = table_of(head, self._here, self._view)
        old = {chunk.id: self._table.chunks[chunk.id] for step in self.steps for chunk in step.held}
        if now is None or now.name != self._table.name or not old.items() <= now.chunks.items():
            raise Conflict(f"values of {self._view} were filled by another meanwhile.")
        self._check(new, head)
        kept = {id: note for id, note in now.chunks.items() if id not in old}
        put = self._here.notes.put_all(files.token, [chunk.note() for chunk in new])
        notes = kept | {chunk.id: note for chunk, note in zip(new, put, strict=True)}
        chunks = [*new, *map(self._chunks.get, kept.values())]
        after = self._listed(replace(now, chunks=notes), now, chunks, files)
        return Moved({named(self._view): self._here.notes.put(files.token, after.note())})

    def _check(self, new: Sequence[Chunk], head: Entry) -> None:
        """Refuse where a column that is left out is needed by now, or where late rows would make more stale than without."""
        if self._needed.among(head, self._dropped):
            raise Conflict(f"a former definition of {self._view} is needed again.")
        states = states_of(head, self._here, new)
        grown = [chunk for chunk, step in zip(new, self.steps, strict=True) if len(step.group) > 1]
        if not all(good(chunk, states) for chunk in grown):
            raise Conflict(f"rows changed under values of {self._view} meanwhile.")

    def _listed(
        self, table: FeatureTable, now: FeatureTable, chunks: Sequence[Chunk], files: ColumnFiles
    ) -> FeatureTable:
        if now.version is None:
            return table
        schema, stretches = self._here.tables.opened(now.place, now.version)
        parts = {part.path: part for stretch in stretches for part in stretch.parts} | files.parts
        fields = {one.name: one for one in schema} | files.fields
        return relisted(self._here, table, chunks, parts, fields, files.draft)


class _Joining:
    """Writes the values of chunks one after another into files, a batch at a time."""

    def __init__(self, here: Here, table: FeatureTable, files: ColumnFiles) -> None:
        self._here, self._table, self._files = here, table, files
        self._stretches = stretches_of(here, table)

    def written(self, group: Sequence[Chunk]) -> dict[str, str]:
        """By hash, "" of the keys, the files of a group; none where it has no rows."""
        held = [chunk for chunk in group if chunk.rows]
        versions = ["", *group[-1].columns] if held else []
        with ThreadPoolExecutor(WRITERS) as pool:
            paths = pool.map(partial(self._column, held), versions)
            return dict(zip(versions, paths, strict=True))

    def _column(self, held: Sequence[Chunk], version: str) -> str:
        """The file of a column, under the name that its feature had last."""
        names = [self._names(chunk, version) for chunk in held]
        schema = self._schema(names[-1])
        stem = stem_of(version) if version else "k"
        return self._files.batches(stem, self._batches(held, names), schema).path

    def _batches(self, held: Sequence[Chunk], names: Sequence[tuple[str, ...]]) -> Iterator[pa.RecordBatch]:
        assert self._table.version is not None, "chunks have rows"
        for wanted, some in groupby(zip(names, held, strict=True), key=itemgetter(0)):
            stretches = [self._stretches[chunk.keys.file] for _, chunk in some]
            for batch in self._here.tables.batches(self._table.place, self._table.version, wanted, stretches):
                yield batch.rename_columns(list(names[-1]))

    def _names(self, chunk: Chunk, version: str) -> tuple[str, ...]:
        return (column_of(chunk.columns[version].feature, version),) if version else (*self._table.keys, AT)

    def _schema(self, names: Sequence[str]) -> pa.Schema:
        assert self._table.version is not None, "chunks have rows"
        whole = self._here.tables.opened(self._table.place, self._table.version)[0]
        return pa.schema([whole.field(name) for name in names])
