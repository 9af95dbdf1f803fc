"""Rows from Arrow: each column in the Polars type of equal values, or refused by its name."""

from __future__ import annotations

from collections import Counter
from typing import Any

import polars as pl
import pyarrow as pa

from ...engine.errors import Invalid, WrongType

# Extension types whose storage says the same.
_SAME_AS_STORED = ("arrow.json", "arrow.uuid", "arrow.bool8", "arrow.fixed_shape_tensor")

# What Polars 2.1 has not; on some of these it panics.
_ABSENT = (
    pa.types.is_union,
    pa.types.is_interval,
    pa.types.is_decimal256,
    pa.types.is_run_end_encoded,
    pa.types.is_list_view,  # nor can pyarrow 26 make lists of them: its cast writes wrong offsets after a null
    pa.types.is_large_list_view,
)


def from_stream(given: Any) -> pl.DataFrame:
    """The rows of whatever gives an Arrow stream. A stream that can be read once and has nothing is refused: it may have been read before."""
    kind = type(given).__name__
    try:
        reader = pa.RecordBatchReader.from_stream(given)
    except pa.ArrowException as error:
        raise WrongType(f"this {kind} has no rows to read: {str(error).splitlines()[0]}") from None
    try:
        batches = list(reader)
    except pa.ArrowException as error:
        raise Invalid(f"this {kind} cannot be read to its end: {str(error).splitlines()[0]}") from error
    if not batches and hasattr(given, "read_next_batch"):
        raise Invalid(
            f"this {kind} has nothing to read. It can be read only once, and may have been: keep nt.Frame(stream) to use it "
            "again, or pass an Arrow table if no rows are meant."
        )
    return from_table(pa.Table.from_batches(batches, reader.schema))


def from_table(table: pa.Table) -> pl.DataFrame:
    """The rows of an Arrow table.

    >>> from_table(pa.table({"a": pa.array([5, 5, 7]).dictionary_encode()})).to_dict(as_series=False)
    {'a': [5, 5, 7]}
    """
    columns = {name: plain(name, table.column(name)) for name in unique(table.column_names)}
    return pl.DataFrame(pl.from_arrow(pa.table(columns)))


def unique(names: list[str]) -> list[str]:
    """The names, or `Invalid` where two are equal."""
    twice = next((name for name, times in Counter(names).items() if times > 1), None)
    if twice is not None:
        raise Invalid(f"two columns are named {twice!r}. Rename one.")
    return names


def plain(name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column in a type that Polars has, with equal values."""
    kind = column.type
    try:
        made = _made_plain(column, kind)
    except pa.ArrowException as error:
        raise Invalid(f"column {name!r} is {kind}, and a value does not fit: {str(error).splitlines()[0]}") from None
    if made is not None:
        return plain(name, made)
    reason = _why_not(kind)
    if reason is not None:
        raise WrongType(f"column {name!r} is {kind}{reason}")
    return column


def _made_plain(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray | None:
    """The column in a plainer type, or None if there is none. Raises where a value does not fit."""
    if pa.types.is_run_end_encoded(kind):
        import pyarrow.compute as pc  # only here: it takes 35 ms to load

        return pa.chunked_array([pc.run_end_decode(chunk) for chunk in column.chunks], kind.value_type)
    if pa.types.is_dictionary(kind) and not _is_text(kind.value_type):
        return pa.chunked_array([chunk.dictionary_decode() for chunk in column.chunks], kind.value_type)
    if isinstance(kind, pa.BaseExtensionType) and kind.extension_name in _SAME_AS_STORED:
        stored = pa.chunked_array([chunk.storage for chunk in column.chunks], kind.storage_type)
        return stored.cast(pa.bool_()) if kind.extension_name == "arrow.bool8" else stored
    return _fitted(column, kind)


def _fitted(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray | None:
    """Types that are finer, wider or stranger than Polars has them."""
    if pa.types.is_decimal256(kind):
        return column.cast(pa.decimal128(38, kind.scale))
    if pa.types.is_timestamp(kind) and kind.unit == "s":
        return column.cast(pa.timestamp("ms", kind.tz))
    if pa.types.is_duration(kind) and kind.unit == "s":
        return column.cast(pa.duration("ms"))
    # Polars knows whole hours and zones by name; of other offsets the instants are kept.
    if pa.types.is_timestamp(kind) and kind.tz and kind.tz[0] in "+-" and not kind.tz.endswith(":00"):
        return column.cast(pa.timestamp(kind.unit, "UTC"))
    return None


def _why_not(kind: pa.DataType) -> str | None:
    """Why a type is refused and what to do, or None where Polars has it."""
    if isinstance(kind, pa.BaseExtensionType):
        return ", a type of another library. Cast it to what it is stored as, or drop it."
    if pa.types.is_dictionary(kind):
        return _why_not(kind.value_type)
    if pa.types.is_timestamp(kind) and kind.tz and not _is_zone(kind.tz):
        return ", and there is no such time zone. Convert the column to UTC."
    if not _in_polars(kind):
        return ", a type that Polars does not support. Cast it, or drop it."
    inner = [_why_not(kind.field(place).type) for place in range(kind.num_fields)]
    return next((reason for reason in inner if reason is not None), None)


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _is_zone(zone: str) -> bool:
    try:
        pl.Series([0]).cast(pl.Datetime("us", "UTC")).dt.convert_time_zone(zone)
    except pl.exceptions.PolarsError:
        return zone[0] in "+-"
    return True


def _in_polars(kind: pa.DataType) -> bool:
    return not any(test(kind) for test in _ABSENT) and not (pa.types.is_decimal(kind) and kind.scale < 0)
