"""How a source's rows lie in the store, fixed by its first ingest but for columns that may be added or widened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from ...engine.errors import Conflict, Invalid
from ...engine.folds.column import Index
from ...engine.folds.hashing import HASH_VERSION
from ...engine.language.definition_values import type_json, type_of
from ...engine.language.instant import instants
from ...engine.language.source import SourceSpec
from .source_note import SourceState

BUCKETS = 8
ALL = "_all"  # the table of a source that is about no entity
_ROWS_A_FILE = 250_000
_DAY_US = 86_400_000_000
_LEAST_SPAN_US = 3_600_000_000  # of a first row alone nobody knows how many will follow
_SLAB_DAYS = (3_650, 365, 91, 30, 7, 1)


def layout_of(spec: SourceSpec) -> dict[str, Any]:
    """What of a source decides where its rows lie and which of them exist."""
    return {
        "event_time": spec.event_time,
        "known_time": spec.known_time,
        "row_id": spec.row_id,
        "deleted": spec.deleted,
        "time_zone": spec.time_zone,
        "available": spec.available,
        "keys": {entity.name: list(entity.keys) for entity in spec.entities},
        "columns": {name: type_json(dtype) for name, dtype in spec.schema.items()},
        "hash": HASH_VERSION,
    }


def check_columns(spec: SourceSpec) -> None:
    """Refuse columns that a table cannot have: names of the store's own columns, and those that Lance takes for something else."""
    for name in spec.schema:
        pattern = name == "*" or (name.startswith("^") and name.endswith("$"))  # what Polars takes for several columns
        if not name or pattern or name.startswith(("__", "_row")) or any(sign in name for sign in ".`"):
            raise Invalid(
                f"source {spec.name!r}: a column named {name!r} cannot be stored. Rename it; '.', '`', '*', '^...$', '__...' and '_row...' "
                "are taken."
            )


def check_layout(spec: SourceSpec, state: SourceState, *, live: bool = True) -> None:
    """Refuse to read a source that lies otherwise than it says.

    Columns that were added or widened since a definition was written are no obstacle. A column that the tables do not have yet is refused
    if `live`; of an older version it is null.
    """
    check_rest(spec, state)
    for name, dtype in spec.schema.items():
        if name not in state.layout["columns"]:
            if live:
                raise Conflict(
                    f"source {spec.name!r} has a column {name!r} ({dtype}) that its stored rows do not have. Call store.ingest(...) with it first."
                )
            continue
        stored = type_of(state.layout["columns"][name])
        if not (stored == dtype or widens(dtype, stored) or widens(stored, dtype)):
            raise Conflict(unlike(spec.name, name, stored, dtype))


def check_pushes(spec: SourceSpec, state: SourceState) -> None:
    """Refuse pushes under a definition whose rows the tables could not take as they are. One with fewer columns or narrower types may push."""
    check_rest(spec, state)
    _check_fits(spec, {name: type_of(written) for name, written in state.layout["columns"].items()})


def check_alike(spec: SourceSpec, pushed: Mapping[str, pl.DataType]) -> None:
    """Refuse pushes to a source without tables that have other columns than the rows pushed before, or wider ones."""
    left_out = [name for name in pushed if name not in spec.schema]
    if left_out:
        raise Conflict(
            f"a push to {spec.name!r} comes without column {left_out[0]!r}, which rows pushed before have, and no table yet says what that means. "
            "Call store.drain(...) with the source that has it first. Nothing was written."
        )
    _check_fits(spec, pushed)


def _check_fits(spec: SourceSpec, there: Mapping[str, pl.DataType]) -> None:
    """Refuse pushes with columns or types that the rows there do not have: an older definition could not read them."""
    for name, dtype in spec.schema.items():
        stored = there.get(name)
        if stored is None or widens(stored, dtype):
            raise Conflict(
                f"a push to {spec.name!r} has a column {name!r} ({dtype}), and the rows there have {'none' if stored is None else stored}. "
                "Call store.ingest(...) or store.drain(...) with this source first, which changes them. Nothing was written."
            )
        if not (stored == dtype or widens(dtype, stored)):
            raise Conflict(f"{unlike(spec.name, name, stored, dtype)} Nothing was written.")


def check_rest(spec: SourceSpec, state: SourceState) -> None:
    """Refuse a source of which anything but its columns is otherwise than it was ingested."""
    wanted = layout_of(spec)
    changed = [part for part in wanted if part != "columns" and wanted[part] != state.layout.get(part)]
    if changed:
        part = changed[0]
        raise Conflict(
            f"source {spec.name!r} was ingested with {part}={state.layout.get(part)!r}, now it says {wanted[part]!r}. Its stored rows would mean "
            f"something else. Give the changed source another name, or ingest into another store."
        )


def widens(narrow: pl.DataType, wide: pl.DataType) -> bool:
    """Whether every value of a type is one of a wider type too: Int and UInt of more bits, Float64 for Float32.

    >>> widens(pl.Int32(), pl.Int64()), widens(pl.Int64(), pl.Int32()), widens(pl.UInt8(), pl.Int16())
    (True, False, False)
    """
    families: tuple[tuple[Any, ...], ...] = (
        (pl.Int8, pl.Int16, pl.Int32, pl.Int64),
        (pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64),
        (pl.Float32, pl.Float64),
    )
    for family in families:
        if narrow in family and wide in family:
            return family.index(narrow.base_type()) < family.index(wide.base_type())
    return False


def unlike(source: str, column: str, stored: pl.DataType, said: pl.DataType) -> str:
    """What is wrong with a column that changed its type."""
    return (
        f"source {source!r} was ingested with column {column!r} of type {stored}, now it says {said}. A type may only be widened (Int, UInt, "
        f"Float32 to Float64). Declare {column!r} as {stored} in schema=, give the new column another name, or give the source another name."
    )


def slab_width(rows: int, span_us: int) -> int:
    """How much event time a file covers: so much that files hold about a quarter of a million rows.

    >>> slab_width(100_000_000, 365 * 86_400_000_000) // 86_400_000_000
    7
    """
    wanted = max(span_us, _LEAST_SPAN_US) * BUCKETS * _ROWS_A_FILE / max(rows, 1)
    return next((days for days in _SLAB_DAYS if days * _DAY_US <= wanted), 1) * _DAY_US


def keyed(layout: Mapping[str, Any]) -> dict[str, list[str]]:
    """The tables of a source and the key columns that each is bucketed by; all of them hold all rows."""
    keys: dict[str, list[str]] = layout["keys"] or {ALL: []}
    return keys


def times(source: str, layout: Mapping[str, Any], rows: pl.DataFrame, first: int = 0) -> Index:
    """The event time of each row in microseconds UTC; a row number in an error counts from `first`."""
    return _instants(source, layout, rows, layout["event_time"], first)


def known_times(source: str, layout: Mapping[str, Any], rows: pl.DataFrame, first: int = 0) -> Index | None:
    """The known time of each row, if the source has such a column."""
    return None if layout["known_time"] is None else _instants(source, layout, rows, layout["known_time"], first)


def _instants(source: str, layout: Mapping[str, Any], rows: pl.DataFrame, column: str, first: int) -> Index:
    zone, available = layout["time_zone"], layout["available"]
    return instants(rows[column], f"{source}.{column}", time_zone=zone, available=available, first=first)
