"""The rows of a source that exist: of several versions of one the latest, and none that was deleted."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from ...engine.folds.rows import ARRIVAL, SEQUENCE
from ...engine.language.instant import instants
from ...engine.language.source import SourceSpec
from ...engine.plan.pieces import unordered
from ...engine.plan.reader import Reader, TimeBound


def living(
    spec: SourceSpec,
    reader: Reader,
    columns: Sequence[str],
    *,
    known_at: int | None = None,
    bound: TimeBound | None = None,
) -> pl.DataFrame:
    """Columns of the rows that exist now, or as they were known at an instant (microseconds UTC), in sequence order.

    Rows outside a bound may be among them.
    """
    told = [part for part in (spec.row_id, spec.deleted, spec.known_time) if part]
    stamps = [stamp for stamp in (ARRIVAL, SEQUENCE) if stamp in reader.schema()]
    wanted = list(dict.fromkeys([*columns, *told, *stamps]))
    if not getattr(reader, "settled", spec.row_id is None):
        bound = None  # a version outside of it may end one inside
    rows = unordered(reader).read(wanted, bound)
    clock = spec.known_time or (ARRIVAL if known_at is not None and ARRIVAL in stamps else None)
    if known_at is not None and clock is not None:
        rows = rows.filter(_known(spec, rows, clock) <= known_at)
    if spec.row_id is not None:
        rows = latest(spec, rows, stamped=SEQUENCE in stamps)
    if spec.deleted is not None:
        rows = rows.filter(~pl.col(spec.deleted).fill_null(False))
    return (rows.sort(SEQUENCE) if SEQUENCE in stamps else rows).select(columns)


def latest(spec: SourceSpec, rows: pl.DataFrame, *, stamped: bool) -> pl.DataFrame:
    """The last version of each row, by known time and sequence; a row without row_id stands for itself."""
    assert spec.row_id is not None, "only asked where there is one"
    order = [pl.Series("__known", _known(spec, rows, spec.known_time))] if spec.known_time else []
    by = [*(["__known"] if order else []), *([SEQUENCE] if stamped else [])]
    last = newest(rows.with_columns(order), spec.row_id, by).select(rows.columns)
    return pl.concat([last, rows.filter(pl.col(spec.row_id).is_null())])


def newest(rows: pl.DataFrame, row_id: str, by: Sequence[str]) -> pl.DataFrame:
    """Of the rows that have a row_id the last version of each, by some columns or else as they come."""
    named = rows.filter(pl.col(row_id).is_not_null())
    ordered = named.sort(by, maintain_order=True) if by else named
    return ordered.unique(row_id, keep="last", maintain_order=True)


def _known(spec: SourceSpec, rows: pl.DataFrame, column: str) -> pl.Series:
    what, zone = f"{spec.name}.{column}", None if column == ARRIVAL else spec.time_zone
    return pl.Series(instants(rows[column], what, time_zone=zone, available=spec.available))
