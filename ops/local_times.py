"""Naive local times as instants. A naive time column of a source with `time_zone=` passes here wherever an expression reads it."""

from __future__ import annotations

import polars as pl

from ..engine.errors import Invalid, WrongType
from ..engine.folds.column import Column
from ..engine.language.instant import checked_zone, localized
from ..engine.language.map import map_of_columns
from .kinds import DATETIME, accept


def _zoned(dtype: pl.DataType, *, time_zone: str) -> pl.DataType:
    accept("dt.replace_time_zone", DATETIME, dtype)
    if isinstance(dtype, pl.Datetime) and dtype.time_zone is not None:
        raise WrongType(
            f"dt.replace_time_zone takes a Datetime without a zone, got {dtype}, whose instants are known. Cast it to show another zone."
        )
    return pl.Datetime("us", checked_zone(time_zone, "dt.replace_time_zone: time_zone"))


@map_of_columns(name="dt.replace_time_zone", returns=_zoned)
def replace_time_zone(x: Column, *, time_zone: str) -> Column:
    """The instants at which clocks of a time zone show these naive times.

    As with event times, one that such clocks show twice or never raises `Invalid` naming it.
    """
    shown = x.to_series()
    instants = localized(shown, time_zone)
    if instants.null_count() > shown.null_count():
        bad = shown.filter(instants.is_null() & shown.is_not_null())
        raise Invalid(
            f"dt.replace_time_zone: {bad[0]} is ambiguous or does not exist in {time_zone} ({len(bad)} of {len(x)} values). "
            "Give times in UTC."
        )
    return Column.from_series(instants)
