"""Where values come from and where they go: column -> feature -> view -> service -> training set -> model, as a graph."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ...engine.errors import NotFound, did_you_mean
from ..ports import Entry
from .definition_note import Definition
from .definition_reads import columns_read, features_read, nodes_of, own_features
from .present_names import PresentNames
from .registry import Registry

KINDS = ("source", "column", "feature", "view", "service", "training set", "model")
Node = tuple[str, str]  # kind, name
Edge = tuple[Node, Node]


@dataclass(frozen=True)
class Graph:
    """What something is made from and what is made from it. `of` are the nodes asked for; edges lead from what is read to what reads it."""

    of: tuple[Node, ...]
    nodes: tuple[Node, ...]  # sources first, models last
    edges: tuple[Edge, ...]

    def as_json(self) -> dict[str, Any]:
        """Nodes, and edges by the places of their nodes."""
        place = {node: number for number, node in enumerate(self.nodes)}
        return {
            "of": [place[node] for node in self.of],
            "nodes": [{"kind": kind, "name": name} for kind, name in self.nodes],
            "edges": [[place[first], place[second]] for first, second in self.edges],
        }

    def mermaid(self) -> str:
        """The graph as a Mermaid flow chart."""
        place = {node: number for number, node in enumerate(self.nodes)}
        lines = [f'  n{place[node]}["{_escaped(node[0])}<br>{_escaped(node[1])}"]' for node in self.nodes]
        lines += [f"  n{place[first]} --> n{place[second]}" for first, second in self.edges]
        return "\n".join(["flowchart LR", *lines, *(f"  style n{place[node]} stroke-width:3px" for node in self.of)])

    def __repr__(self) -> str:
        reads = {node: [first[1] for first, second in self.edges if second == node] for node in self.nodes}
        width = max(len(kind) for kind in KINDS)
        lines = [
            f"{'*' if node in self.of else ' '} {node[0]:{width}}  {node[1]}{_from(reads[node])}" for node in self.nodes
        ]
        return "\n".join([f"lineage of {', '.join(f'{kind} {name}' for kind, name in self.of)}", *lines])


def lineage(registry: Registry, entry: Entry, name: str) -> Graph:
    """The graph around a column, feature, view, service, source, training set or model, by what the store holds at an entry."""
    found = {*_edges(registry, entry), *_column(registry, entry, name)}
    edges = sorted(found, key=lambda edge: (_order(edge[0]), _order(edge[1])))
    nodes = {node for edge in edges for node in edge} | {one.title for one in _definitions(registry, entry)}
    starts = tuple(sorted((node for node in nodes if node[1] == name), key=_order))
    if not starts:
        raise NotFound(f"nothing in the store is named {name!r}. {did_you_mean(name, {node[1] for node in nodes})}")
    down, up = _adjacent(edges), _adjacent((second, first) for first, second in edges)
    kept = _reached(starts, down) | _reached(starts, up)
    kept |= {("view", feature.partition(":")[0]) for kind, feature in kept if kind == "feature"}
    return Graph(
        starts,
        tuple(sorted(kept, key=_order)),
        tuple(edge for edge in edges if edge[0] in kept and edge[1] in kept),
    )


def _column(registry: Registry, entry: Entry, name: str) -> Iterator[Edge]:
    """A column of a source that nothing need read."""
    for one in _definitions(registry, entry):
        if one.kind == "source" and any(
            f"{one.name}.{column}" == name for column, _ in one.body["sources"][one.name]["schema"]
        ):
            yield one.title, ("column", name)


def _definitions(registry: Registry, entry: Entry) -> Iterator[Definition]:
    return (registry.noted(note) for name, note in entry.names.items() if name.startswith("definition/"))


def _edges(registry: Registry, entry: Entry) -> Iterator[Edge]:
    services, names = set(), PresentNames(registry, entry)
    for one in _definitions(registry, entry):
        services |= {one.name} if one.kind == "service" else set()
        yield from _of_definition(one)
    for name, note in entry.names.items():
        kind, _, rest = name.partition("/")
        if kind == "training":
            yield from _of_training(rest, registry.here.notes.get(note), services, names)
        elif kind == "model":
            yield ("training set", registry.here.notes.get(note)["training"]), ("model", rest)


def _of_definition(one: Definition) -> Iterator[Edge]:
    for view, name in features_read(one.body):
        feature = ("feature", f"{view}:{name}")
        yield feature, ("view", view)
        for column in columns_read(one.body, (view, name)):
            yield ("source", column.partition(".")[0]), ("column", column)
            yield ("column", column), feature
        for node in nodes_of(one.body, (view, name)):
            if node["node"] == "reference":
                yield ("feature", f"{node['view']}:{node['name']}"), feature
    if one.kind == "service":
        for view, name in own_features(one.body):
            yield ("feature", f"{view}:{name}"), one.title
            yield ("view", view), one.title


def _of_training(name: str, note: Mapping[str, Any], services: set[str], names: PresentNames) -> Iterator[Edge]:
    service = names.of("service", (note.get("definition") or {}).get("name", ""), note["entry"])
    if service in services:
        yield ("service", service), ("training set", name)
    for view, feature, *_ in note["features"].values():
        yield ("feature", f"{names.of('view', view, note['entry'])}:{feature}"), ("training set", name)


def _adjacent(edges: Iterable[Edge]) -> dict[Node, list[Node]]:
    found: dict[Node, list[Node]] = {}
    for first, second in edges:
        found.setdefault(first, []).append(second)
    return found


def _reached(starts: Iterable[Node], following: Mapping[Node, list[Node]]) -> set[Node]:
    """The nodes one comes to. A view is a place where one arrives: not every feature of it goes into every service."""
    found, waiting = set(starts), list(starts)
    while waiting:
        node = waiting.pop()
        if node[0] == "view" and node not in starts:
            continue
        fresh = [one for one in following.get(node, ()) if one not in found]
        found.update(fresh)
        waiting += fresh
    return found


def _order(node: Node) -> tuple[int, str]:
    return KINDS.index(node[0]), node[1]


def _from(names: list[str]) -> str:
    return f"  <- {', '.join(names)}" if names else ""


def _escaped(text: str) -> str:
    return "".join(sign if sign.isalnum() or sign in " _-./:*@" else f"#{ord(sign)};" for sign in text)
