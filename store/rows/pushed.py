"""Pushed rows, checked against their source before anything is written, and as they are read back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np
import polars as pl

from ...engine.errors import Invalid, UnknownColumn, WrongType, did_you_mean
from ...engine.language.duration import written
from ...engine.language.instant import instants
from ...engine.language.source import SourceSpec
from ..sources.conform import conformed
from ..sources.frame import as_frame


def checked(spec: SourceSpec, rows: Any, now: int) -> pl.DataFrame:
    """The rows as they are stored: every column of the source, in its order and types.

    `rows` is a frame, a mapping of columns, one row or a list of rows; times may be ISO text. A row without known_time is known from `now`
    (microseconds UTC). Columns that are only known later (`known_after`) may be missing. Anything else missing, unknown columns, wrong types, null
    event times and events too far ahead of `now` are refused.
    """
    frame = as_frame(rows)
    _check_names(spec, frame)
    zone = spec.time_zone or "UTC"
    columns = [_column(spec, frame, name, dtype, zone, now) for name, dtype in spec.schema.items()]
    out = pl.DataFrame(columns)
    times = instants(
        out[spec.event_time], f"{spec.name}.{spec.event_time}", time_zone=spec.time_zone, available=spec.available
    )
    if spec.max_ahead is not None and len(times) and times.max() > now + spec.max_ahead:
        row = int(np.argmax(times))
        ahead = written((int(times[row]) - now) // 1_000_000 * 1_000_000)
        raise Invalid(
            f"{spec.name}.{spec.event_time} row {row}: {out[spec.event_time][row]} is {ahead} ahead of the clock, more than max_ahead="
            f"'{written(spec.max_ahead)}'. Check the sender's clock and zone; for replays use max_ahead=None."
        )
    return out


def declared(rows: pl.DataFrame, schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """Rows that were pushed by another definition of their source in the columns and types of this one; what they do not have is null."""
    if rows.schema == schema:
        return rows
    missing = [pl.lit(None, dtype=dtype).alias(name) for name, dtype in schema.items() if name not in rows.columns]
    unlike = [name for name, dtype in schema.items() if name in rows.columns and rows.schema[name] != dtype]
    typed = [conformed(rows[name], schema[name], name) for name in unlike]
    return rows.with_columns(*missing, *typed).select(list(schema))


def _check_names(spec: SourceSpec, frame: pl.DataFrame) -> None:
    unknown = [name for name in frame.columns if name not in spec.schema]
    if unknown:
        raise UnknownColumn(
            f"source {spec.name!r} has no column {unknown[0]!r}. {did_you_mean(unknown[0], spec.schema)} Nothing was written."
        )
    needed = set(spec.schema) - {spec.known_time} - set(spec.known_after)
    missing = sorted(needed - set(frame.columns))
    if missing:
        raise UnknownColumn(
            f"a push to {spec.name!r} lacks column {missing[0]!r}; it has {frame.columns}. Use None for an unknown value. Nothing was written."
        )


def _column(spec: SourceSpec, frame: pl.DataFrame, name: str, dtype: pl.DataType, zone: str, now: int) -> pl.Series:
    what = f"{spec.name}.{name}"
    if name not in frame.columns:
        column = pl.Series(name, [None] * frame.height, dtype=dtype)
    else:
        column = frame[name]
        if column.dtype != dtype:
            column = conformed(_times_of(column, what) if dtype.is_temporal() else column, dtype, what, zone)
    if name == spec.known_time and column.null_count():
        return column.fill_null(_moment(now, dtype, zone))
    return column


def _times_of(column: pl.Series, what: str) -> pl.Series:
    """Times given as text; any other column as it is."""
    if not isinstance(column.dtype, pl.String):
        return column
    moments = [None if text is None else _parsed(text, what, row) for row, text in enumerate(column.to_list())]
    zoned = {moment.tzinfo is not None for moment in moments if moment is not None}
    if len(zoned) > 1:
        raise Invalid(f"{what} has times with and without a zone. Give all of them one.")
    plain = [moment if moment is None or moment.tzinfo is None else moment.astimezone(UTC) for moment in moments]
    return pl.Series(column.name, plain, dtype=pl.Datetime("us", "UTC" if zoned == {True} else None))


def _parsed(text: str, what: str, row: int) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise WrongType(f"{what} row {row}: {text!r} is not a time. Write it as 2026-11-05T09:30:00Z.") from None


def _moment(now: int, dtype: pl.DataType, zone: str) -> Any:
    """An instant as a value of a column of times."""
    moment = pl.Series([now]).cast(pl.Datetime("us", "UTC")).dt.convert_time_zone(zone)
    if isinstance(dtype, pl.Date):
        return moment.dt.date()[0]
    return conformed(moment, dtype, "known_time", zone)[0]
