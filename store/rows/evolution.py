"""How the columns of a source may change: a new one, null in the rows there are, or one of a wider type. Anything else is refused."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pyarrow as pa

from ...engine.errors import Conflict
from ...engine.language.definition_values import type_json, type_of
from ...engine.language.source import SourceSpec
from ...engine.record import record
from .fresh import CONTENT
from .layout import check_rest, layout_of, unlike, widens
from .placed import arrow, storable
from .records import STAMPS
from .source_note import SourceState


@record
class Evolution:
    """What a source says beyond what its tables have."""

    added: tuple[str, ...] = ()
    widened: tuple[str, ...] = ()  # their files are written anew; of a new column nothing is


def evolution(spec: SourceSpec, state: SourceState | None) -> Evolution:
    """How the columns of a source changed since it was ingested. `Conflict` where they may not."""
    if state is None:
        return Evolution()
    check_rest(spec, state)
    stored = {name: type_of(written) for name, written in state.layout["columns"].items()}
    for name, dtype in stored.items():
        _check(spec, name, dtype)
    widened = [name for name, dtype in stored.items() if spec.schema[name] != dtype]
    return Evolution(tuple(name for name in spec.schema if name not in stored), tuple(widened))


def as_stored(spec: SourceSpec, state: SourceState | None) -> SourceSpec:
    """The source as its tables have it where they have more columns or wider ones: what was pushed is drained by an older definition, too."""
    stored = {} if state is None else {name: type_of(kind) for name, kind in state.layout["columns"].items()}
    wider = {
        name: dtype for name, dtype in stored.items() if name not in spec.schema or widens(spec.schema[name], dtype)
    }
    return replace(spec, schema={**spec.schema, **wider}) if wider else spec


def evolved(spec: SourceSpec, state: SourceState) -> SourceState:
    """The state of a source whose tables have its columns as they are now; `Conflict` where they may not become so."""
    found = evolution(spec, state)
    if not found.added and not found.widened:
        return state
    columns = {name: type_json(dtype) for name, dtype in spec.schema.items()}
    return replace(state, layout={**layout_of(spec), "columns": columns})


def table_schema(spec: SourceSpec) -> pa.Schema:
    """The columns of a source's tables, and their types there."""
    return arrow(storable(pl.DataFrame(schema={**spec.schema, **STAMPS, CONTENT: pl.Int64()}))).schema


def _check(spec: SourceSpec, name: str, stored: pl.DataType) -> None:
    if name not in spec.schema:
        raise Conflict(
            f"source {spec.name!r} was ingested with column {name!r} ({stored}), which it no longer has. Leave it in, with nulls if need be, "
            "or give the source another name."
        )
    if spec.schema[name] != stored and not widens(stored, spec.schema[name]):
        raise Conflict(unlike(spec.name, name, stored, spec.schema[name]))
