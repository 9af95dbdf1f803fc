"""How a source's rows lie in the store, fixed by its first ingest."""

from __future__ import annotations

from typing import Any

from ..engine.definition_values import type_json
from ..engine.errors import Conflict, Invalid
from ..engine.hashing import HASH_VERSION
from ..engine.source import SourceSpec
from .ledger import SourceState

BUCKETS = 8
_ROWS_A_FILE = 250_000
_DAY_US = 86_400_000_000
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
        if not name or name.startswith(("__", "_row")) or any(sign in name for sign in ".`"):
            raise Invalid(
                f"source {spec.name!r}: a column named {name!r} cannot be stored. Rename it; '.', '`', '__...' and '_row...' are taken."
            )


def check_layout(spec: SourceSpec, state: SourceState) -> None:
    """Refuse a source that lies otherwise than it was ingested."""
    wanted = layout_of(spec)
    changed = [part for part in wanted if wanted[part] != state.layout.get(part)]
    if changed:
        part = changed[0]
        raise Conflict(
            f"source {spec.name!r} was ingested with {part}={state.layout.get(part)!r}, now it says {wanted[part]!r}. Its stored rows would mean "
            f"something else. Give the changed source another name, or ingest into another store."
        )


def slab_width(rows: int, span_us: int) -> int:
    """How much event time a file covers: so much that files hold about a quarter of a million rows.

    >>> slab_width(100_000_000, 365 * 86_400_000_000) // 86_400_000_000
    7
    """
    wanted = span_us * BUCKETS * _ROWS_A_FILE / max(rows, 1)
    return next((days for days in _SLAB_DAYS if days * _DAY_US <= wanted), 1) * _DAY_US


def tables_of(spec: SourceSpec) -> dict[str, list[str]]:
    """The event tables of a source and the key columns each is bucketed by."""
    if not spec.entities:
        return {f"{spec.name}/_all": []}
    return {f"{spec.name}/{entity.name}": list(entity.keys) for entity in spec.entities}
