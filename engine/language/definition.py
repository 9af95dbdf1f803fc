"""Definitions as typed JSON, never pickle: what the registry stores, snapshots carry and people review.

    {"format": 2, "kind": "service", "name": .., "version": .., "columns": [[column, view, feature], ..],
     "nodes": [..], "sources": {name: ..}, "views": {name: ..}}

A view's or source's definition is the same without `columns`. What has an order stands in a list, so that JSON with sorted keys means the
same. Reading one gives equal content hashes or fails.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import polars as pl

from ..errors import Corrupt, Invalid, NowThenError
from ..plan.reader import TimeBound
from ..record import record
from .definition_nodes import Json, Nodes, Writer
from .definition_values import type_json, type_of
from .entity import Entity
from .expr import digest
from .reserved import RUN, STORE
from .service import FeatureService
from .source import Rows, Source, SourceSpec
from .view import FeatureView, ViewSpec, ViewType

FORMAT = 2
Defined = FeatureService | ViewType | ViewSpec | Rows | SourceSpec
_WORDS = ("about", "reader")  # of a source; they change no value


def to_json(defined: Defined) -> Json:
    """The definition of a service, view or source, with all it needs but data."""
    writing = _Writing()
    if isinstance(defined, FeatureService):
        head = writing.service(defined)
    elif isinstance(defined, ViewType | ViewSpec):
        head = {"kind": "view", "name": writing.view(_spec(defined))}
    else:
        head = {"kind": "source", "name": writing.source(_spec(defined))}
    parts = {"nodes": writing.nodes.table, "sources": writing.sources, "views": writing.views}
    return {"format": FORMAT, **head, "version": version_of(defined), **parts}


def from_json(definition: Mapping[str, Any]) -> Any:
    """The service (`FeatureService`), view (a `FeatureView` class) or source (`Source`) that a definition means.

    Sources know their data by description only; each is one object however often it is used. An operator that is missing or has another version, or a
    content hash that comes out different, is refused.
    """
    if definition.get("format") != FORMAT:
        raise Invalid(
            f"a definition of format {definition.get('format')!r} cannot be read; this NowThen reads format {FORMAT}."
        )
    try:
        made = _Reading(definition).made()
        found = version_of(made)
    except NowThenError:
        raise
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise Invalid(
            f"the definition of {definition.get('name')!r} is malformed: {type(error).__name__} {error}"
        ) from error
    if found != definition["version"]:
        raise Corrupt(
            f"the definition of {definition['name']!r} reads as version {found[:12]}, but was written as {definition['version'][:12]}."
        )
    return made


def version_of(defined: Defined) -> str:
    """The content hash of a service, view or source."""
    if isinstance(defined, FeatureService):
        return defined.version
    spec = _spec(defined)
    if isinstance(spec, ViewSpec):
        return digest([spec.name, [[name, spec.version(name)] for name in spec.features]])
    written = _source(spec)
    meant = {name: part for name, part in written.items() if name not in _WORDS}
    return digest({**meant, "schema": dict(written["schema"])})  # the order of columns means nothing


def _spec(defined: Any) -> Any:
    return defined if isinstance(defined, ViewSpec | SourceSpec) else defined.spec


@record
class Elsewhere:
    """The reader of a source that came back from a definition: what it read from, in words."""

    words: str
    reserved = RUN | STORE  # its columns were looked at when the source was made

    def schema(self) -> dict[str, pl.DataType]:
        """Refused: the data is not at hand."""
        raise self._refusal()

    def read(self, columns: Sequence[str], bound: TimeBound | None = None) -> pl.DataFrame:
        """Refused: the data is not at hand."""
        raise self._refusal()

    def describe(self) -> str:
        """The words."""
        return self.words

    def _refusal(self) -> Invalid:
        return Invalid(
            f"a source read from a definition knows its data only by this description: {self.words}. Use the source itself."
        )


class _Writing:
    """A definition as it grows."""

    def __init__(self) -> None:
        self.nodes = Writer(self.source, self.view)
        self.sources: dict[str, Json] = {}
        self.views: dict[str, Json] = {}
        self._written: set[int] = set()

    def service(self, service: FeatureService) -> Json:
        columns = [[name, self.view(ref.view), ref.name] for name, ref in service.features.items()]
        return {
            "kind": "service",
            "name": service.name,
            "owner": service.owner,
            "about": service.about,
            "columns": columns,
        }

    def source(self, spec: SourceSpec) -> str:
        written = _source(spec)
        known = self.sources.setdefault(spec.name, written)
        if any(known[part] != written[part] for part in written if part not in _WORDS):
            raise Invalid(f"two different sources are named {spec.name!r}. Give one of them another name.")
        return spec.name

    def view(self, spec: ViewSpec) -> str:
        if id(spec) in self._written:
            return spec.name
        self._written.add(id(spec))
        written = _view(spec)
        written["features"] = [[name, self.nodes.feature(feature)] for name, feature in spec.features.items()]
        if self.views.setdefault(spec.name, written) != written:
            raise Invalid(f"two different views are named {spec.name!r}. Give one of them another name.")
        return spec.name


def _source(spec: SourceSpec) -> Json:
    return {
        "event_time": spec.event_time,
        "entities": [_entity(entity) for entity in spec.entities],
        "schema": [[name, type_json(dtype)] for name, dtype in spec.schema.items()],
        "row_id": spec.row_id,
        "known_time": spec.known_time,
        "known_after": dict(spec.known_after),
        "deleted": spec.deleted,
        "time_zone": spec.time_zone,
        "available": spec.available,
        "max_ahead": spec.max_ahead,
        "about": spec.about,
        "reader": None if spec.reader is None else spec.reader.describe(),
    }


def _view(spec: ViewSpec) -> Json:
    return {
        "entities": [_entity(entity) for entity in spec.entities],
        "every": spec.every,
        "ttl": spec.ttl,
        "history": spec.history,
        "owner": spec.owner,
        "tags": dict(spec.tags),
        "about": spec.about,
    }


def _entity(entity: Entity) -> Json:
    return {
        "name": entity.name,
        "keys": [[name, type_json(dtype)] for name, dtype in entity.keys.items()],
        "about": entity.about,
    }


class _Reading:
    """A definition being read; sources and views are made once."""

    def __init__(self, definition: Mapping[str, Any]) -> None:
        self._definition = definition
        self._sources = {name: _made_source(name, parts) for name, parts in definition["sources"].items()}
        self._views: dict[str, ViewType] = {}
        self._nodes = Nodes(
            definition["nodes"],
            {name: made.spec for name, made in self._sources.items()},
            lambda name: self._view(name).spec,
        )

    def made(self) -> FeatureService | ViewType | Source:
        kind, name = self._definition["kind"], self._definition["name"]
        if kind == "service":
            return self._service(name)
        return self._view(name) if kind == "view" else self._sources[name]

    def _service(self, name: str) -> FeatureService:
        columns = self._definition["columns"]
        chosen = [self._view(view).spec.reference(feature) for _, view, feature in columns]
        full_names = any(column != feature for column, _, feature in columns)
        made = FeatureService(
            name, chosen, full_names=full_names, owner=self._definition["owner"], about=self._definition["about"]
        )
        if list(made.features) != [column for column, _, _ in columns]:
            raise Invalid(f"the definition of service {name!r} gives its columns names that no service can produce.")
        return made

    def _view(self, name: str) -> ViewType:
        if name not in self._views:
            parts = self._definition["views"][name]
            features = {key: self._nodes.feature(feature) for key, feature in parts["features"]}
            entities = [_made_entity(entity) for entity in parts["entities"]]
            clocks = {
                clock: None if parts[clock] is None else timedelta(microseconds=parts[clock])
                for clock in ("every", "ttl", "history")
            }
            words = {"owner": parts["owner"], "tags": parts["tags"]}
            content = {**features, "__doc__": parts["about"]}
            self._views[name] = ViewType(name, (FeatureView,), content, entity=entities, name=name, **clocks, **words)
        return self._views[name]


def _made_source(name: str, parts: Json) -> Source:
    waits = {column: timedelta(microseconds=wait) for column, wait in parts["known_after"].items()}
    ahead = None if parts["max_ahead"] is None else timedelta(microseconds=parts["max_ahead"])
    same = {
        part: parts[part]
        for part in ("event_time", "row_id", "known_time", "deleted", "time_zone", "available", "about")
    }
    schema = {column: type_of(written) for column, written in parts["schema"]}
    entities = [_made_entity(entity) for entity in parts["entities"]]
    reader = None if parts["reader"] is None else Elsewhere(parts["reader"])
    return Source(name, reader, entities=entities, known_after=waits, max_ahead=ahead, schema=schema, **same)


def _made_entity(parts: Json) -> Entity:
    return Entity(parts["name"], keys={name: type_of(written) for name, written in parts["keys"]}, about=parts["about"])
