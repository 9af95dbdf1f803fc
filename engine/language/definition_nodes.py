"""Expressions in definitions: one table of nodes, each naming those it is computed from by their place in the table."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any, NoReturn

import polars as pl

from ..errors import Invalid, NotFound, UnknownColumn
from . import dtype as types
from .definition_values import type_json, type_of, value_json, value_of
from .expr import Expr, shared
from .fold import Fold
from .function import Function
from .function_path import parted
from .map import Map
from .nodes import Apply, AskedAt, Feature, FoldOver, Literal, Reference, RequestField, SourceColumn
from .registry import operator
from .source import SourceSpec
from .view import ViewSpec
from .window import as_json as window_json
from .window import from_json as window_of

Json = dict[str, Any]


class Writer:
    """Writes nodes into a table; equal nodes are written once. The callbacks write the source or view a node names."""

    def __init__(self, source: Callable[[SourceSpec], str], view: Callable[[ViewSpec], str]) -> None:
        self.table: list[Json] = []
        self._source, self._view = source, view
        self._places: dict[str, int] = {}
        self._known: dict[int, int] = {}

    def place(self, node: Expr) -> int:
        """The place of a node in the table, written there if it is new."""
        if id(node) not in self._known:
            written = self._written(node)
            self._known[id(node)] = self._places.setdefault(json.dumps(written, sort_keys=True), len(self.table))
            if self._known[id(node)] == len(self.table):
                self.table.append(written)
        return self._known[id(node)]

    def _maybe(self, node: Expr | None) -> int | None:
        return None if node is None else self.place(node)

    def _written(self, node: Expr) -> Json:
        if isinstance(node, Literal):
            return {"node": "literal", "type": type_json(node.dtype), "value": value_json(node.value)}
        if isinstance(node, SourceColumn):
            kept = self._maybe(node.kept)
            return {
                "node": "column",
                "source": self._source(node.source),
                "name": node.name,
                "kept": kept,
                "type": type_json(node.dtype),
            }
        if isinstance(node, RequestField):
            return {"node": "request", "name": node.name, "type": type_json(node.dtype)}
        if isinstance(node, AskedAt):
            return {"node": "at"}
        if isinstance(node, Reference):
            return {"node": "reference", "view": self._view(node.view), "name": node.name}
        if isinstance(node, Feature):
            return {"node": "feature", **self.feature(node)}
        if isinstance(node, Apply):
            return self._map(node)
        return self._fold(node) if isinstance(node, FoldOver) else _no_definition(node)

    def feature(self, feature: Feature) -> Json:
        """A feature's expression, default and words."""
        return {"expr": self.place(feature.expr), "default": value_json(feature.default), "about": feature.about}

    def _map(self, node: Apply) -> Json:
        args = [self.place(arg) for arg in node.args]
        params = [[name, value_json(value)] for name, value in node.params]
        return {**node.operator.written(), "args": args, "params": params, "type": type_json(node.dtype)}

    def _fold(self, node: FoldOver) -> Json:
        params = {field.name: value_json(getattr(node.fold, field.name)) for field in fields(node.fold)}
        named = {"operator": node.fold.name, "version": node.fold.version, "params": params}
        seen = {"source": self._source(node.source), "arg": self._maybe(node.arg), "kept": self._maybe(node.kept)}
        return {"node": "fold", **named, **seen, "window": window_json(node.window), "type": type_json(node.dtype)}


def _no_definition(node: Expr) -> NoReturn:
    raise Invalid(f"{node!r} ({type(node).__name__}) cannot be written into a definition.")


class Nodes:
    """The expressions of a table, made when they are asked for."""

    def __init__(
        self, table: Sequence[Json], sources: Mapping[str, SourceSpec], view: Callable[[str], ViewSpec]
    ) -> None:
        self._table, self._sources, self._view = table, sources, view
        self._made: dict[int, Expr] = {}
        self._functions: dict[str, Function] = {}

    def __getitem__(self, place: int) -> Expr:
        if place not in self._made:
            self._made[place] = getattr(self, f"_{self._table[place]['node']}", _unknown)(self._table[place])
        return self._made[place]

    def _maybe(self, place: int | None) -> Expr | None:
        return None if place is None else self[place]

    def _literal(self, node: Json) -> Expr:
        return shared(Literal(value_of(node["value"]), type_of(node["type"])))

    def _column(self, node: Json) -> Expr:
        spec = self._sources[node["source"]]
        dtype = types.settled(spec.column(node["name"]))
        return _checked(shared(SourceColumn(spec, node["name"], dtype, self._maybe(node["kept"]))), node)

    def _request(self, node: Json) -> Expr:
        return shared(RequestField(node["name"], type_of(node["type"])))

    def _at(self, node: Json) -> Expr:
        return shared(AskedAt())

    def _reference(self, node: Json) -> Expr:
        return self._view(node["view"]).reference(node["name"])

    def _feature(self, node: Json) -> Feature:
        return self.feature(node)

    def feature(self, node: Json) -> Feature:
        """The feature that `Writer.feature` wrote."""
        return Feature(self[node["expr"]], value_of(node["default"]), node["about"])

    def _map(self, node: Json) -> Expr:
        found = _operator(node)
        if not isinstance(found, Map):
            raise Invalid(f"a definition applies {node['operator']!r} as a map, but it is a fold.")
        return self._applied(found, node)

    def _function(self, node: Json) -> Expr:
        """A function of the user's, known by its path; nothing is imported."""
        named = node["function"], str(node["version"]), type_of(node["type"])
        parted(named[0])
        return self._applied(self._functions.setdefault(str(named), Function(*named)), node)

    def _applied(self, found: Map, node: Json) -> Expr:
        args = tuple(self[place] for place in node["args"])
        params = {name: value_of(value) for name, value in node["params"]}
        dtype = found.returns(*(arg.dtype for arg in args), **params)
        return _checked(shared(Apply(found, args, tuple(params.items()), dtype)), node)

    def _fold(self, node: Json) -> Expr:
        found = _operator(node)
        if isinstance(found, Map):
            raise Invalid(f"a definition folds with {node['operator']!r}, but it is a map.")
        fold = found(**{name: value_of(value) for name, value in node["params"].items()})
        source, arg = self._sources[node["source"]], self._maybe(node["arg"])
        dtype = _folded(fold, source, arg)
        return _checked(
            shared(FoldOver(fold, arg, source, self._maybe(node["kept"]), window_of(node["window"]), dtype)), node
        )


def _folded(fold: Fold, source: SourceSpec, arg: Expr | None) -> pl.DataType:
    if arg is None:
        return fold.result(types.settled(source.schema[source.event_time]))
    return types.settled(fold.result(arg.dtype))


def _operator(node: Json) -> Map | type[Fold]:
    name, version = node["operator"], node["version"]
    try:
        found = operator(name)
    except UnknownColumn as error:
        raise NotFound(
            f"a definition needs operator {name!r} (version {version}), which is not installed. {error}"
        ) from None
    if found.version != version:
        raise Invalid(
            f"a definition needs version {version} of operator {name!r}; version {found.version} is installed. Apply it again."
        )
    return found


def _checked(made: Expr, node: Json) -> Expr:
    """The node, if it has the type it had when it was written."""
    if type_json(made.dtype) != node["type"]:
        raise Invalid(
            f"{made!r} is {made.dtype} here, but was {node['type']} when it was defined. Apply the definition again."
        )
    return made


def _unknown(node: Json) -> NoReturn:
    raise Invalid(f"a definition has a node of unknown kind {node['node']!r}.")
