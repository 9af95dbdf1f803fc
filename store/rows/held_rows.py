"""What is kept of a source: the files of its tables, the notes of what it has read and of erased keys; and its rows without those of some keys.

A row is a key's own where the newest of its versions is: then all its versions go. A version that was some key's before the row became another's
goes alone, and the row stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from ...engine.errors import Corrupt, NotFound
from ...engine.folds.column import Mask
from ...engine.folds.rows import SEQUENCE
from ...engine.language.entity import Entity
from ...engine.record import record
from ..ledger.notes import note_path
from ..ports import Damage, Here, Stretch
from ..tables import table_manifest
from ..tables.grown import files_of, joined
from ..tables.lost import LostFile
from ..tables.sums import SUFFIX, Sums
from ..tables.thinned import thinned
from . import sequence
from .compaction import frames
from .erased_keys import erased_note
from .layout import times
from .living import newest
from .source_note import SourceState, place_of

_THEIRS = "__theirs"


class HeldRows:
    """The `Held` of sources."""

    def reaches(self, here: Here, note: Mapping[str, Any]) -> Iterator[str]:
        """Manifests, data files with their sums, and the two notes."""
        state = SourceState.of(note)
        yield from (note_path(one) for one in (state.pieces, state.forgotten) if one is not None)
        for table, facts in state.tables.items():
            yield from here.tables.paths(place_of(state.name, table), facts.version)

    def check(self, here: Here, name: str, note: Mapping[str, Any]) -> Iterator[Damage]:
        """Manifests by their digests, and sums against the files they are of; the files themselves are read by name."""
        state = SourceState.of(note)
        for table, facts in state.tables.items():
            place = place_of(state.name, table)
            manifest = f"{place}/{table_manifest.path_of(facts.version.number)}"
            try:
                _, stretches = here.tables.opened(place, facts.version)
            except Corrupt as error:
                yield Damage(manifest, str(error), ())
                continue
            if sum(stretch.rows for stretch in stretches) != facts.version.rows:
                yield Damage(manifest, f"it does not have the {facts.version.rows:,} rows that it was written with", ())
            yield from damaged_sums(here, place, stretches)

    def mend(self, here: Here, damage: Damage) -> bool:
        """False: rows come back from a backup or the source (mend.py)."""
        return False

    def without(
        self, here: Here, note: Mapping[str, Any], entity: Entity, keys: pl.DataFrame, draft: Path, token: str
    ) -> tuple[Mapping[str, Any], int] | None:
        """The source without the rows of some keys, and with a note of them, so that they do not come back from where it reads."""
        state = SourceState.of(note)
        if entity.name not in state.layout["keys"]:
            return None
        erased = erased_rows(here, state, entity, keys)
        files = files_of(here, state)
        found = {
            table: thinned(here, state, table, stretches, erased.columns, erased.chosen, draft, token)
            for table, stretches in files.items()
        }
        here.tables.take_in(draft)
        upto = max(sequence.now_us(), state.watermark or 0)
        known = None if state.forgotten is None else here.notes.get(state.forgotten)
        told = replace(state, forgotten=here.notes.put(token, erased_note(known, entity.name, erased.keys, upto)))
        gone = next((one.gone for one in found.values()), pl.DataFrame())
        if gone.height:
            first, version = next(iter(state.tables.items()))
            schema = here.tables.opened(place_of(state.name, first), version.version)[0]
            told = told.turned(int(times(state.name, state.layout, gone).min()))
            told = joined(here, told, {table: found[table].of(files[table]) for table in files}, schema, draft)
        return replace(told, rows=state.rows - gone.height).note(), gone.height


@record
class ErasedRows:
    """Which rows go, by some of their columns."""

    columns: tuple[str, ...]
    keys: pl.DataFrame
    id: str | None
    own: pl.Series  # ids of rows that go with all their versions

    def chosen(self, rows: pl.DataFrame) -> Mask:
        """The rows that go."""
        theirs = of_keys(rows, self.keys)
        if self.id is not None and len(self.own):
            theirs |= rows[self.id].is_in(self.own.implode()).fill_null(value=False)
        return theirs.to_numpy()


def erased_rows(here: Here, state: SourceState, entity: Entity, keys: pl.DataFrame) -> ErasedRows:
    """Which rows of a source go with some keys of an entity that it has."""
    layout = state.layout
    columns = layout["keys"][entity.name]
    named = keys.select(columns)
    id = None if state.settled else layout["row_id"]
    asked = dict.fromkeys([*columns, layout["event_time"], *([id] if id else [])])
    own = pl.Series([]) if id is None else _own(here, state, id, named)
    return ErasedRows(tuple(asked), named, id, own)


def _own(here: Here, state: SourceState, id: str, keys: pl.DataFrame) -> pl.Series:
    """The ids of rows whose newest version is of the keys."""
    known = state.layout["known_time"]
    order = [*([known] if known else []), SEQUENCE]
    table, facts = next(iter(state.tables.items()))
    columns = list(dict.fromkeys([id, *keys.columns, *order]))
    found = list(frames(here.tables.batches(place_of(state.name, table), facts.version, columns)))
    if not found:
        return pl.Series([])
    rows = newest(pl.concat(found), id, order)
    return rows.filter(of_keys(rows, keys))[id]


def of_keys(rows: pl.DataFrame, keys: pl.DataFrame) -> pl.Series:
    """Which rows have one of the keys, whatever the width of its numbers."""
    typed = keys.cast({name: rows.schema[name] for name in keys.columns}, strict=False).drop_nulls().unique()
    marked = typed.with_columns(pl.lit(value=True).alias(_THEIRS))
    found = rows.select(keys.columns).join(marked, on=keys.columns, how="left", maintain_order="left")
    return found[_THEIRS].fill_null(value=False)


def damaged_sums(here: Here, place: str, stretches: Sequence[Stretch]) -> Iterator[Damage]:
    """The sums that are missing, damaged, or not those of the file they stand beside."""
    for part in (part for stretch in stretches for part in stretch.parts):
        path = f"{place}/{part.path}"
        try:
            sums = Sums.read(here.folder.get(path + SUFFIX))
        except (NotFound, LostFile, ValueError) as error:
            yield Damage(path + SUFFIX, f"the sums cannot be read: {error}", ())
            continue
        if not sums.are_of(path) or (sums.size, sums.rows) != (part.bytes, part.rows):
            yield Damage(path + SUFFIX, "these are the sums of another file", ())
