"""Compaction: the files of each place become one again, sorted. Rows stay as they are, so nothing that was computed of them is stale."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from ..engine.errors import Conflict, NotFound
from .entry import begun
from .grown import files_of, joined
from .lost import looked_again
from .placed import WRITERS, batches, in_order, stem, where
from .ports import Entry, Here, Moved, Stretch
from .source_note import SourceState, named, place_of, state_of

_ATTEMPTS = 20
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
        for _ in range(_ATTEMPTS):
            base = here.ledger.head()
            state = state_of(base, here.notes, source)
            if state is None:
                raise NotFound(f"source {source!r} has no rows in this store. Call store.ingest(...) first.")
            with looked_again(here.ledger):
                entry, before, after = _attempt(here, base, state)
            if entry is not None:
                return Compacted(source, before, after, state.rows, entry.number, time.perf_counter() - started)
    raise Conflict(f"{_ATTEMPTS} other writers of {source!r} came first. Try again.")


def _attempt(here: Here, base: Entry, state: SourceState) -> tuple[Entry | None, int, int]:
    """The entry, None if the files were replaced meanwhile; and how many files there were and are."""
    old = files_of(here, state)
    many = {table: _several(stretches) for table, stretches in old.items()}
    gone = {table: {_path(one) for place in places for one in place} for table, places in many.items()}
    before, less = sum(map(len, old.values())), sum(len(gone[table]) - len(many[table]) for table in many)
    if not less:
        return here.ledger.vouch(base), before, before
    work = begun("compact", f"compact {state.name}", wrote=[named(state.name)])
    with here.folder.draft(work.token) as draft:
        made = {table: merged(here, state, table, places, None, draft, work.token) for table, places in many.items()}
        here.tables.take_in(draft)

        def change(head: Entry) -> Moved:
            now = state_of(head, here.notes, state.name)
            found = files_of(here, now)
            if now is None or any(not gone[table] <= {_path(one) for one in found.get(table, ())} for table in gone):
                raise Conflict(f"the files of {state.name!r} were replaced meanwhile.")
            table, version = next(iter(now.tables.items()))
            schema = here.tables.opened(place_of(state.name, table), version.version)[0]
            kept = {table: [one for one in found[table] if _path(one) not in gone[table]] for table in found}
            both = {table: [*made[table], *kept[table]] for table in found}
            told = joined(here, now, both, schema, draft)
            return Moved({named(state.name): here.notes.put(work.token, told.note())})

        try:
            return here.ledger.commit(base, work, change), before, before - less
        except Conflict:
            return None, before, before


def rewritten(here: Here, state: SourceState, schema: pa.Schema, draft: Path, token: str) -> dict[str, list[Stretch]]:
    """All rows of a source in files with the columns of another schema, one for each place."""
    return {
        table: merged(here, state, table, _places(stretches), schema, draft, token)
        for table, stretches in files_of(here, state).items()
    }


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
        part = here.tables.write(folder, stem(*where(_path(place[0]))), batches(found, wanted), wanted, draft, token)
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
        found.setdefault(where(_path(stretch)), []).append(stretch)
    return list(found.values())


def _several(stretches: Sequence[Stretch]) -> list[list[Stretch]]:
    return [place for place in _places(stretches) if len(place) > 1]


def _path(stretch: Stretch) -> str:
    return stretch.parts[0].path
