"""What a definition reads, found in its JSON alone: features behind features, and columns of sources behind those."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Json = Mapping[str, Any]
Feature = tuple[str, str]  # view, feature


def features_read(body: Json) -> set[Feature]:
    """The features a service gives or a view has, and all that those read."""
    found: set[Feature] = set()
    waiting = own_features(body)
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting += [(node["view"], node["name"]) for node in nodes_of(body, one) if node["node"] == "reference"]
    return found


def own_features(body: Json) -> list[Feature]:
    """The features a service gives, or a view has; none of a source."""
    if body["kind"] == "service":
        return [(view, feature) for _, view, feature in body["columns"]]
    return [(body["name"], name) for name in features_of(body)] if body["kind"] == "view" else []


def features_of(body: Json, view: str | None = None) -> dict[str, Json]:
    """The features of a view by name, in their order: of the view that a definition is about, or of one it holds."""
    return dict(body["views"][view or body["name"]]["features"])


def columns_read(body: Json, feature: Feature) -> set[str]:
    """The columns of sources that a feature itself reads, not through others, as `source.column`; `source.*` for counted rows.

    Among them those that say whose a row is, when it happened and was known, and which rows are versions of one.
    """
    nodes = list(nodes_of(body, feature))
    read = {node["source"] for node in nodes if "source" in node}
    found = {f"{source}.{column}" for source in read for column in _told_by(body, source, feature[0])}
    for node in nodes:
        if node["node"] == "column":
            found.add(f"{node['source']}.{node['name']}")
        elif node["node"] == "fold" and node["arg"] is None:
            found.add(f"{node['source']}.*")
    return found


def _told_by(body: Json, source: str, view: str) -> list[str]:
    told = [body["sources"][source].get(name) for name in ("event_time", "known_time", "row_id", "deleted")]
    return [column for column in told if column is not None] + [name for name, _ in keys_of_view(body, view)]


def nodes_of(body: Json, feature: Feature) -> Iterator[Json]:
    """The nodes of a feature's expression, each once; references are not followed."""
    seen: set[int] = set()
    waiting = [features_of(body, feature[0])[feature[1]]["expr"]]
    while waiting:
        place = waiting.pop()
        if place not in seen:
            seen.add(place)
            yield body["nodes"][place]
            waiting += _below(body["nodes"][place])


def type_of_feature(body: Json, feature: Feature) -> Any:
    """A feature's type as JSON."""
    return _type(body, features_of(body, feature[0])[feature[1]]["expr"])


def keys_of_view(body: Json, view: str) -> list[Any]:
    """The key columns of a view and their types."""
    return [list(key) for entity in body["views"][view]["entities"] for key in entity["keys"]]


def _type(body: Json, place: int) -> Any:
    node = body["nodes"][place]
    if node["node"] == "reference":
        return type_of_feature(body, (node["view"], node["name"]))
    return _type(body, node["expr"]) if node["node"] == "feature" else node.get("type", node["node"])


def _below(node: Json) -> list[int]:
    places = [*node.get("args", ()), node.get("arg"), node.get("kept"), node.get("expr")]
    return [place for place in places if place is not None]
