"""Compaction of rows: the files of each place become one again, sorted. The turn stays, so nothing that was computed of them is stale."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from ...engine.errors import Conflict, NotFound
from ...engine.record import record
from ..ports import Change, Entry, Here, Moved, Stretch
from ..tables.compaction import Plan
from ..tables.grown import files_of, joined
from .placed import WRITERS, batches, in_order, stem, where
from .source_note import SourceState, named, place_of, state_of

_MANY = 8  # files of a place, before those that are small are made one
_TINY = 4_096  # rows
Files = Mapping[str, Sequence[Stretch]]


def planned(here: Here, source: str, base: Entry) -> Plan:
    """One file for each place of a source's tables again, as they stand at an entry."""
    state = state_of(base, here.notes, source)
    if state is None:
        raise NotFound(f"source {source!r} has no rows in this store. Call store.ingest(...) first.")
    old = files_of(here, state)
    many = {table: [place for place in _places(stretches) if len(place) > 1] for table, stretches in old.items()}
    before = sum(map(len, old.values()))
    after = before - sum(len(place) - 1 for places in many.values() for place in places)
    return Plan(before, after, state.rows, partial(_written, here, state, many) if after < before else None)


@record
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


def _written(
    here: Here, state: SourceState, many: Mapping[str, list[list[Stretch]]], draft: Path, token: str
) -> Change:
    """Make the files of places one; the change holds on each head that has them still."""
    done = _merged_all(here, state, many, None, draft, token)

    def change(head: Entry) -> Moved:
        now = state_of(head, here.notes, state.name)
        both = done.among(files_of(here, now))
        if now is None:
            raise Conflict(f"source {state.name!r} is gone.")
        table, known = next(iter(now.tables.items()))
        schema = here.tables.opened(place_of(state.name, table), known.version)[0]
        return Moved({named(state.name): here.notes.put(token, joined(here, now, both, schema, draft).note())})

    return change


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
