"""Feature services: the features one model is trained on and served with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Any

import polars as pl

from ..errors import Invalid, WrongType
from .entity import checked_name
from .expr import digest
from .nodes import Reference, walk
from .view import FeatureView, ViewType


class FeatureService:
    """Named features in a fixed order.

    `features` is a list of views, of single features (`View.x`) and of `View.select(...)`. Two features of one name are refused
    unless `full_names=True`, which puts the view's name before each (`customer_spend__tx_count_1d`).
    """

    def __init__(self, name: str, features: Any, *, full_names: bool = False, owner: str = "", about: str = "") -> None:
        self.name = checked_name(name, "a service")
        self.features: Mapping[str, Reference] = MappingProxyType(named(features, full_names=full_names))
        self.owner, self.about = owner, about

    @cached_property
    def version(self) -> str:
        """Content hash over the versions of its features and the columns they go by."""
        return digest([[name, reference.key] for name, reference in self.features.items()])

    @property
    def keys(self) -> dict[str, pl.DataType]:
        """The key columns a caller gives."""
        return keys_of(*self.features.values())

    def __getstate__(self) -> dict[str, Any]:
        """A read-only view of a mapping does not pickle; the mapping does."""
        return {**vars(self), "features": dict(self.features)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, features=MappingProxyType(state["features"]))

    def __repr__(self) -> str:
        return f"FeatureService({self.name!r}, {list(self.features)}, version={self.version[:12]})"

    def _repr_html_(self) -> str:
        from html import escape  # loaded where a notebook shows something

        lines = "".join(
            f"<tr><td>{name}</td><td>{ref.dtype}</td><td><code>{escape(repr(ref.feature))}</code></td></tr>"
            for name, ref in self.features.items()
        )
        return f"<table><caption>{self.name} <code>{self.version[:12]}</code></caption><tr><th>feature</th><th>type</th><th>expression</th></tr>{lines}</table>"


def named(features: Any, *, full_names: bool = False) -> dict[str, Reference]:
    """Output columns and the features they hold; equal names are refused."""
    out: dict[str, Reference] = {}
    for reference in references(features):
        name = f"{reference.view.name}__{reference.name}" if full_names else reference.name
        if name in out and out[name].view is reference.view:
            raise Invalid(f"feature {reference!r} is given twice. Give it once.")
        if name in out:
            raise Invalid(
                f"two features are named {name!r} ({out[name]!r} and {reference!r}). Select one, or pass full_names=True."
            )
        out[name] = reference
    if not out:
        raise Invalid("no features were given.")
    return out


def keys_of(*references: Reference) -> dict[str, pl.DataType]:
    """The key columns that features need: those of their own views and of the views they read."""
    nodes = [node for reference in references for node in walk(reference) if isinstance(node, Reference)]
    return {key: dtype for node in nodes for key, dtype in node.view.keys.items()}


def references(features: Any) -> Iterable[Reference]:
    """Every single feature meant by views, features, selections and services."""
    if isinstance(features, Reference):
        yield features
    elif isinstance(features, FeatureService):
        yield from features.features.values()
    elif isinstance(features, ViewType):
        yield from (features.spec.reference(name) for name in features.spec.features)
    elif isinstance(features, list | tuple):
        for feature in features:
            yield from references(feature)
    else:
        raise WrongType(f"{features!r} is not a feature. Give a view, View.feature, View.select(...) or a service.")


__all__ = ["FeatureService", "FeatureView", "keys_of", "named", "references"]
