"""The tables of a source with more rows: new files beside those there are, in a draft that no reader sees."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl
import pyarrow as pa

from ...engine.folds.column import Index
from ...engine.language.source import SourceSpec
from ...engine.running.packed import Packed
from ..ports import Here, Stretch
from ..rows.known_rows import first_change
from ..rows.layout import keyed, known_times, times
from ..rows.placed import Places, laid_aside, stored, where
from ..rows.source_note import SourceState, TableNote, place_of

_NEVER = 2**62


@dataclass
class Grown:
    """New files of each table, and what their rows say of the source."""

    stretches: dict[str, list[Stretch]] = field(default_factory=dict)
    rows: int = 0
    late: int = 0  # older than the watermark
    watermark: int | None = None
    first: int = _NEVER  # from when on answers may differ
    happened: int = _NEVER  # when the first of them happened
    deletes: bool = False
    ids: list[pl.Series] = field(
        default_factory=list
    )  # of rows that may have versions before, if there are corrections

    def saw(self, spec: SourceSpec, state: SourceState, rows: pl.DataFrame, when: Index, corrections: int) -> None:
        """Note what some rows say."""
        known = known_times(spec.name, state.layout, rows)
        self.rows += rows.height
        self.late += 0 if state.watermark is None else int((when < state.watermark).sum())
        self.watermark = max(int(when.max()), self.watermark if self.watermark is not None else int(when.max()))
        self.happened = min(self.happened, int(when.min()))
        self.first = min(self.first, first_change(when, known, corrections, None))
        self.deletes |= spec.deleted is not None and bool(rows[spec.deleted].any())
        if corrections and spec.row_id is not None:
            self.ids.append(rows[spec.row_id])


def grown(
    here: Here, spec: SourceSpec, state: SourceState, portions: Iterable[pl.DataFrame], slabs: Index, schema: pa.Schema,
    draft: Path, token: str, *, corrections: int, in_memory: bool, wrote: Callable[[int], None],
) -> Grown:  # fmt: skip
    """New files for rows in portions; where these are not all in memory each is laid aside, by place, until all have come."""
    done = Grown({table: [] for table in keyed(state.layout)})
    places = {table: Places(state, table, tuple(keys), slabs) for table, keys in keyed(state.layout).items()}
    aside: dict[str, list[Packed]] = {table: [] for table in places}
    for number, rows in enumerate(portions):
        when = times(spec.name, state.layout, rows)
        done.saw(spec, state, rows, when, corrections)
        for table, place in places.items():
            packed = place.packed(rows, when)
            if in_memory:
                done.stretches[table] = stored(here, place, [packed], schema, draft, token, wrote)
            else:
                aside[table].append(laid_aside(packed, draft / f"{table}.{number}.arrow"))
            del packed
    for table, parts in aside.items():
        if parts:
            done.stretches[table] = stored(here, places[table], parts, schema, draft, token, wrote)
    return done


def joined(
    here: Here, state: SourceState, stretches: Mapping[str, Sequence[Stretch]], schema: pa.Schema, draft: Path
) -> SourceState:
    """The state of a source whose tables have exactly these files, by bucket and slab, then by age."""
    tables = {}
    for table, keys in keyed(state.layout).items():
        ordered = sorted(stretches[table], key=lambda stretch: where(stretch.parts[0].path))
        version = here.tables.version(place_of(state.name, table), schema, ordered, draft)
        tables[table] = TableNote(tuple(keys), version)
    return replace(state, tables=tables)


def files_of(here: Here, state: SourceState | None) -> dict[str, tuple[Stretch, ...]]:
    """The files of each table of a source."""
    tables = {} if state is None else state.tables
    return {
        name: here.tables.opened(place_of(state.name, name), table.version)[1]
        for name, table in tables.items()
        if state
    }
