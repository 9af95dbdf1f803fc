"""Training sets from the store's own tables, at versions pinned when they are asked for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from ...engine.errors import Invalid, NotFound, did_you_mean
from ...engine.language.definition import Elsewhere
from ...engine.language.nodes import Reference
from ...engine.language.source import SourceSpec
from ..definitions.definition_note import key_of
from ..definitions.registry import Registry
from ..ports import Entry, Here
from ..sources.training import columns_of
from .event_table import EventTable
from .layout import BUCKETS, check_layout
from .log import Log
from .source_note import place_of, state_of
from .stored_parts import KeyedTable

_NAMED = ("service", "view")  # what features may be named by, in this order


def resolved(registry: Registry, features: Any, *, full_names: bool = False) -> dict[str, Reference]:
    """Output columns and features; text names a service, a view, or `view:feature`, each with `@<hash prefix>` if pinned.

    Where a service and a view have one name, `view/name` and `service/name` tell them apart.
    """
    if isinstance(features, list | tuple):
        return columns_of([_named(registry, one) for one in features], full_names=full_names)
    return columns_of(_named(registry, features), full_names=full_names)


def _named(registry: Registry, given: Any) -> Any:
    if not isinstance(given, str):
        return given
    if ":" in given:
        view, _, feature = given.partition(":")
        name, _, prefix = feature.partition("@")
        reference = registry.used("view", view).spec.reference(name)
        return _of_version(reference, prefix) if prefix else reference
    kind, slash, name = given.partition("/")
    if slash and kind in _NAMED:
        return registry.used(kind, name)
    return registry.used(_kind_of(registry, given), given)


def _kind_of(registry: Registry, given: str) -> str:
    """Whether a name is a service's or, if there is none, a view's."""
    name, names = given.partition("@")[0], registry.entry().names
    kinds = [kind for kind in _NAMED if key_of(kind, name) in names]
    return kinds[0] if kinds else _former_kind(registry, name)


def _former_kind(registry: Registry, name: str) -> str:
    """The kind of what had a name before it was renamed; `NotFound` where nothing had."""
    current = [one for one in registry.current().values() if one.kind in _NAMED]
    for one in current:
        if one.renamed_from == name:
            return one.kind
    hint = did_you_mean(name, {one.name for one in current})
    raise NotFound(f"no service or view is named {name!r}. {hint} Apply it first: store.apply(...).")


def _of_version(reference: Reference, prefix: str) -> Reference:
    found = reference.view.version(reference.name)
    if not found.startswith(prefix):
        raise NotFound(
            f"{reference!r} is at version {found[:12]}, not {prefix!r}. Pin the view: {reference.view.name}@<hash>."
        )
    return reference


def opener(here: Here, as_of: int | datetime | str | None) -> Callable[[SourceSpec], EventTable]:
    """Opens sources as tables of the store, all at one entry of its ledger.

    Without `as_of` pushed rows count as well; with it only what the tables contained.
    """
    entry = here.ledger.head() if as_of is None else here.ledger.as_of(as_of)
    opened: dict[int, EventTable] = {}

    def open_source(spec: SourceSpec) -> EventTable:
        if id(spec) not in opened:
            opened[id(spec)] = table_of(here, spec, entry, live=as_of is None)
        return opened[id(spec)]

    return open_source


def table_of(here: Here, spec: SourceSpec, entry: Entry, *, live: bool) -> EventTable:
    """The table of a source at an entry, with the rows pushed since if `live`; NotFound where nothing was ever stored."""
    state = state_of(entry, here.notes, spec.name)
    end = Log(here.logs / spec.name).end() if live and here.logs else 0
    if state is None and not end:
        raise NotFound(f"source {spec.name!r} has no rows in store {here.folder.url!r}. {_how_to_ingest(spec)}")
    if spec.reader is not None and not (state and state.ingested):
        raise NotFound(
            f"source {spec.name!r} was pushed to, but the rows that it reads were never ingested. {_how_to_ingest(spec)}"
        )
    if state is not None:
        check_layout(spec, state, live=live)
    return table_at(here, spec, entry, upto=end)


def table_at(here: Here, spec: SourceSpec, entry: Entry, *, upto: int) -> EventTable:
    """The reader of a source's rows as of an entry, and of the log up to a position."""
    state = state_of(entry, here.notes, spec.name)
    if state is None:
        return EventTable(spec, here, entry.number, (), BUCKETS, 1, 0, upto, True)
    tables = tuple(
        KeyedTable(table.keys, here, place_of(spec.name, name), table.version) for name, table in state.tables.items()
    )
    return EventTable(
        spec, here, entry.number, tables, state.buckets, state.slab_us, state.log_position, upto, state.settled
    )


def _how_to_ingest(spec: SourceSpec) -> str:
    """What to do about a source without rows: one that is known by its definition alone cannot be read here."""
    if isinstance(spec.reader, Elsewhere):
        return "Call store.ingest(...) with the source itself first."
    return "Call store.ingest(...) first, or pass refresh=True."


def refreshable(spec: SourceSpec) -> SourceSpec:
    """The source, if it can be read."""
    if spec.reader is None or isinstance(spec.reader, Elsewhere):
        raise Invalid(
            f"refresh=True: source {spec.name!r} is known by its definition alone, without data. Call store.ingest(...) with the source itself."
        )
    return spec
