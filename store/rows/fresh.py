"""Which rows are new to a table: not those it holds already, by row_id and content."""

from __future__ import annotations

import numpy as np
import polars as pl

from ...engine.folds.hashing import content_hashes, key_hashes
from ...engine.folds.positions import rises
from ...engine.folds.rows import SEQUENCE
from ...engine.language.source import SourceSpec
from ...engine.record import record

CONTENT = "__content"


@record
class Fresh:
    """The rows to store, how many were there already, and how many are further versions of a row that was."""

    rows: pl.DataFrame
    duplicates: int
    corrections: int


def with_content(spec: SourceSpec, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with a hash of what they say."""
    return rows.with_columns(pl.Series(CONTENT, content_hashes(rows.select(list(spec.schema)))))


def needed(spec: SourceSpec) -> list[str]:
    """What of stored rows `fresh` looks at."""
    return [*([spec.row_id] if spec.row_id else []), CONTENT, SEQUENCE]


def fresh(spec: SourceSpec, stored: pl.DataFrame, rows: pl.DataFrame, *, snapshot: bool) -> Fresh:
    """The rows (in sequence order) that `stored` does not hold.

    A `snapshot` is a source read whole; otherwise the rows are pushes, which the log holds once each. Without row_id a row of a snapshot is
    known by its content: what is stored as often as it is given is not new. With row_id and known_time every version (row_id, content) is
    stored once. Without known_time a version is new if it differs from the one before it; of a snapshot only the last row of a row_id counts.
    """
    if spec.row_id is None:
        return _uncounted(stored, rows) if snapshot else Fresh(rows, 0, 0)
    nameless = rows[spec.row_id].is_null()
    if nameless.any():
        others = stored.filter(stored[spec.row_id].is_null())
        alone = _uncounted(others, rows.filter(nameless)) if snapshot else Fresh(rows.filter(nameless), 0, 0)
        named = fresh(spec, stored.drop_nulls(spec.row_id), rows.filter(~nameless), snapshot=snapshot)
        both = pl.concat([alone.rows, named.rows]).sort(SEQUENCE)
        return Fresh(both, alone.duplicates + named.duplicates, named.corrections)
    if not stored.height and all_different(rows[spec.row_id]):
        return Fresh(rows, 0, 0)
    return (
        _new_versions(spec.row_id, stored, rows)
        if spec.known_time
        else _changed(spec.row_id, stored, rows, snapshot=snapshot)
    )


def is_settled(spec: SourceSpec, arrived: Fresh) -> bool:
    """Whether each of the rows that arrived is the only version of itself, and none is deleted."""
    if spec.row_id is None:
        return True
    deletes = spec.deleted is not None and bool(arrived.rows[spec.deleted].any())
    return not deletes and not arrived.corrections and all_different(arrived.rows[spec.row_id].drop_nulls())


def all_different(ids: pl.Series) -> bool:
    """Whether no value appears twice."""
    return surely_different(ids) or bool(ids.is_unique().all())


def surely_different(ids: pl.Series) -> bool:
    """Whether it is plain that no value appears twice: numbers rise, or all have different hashes. Needs no table of the values."""
    if ids.dtype == pl.Int64 and len(ids) and not ids.null_count() and rises(ids.to_numpy()):
        return True
    hashes = np.sort(key_hashes(ids.to_frame()))
    return bool((hashes[1:] != hashes[:-1]).all())


def _uncounted(stored: pl.DataFrame, rows: pl.DataFrame) -> Fresh:
    """Rows beyond as many of their content as are stored."""
    if not stored.height:
        return Fresh(rows, 0, 0)
    counts = stored.group_by(CONTENT).agg(pl.len().alias("__stored"))
    given = rows.with_columns(pl.int_range(pl.len()).over(CONTENT).alias("__nth")).join(
        counts, on=CONTENT, how="left", maintain_order="left"
    )
    new = given.filter(pl.col("__nth") >= pl.col("__stored").fill_null(0)).drop("__nth", "__stored")
    return Fresh(new, rows.height - new.height, 0)


def _new_versions(row_id: str, stored: pl.DataFrame, rows: pl.DataFrame) -> Fresh:
    new = rows.unique([row_id, CONTENT], keep="first", maintain_order=True)
    new = new.join(stored, on=[row_id, CONTENT], how="anti", maintain_order="left")
    known = new[row_id].is_in(stored[row_id].implode()) | ~new[row_id].is_first_distinct()
    return Fresh(new, rows.height - new.height, int(known.sum()))


def _changed(row_id: str, stored: pl.DataFrame, rows: pl.DataFrame, *, snapshot: bool) -> Fresh:
    last = rows.unique(row_id, keep="last", maintain_order=True) if snapshot else rows
    latest = _latest(row_id, stored.join(last.select(row_id), on=row_id, how="semi"))
    before = _before(row_id, latest, last)
    changed = (before.is_null() | (before != last[CONTENT])).fill_null(True)
    new = last.filter(changed)
    return Fresh(new, rows.height - new.height, int((changed & before.is_not_null()).sum()))


def _latest(row_id: str, stored: pl.DataFrame) -> pl.DataFrame:
    """The content of the last version of each row_id."""
    single = stored[row_id].is_unique().all()
    return (stored if single else stored.sort(SEQUENCE).unique(row_id, keep="last")).select(row_id, CONTENT)


def _before(row_id: str, latest: pl.DataFrame, rows: pl.DataFrame) -> pl.Series:
    """The content of the version before each row, null for the first one."""
    if rows[row_id].is_unique().all():
        return rows.select(row_id).join(latest, on=row_id, how="left", maintain_order="left")[CONTENT]
    both = pl.concat([latest, rows.select(row_id, CONTENT)])
    return both.select(pl.col(CONTENT).shift(1).over(row_id)).to_series()[latest.height :]
