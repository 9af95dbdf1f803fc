"""Compaction: the files of each place become one again, sorted. Rows stay as they are, so nothing that was computed of them is stale."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from ...engine.errors import Conflict, NotFound
from ..ledger.entry import begun
from ..ledger.start_over import committing, losing, until_done
from ..ports import Entry, Here, Moved, Stretch
from ..tables.grown import files_of, joined
from .placed import WRITERS, batches, in_order, stem, where
from .source_note import SourceState, named, place_of, state_of

_MANY = 8  # files of a place, before those that are small are made one
_TINY = 4_096  # rows
Files = Mapping[str, Sequence[Stretch]]


@dataclass(frozen=True)
class Compacted:
    """How many files a source had and has, of how many rows. `version` is the entry that says so."""

    source: str
    before: int
    after: int
    rows: int
    version: int
    seconds: float

    def __str__(self) -> str:
        return f"compacted {self.source}: {self.before:,} files are {self.after:,} now, {self.rows:,} rows, {self.seconds:.1f} s"


def compacted(here: Here, source: str) -> Compacted:
    """One file for each place of a source's tables again; safe to repeat, and beside whatever else is written."""
    started = time.perf_counter()
    with here.folder.turn(f"ingest-{source}"):
        done = until_done(lambda: _attempt(here, source), source)
    return replace(done, seconds=time.perf_counter() - started)


@dataclass(frozen=True)
class Rewritten:
    """New files of each table, and the paths of those whose rows they have."""

    made: Mapping[str, Sequence[Stretch]]
    gone: Mapping[str, set[str]]

    def among(self, files: Files) -> dict[str, list[Stretch]]:
        """The files of a source with the new ones in the place of those that are gone; `Conflict` where these were replaced already."""
        for table, paths in self.gone.items():
            if not paths <= {path_of(one) for one in files.get(table, ())}:
                raise Conflict("files were replaced by another writer meanwhile.")
        kept = {
            table: [one for one in found if path_of(one) not in self.gone.get(table, ())]
            for table, found in files.items()
        }
        return {table: [*self.made.get(table, ()), *found] for table, found in kept.items()}


def _attempt(here: Here, source: str) -> Compacted:
    """One try on the store as it stands."""
    base = here.ledger.head()
    state = state_of(base, here.notes, source)
    if state is None:
        raise NotFound(f"source {source!r} has no rows in this store. Call store.ingest(...) first.")
    with losing(here.ledger):
        old = files_of(here, state)
        many = {table: [place for place in _places(stretches) if len(place) > 1] for table, stretches in old.items()}
        before = sum(map(len, old.values()))
        after = before - sum(len(place) - 1 for places in many.values() for place in places)
        entry = _committed(here, base, state, many) if after < before else here.ledger.vouch(base)
    return Compacted(source, before, after, state.rows, entry.number, 0.0)


def _committed(here: Here, base: Entry, state: SourceState, many: Mapping[str, list[list[Stretch]]]) -> Entry:
    """The entry of files that were made one."""
    work = begun("compact", f"compact {state.name}", wrote=[named(state.name)])
    with here.folder.draft(work.token) as draft:
        done = _merged_all(here, state, many, None, draft, work.token)
        here.tables.take_in(draft)

        def change(head: Entry) -> Moved:
            now = state_of(head, here.notes, state.name)
            both = done.among(files_of(here, now))
            if now is None:
                raise Conflict(f"source {state.name!r} is gone.")
            table, known = next(iter(now.tables.items()))
            schema = here.tables.opened(place_of(state.name, table), known.version)[0]
            told = joined(here, now, both, schema, draft)
            return Moved({named(state.name): here.notes.put(work.token, told.note())})

        with committing():
            return here.ledger.commit(base, work, change)


def tidied(here: Here, state: SourceState, schema: pa.Schema, draft: Path, token: str) -> Rewritten:
    """The small files of places that have many as one file each. Large ones are left alone, so that writing stays cheap."""
    many = {
        table: [small for place in _places(stretches) if len(place) >= _MANY and len(small := _small(place)) > 1]
        for table, stretches in files_of(here, state).items()
    }
    return _merged_all(here, state, many, schema, draft, token)


def _small(place: Sequence[Stretch]) -> list[Stretch]:
    """The files of a place but for those that have more rows than all smaller ones together: each row is rewritten few times that way."""
    rising = sorted(place, key=lambda one: one.rows)
    rows, small = 0, set()
    for one in rising:
        if one.rows > max(rows, _TINY):
            break
        rows += one.rows
        small.add(path_of(one))
    return [one for one in place if path_of(one) in small]


def rewritten(here: Here, state: SourceState, schema: pa.Schema, draft: Path, token: str) -> Rewritten:
    """All rows of a source in files with the columns of another schema, one for each place."""
    every = {table: _places(stretches) for table, stretches in files_of(here, state).items()}
    return _merged_all(here, state, every, schema, draft, token)


def _merged_all(
    here: Here, state: SourceState, places: Mapping[str, Sequence[Sequence[Stretch]]], schema: pa.Schema | None, draft: Path,
    token: str,
) -> Rewritten:  # fmt: skip
    made = {table: merged(here, state, table, found, schema, draft, token) for table, found in places.items()}
    return Rewritten(
        made, {table: {path_of(one) for place in found for one in place} for table, found in places.items()}
    )


def merged(
    here: Here, state: SourceState, table: str, places: Sequence[Sequence[Stretch]], schema: pa.Schema | None, draft: Path,
    token: str,
) -> list[Stretch]:  # fmt: skip
    """A file for the files of each place, with the columns of the table or of another schema."""
    known, folder = state.tables[table], place_of(state.name, table)
    present = here.tables.opened(folder, known.version)[0]
    wanted = present if schema is None else schema

    def write(place: Sequence[Stretch]) -> Stretch:
        read = here.tables.batches(
            folder, known.version, [name for name in wanted.names if name in present.names], place
        )
        rows = cast(pl.concat(frames(read)), wanted)
        found = in_order(state.name, state.layout, known.keys, rows)
        part = here.tables.write(folder, stem(*where(path_of(place[0]))), batches(found, wanted), wanted, draft, token)
        return Stretch((part,), part.rows)

    with ThreadPoolExecutor(WRITERS) as pool:
        return list(pool.map(write, places))


def frames(found: Iterator[pa.RecordBatch]) -> Iterator[pl.DataFrame]:
    """The rows of a table as Polars has them."""
    for batch in found:
        rows: Any = pl.from_arrow(batch)
        yield rows


def cast(rows: pl.DataFrame, schema: pa.Schema) -> pl.DataFrame:
    """The rows with the columns of a schema, null where they have none."""
    empty: Any = pl.from_arrow(schema.empty_table())
    columns = [
        pl.col(name).cast(dtype) if name in rows.columns else pl.lit(None, dtype=dtype).alias(name)
        for name, dtype in empty.schema.items()
    ]
    return rows.select(columns)


def _places(stretches: Sequence[Stretch]) -> list[list[Stretch]]:
    """The files by place, in their order."""
    found: dict[tuple[int, int], list[Stretch]] = {}
    for stretch in stretches:
        found.setdefault(where(path_of(stretch)), []).append(stretch)
    return list(found.values())


def path_of(stretch: Stretch) -> str:
    """The path of a file, below its table."""
    return stretch.parts[0].path
