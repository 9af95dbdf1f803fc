"""Which rows of a source its tables have already, decided a share of the row ids at a time, so that it fits the memory however many there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

import numpy as np
import polars as pl

from ...engine.folds.column import Index, Mask
from ...engine.folds.hashing import key_hashes
from ...engine.folds.rows import SEQUENCE
from ...engine.language.source import SourceSpec
from ...engine.record import record
from ..ports import Here
from .fresh import CONTENT, Fresh, fresh, needed, surely_different
from .layout import times
from .source_note import SourceState, place_of

_BYTES_A_ROW = 120  # what `fresh` takes for a row it looks at, stored or given


@record
class New:
    """The sequence numbers of given rows that are new, how many were there already, and how many of the new ones are further versions of a row."""

    numbers: Sequence[pl.Series]
    duplicates: int
    corrections: int

    def mark(self, kept: Mask, first: int) -> None:
        """Say of each row whether it is new, where every second number from `first` on was given."""
        for part in self.numbers:
            if len(part) == len(kept):
                kept[:] = True
            else:
                kept[(part.to_numpy() - first) >> 1] = True


def new_rows(
    here: Here, spec: SourceSpec, state: SourceState | None, given: pl.DataFrame, tail: pl.DataFrame, memory: int
) -> New:
    """Which of the given rows (what `needed` names) neither the tables nor the tail of the log hold."""
    numbers, duplicates, corrections = [], 0, 0
    stored = 0 if state is None else state.rows
    if not stored and tail.is_empty() and spec.row_id and surely_different(given[spec.row_id]):
        return New([given[SEQUENCE]], 0, 0)
    shares = max(1, -(-(stored + tail.height + given.height) * _BYTES_A_ROW // memory))
    for share in range(shares):
        held = chain(stored_rows(here, state, needed(spec), given), [tail])
        parts = [_share(spec, part, share, shares) for part in held]
        found = fresh(spec, pl.concat(parts), _share(spec, given, share, shares), snapshot=True)
        duplicates, corrections = duplicates + found.duplicates, corrections + found.corrections
        numbers.append(found.rows[SEQUENCE])
    return New(numbers, duplicates, corrections)


def new_pushes(here: Here, spec: SourceSpec, state: SourceState | None, rows: pl.DataFrame) -> Fresh:
    """Which rows of the log the tables do not hold."""
    if spec.row_id is None or not rows.height:
        return Fresh(rows, 0, 0)
    ids = rows.select(spec.row_id).unique()
    held = (part.join(ids, on=spec.row_id, how="semi") for part in stored_rows(here, state, needed(spec), rows))
    empty = rows.clear().select(needed(spec))
    return fresh(spec, pl.concat([empty, *held]), rows, snapshot=False)


def stored_rows(
    here: Here, state: SourceState | None, columns: Sequence[str], like: pl.DataFrame | None = None
) -> Iterator[pl.DataFrame]:
    """The columns of all rows that the tables hold, some at a time, in the types that `like` has."""
    if state is None or not state.rows:
        return
    name, table = next(iter(state.tables.items()))
    for batch in here.tables.batches(place_of(state.name, name), table.version, columns):
        rows: Any = pl.from_arrow(batch)
        unlike = [] if like is None else [column for column in columns if rows.schema[column] != like.schema[column]]
        yield (
            rows.with_columns(rows[column].cast(like.schema[column]) for column in unlike) if like is not None else rows
        )


def least_time(here: Here, state: SourceState | None, ids: pl.Series) -> int | None:
    """The least event time of the versions that the tables hold of some rows."""
    found = []
    if state is None or not len(ids):
        return None
    row_id, when = state.layout["row_id"], state.layout["event_time"]
    wanted = ids.unique().to_frame(row_id)
    for rows in stored_rows(here, state, [row_id, when]):
        if rows.schema[row_id] != wanted.schema[row_id]:
            rows = rows.with_columns(rows[row_id].cast(wanted.schema[row_id]))
        versions = rows.join(wanted, on=row_id, how="semi")
        if versions.height:
            found.append(int(times(state.name, state.layout, versions).min()))
    return min(found, default=None)


def first_change(when: Index, known: Index | None, corrections: int, old: int | None) -> int:
    """The least time from which answers may differ once rows of these times have arrived; `old` is that of versions they replace. There is at least one."""
    if known is not None:
        return int(known.min() if corrections else np.maximum(when, known).min())
    return int(when.min()) if old is None else min(int(when.min()), old)


def _share(spec: SourceSpec, rows: pl.DataFrame, share: int, shares: int) -> pl.DataFrame:
    """The rows of one of the shares; all versions of a row are in one."""
    if shares == 1:
        return rows
    by = key_hashes(rows.select(spec.row_id or CONTENT))
    return rows.filter(pl.Series(by % np.uint64(shares) == share))
