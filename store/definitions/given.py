"""The definitions that a user gives: services, views and sources with all that they read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...engine.errors import Invalid, WrongType
from ...engine.language.nodes import Reference, walk
from ...engine.language.service import FeatureService
from ...engine.language.source import Rows, SourceSpec
from ...engine.language.view import ViewSpec, ViewType
from ..sources.training import sources_of
from .definition_note import KINDS, Definition


def definitions_of(given: Any) -> list[Definition]:
    """The definitions of services, views and sources with all they read: sources first, services last."""
    return of_one_name_each(map(Definition.of, _all(given)))


def of_one_name_each(definitions: Iterable[Definition]) -> list[Definition]:
    """The definitions, sources first, services last; two different ones of one name are refused."""
    found: dict[tuple[str, str], Definition] = {}
    for one in definitions:
        known = found.setdefault(one.title, one)
        if known.id != one.id:
            raise Invalid(
                f"two different definitions of {one.kind} {one.name!r} were given at once. Apply one of them."
            )
    return sorted(found.values(), key=lambda one: KINDS.index(one.kind))


def _all(given: Any) -> Iterable[FeatureService | ViewSpec | SourceSpec]:
    if isinstance(given, list | tuple):
        for one in given:
            yield from _all(one)
    elif isinstance(given, FeatureService):
        yield from _behind(given.features.values())
        yield given
    elif isinstance(given, ViewType | ViewSpec):
        view = given if isinstance(given, ViewSpec) else given.spec
        yield from _behind(view.reference(name) for name in view.features)
    elif isinstance(given, Rows | SourceSpec):
        yield given if isinstance(given, SourceSpec) else given.spec
    else:
        raise WrongType(f"{given!r} cannot be applied. Pass a service, a view, a source, or a list of them.")


def _behind(references: Iterable[Reference]) -> Iterable[ViewSpec | SourceSpec]:
    """The views that references lead to, and the sources those read."""
    views: dict[int, ViewSpec] = {}
    waiting = [reference.view for reference in references]
    while waiting:
        view = waiting.pop()
        if id(view) not in views:
            views[id(view)] = view
            waiting += [
                node.view for feature in view.features.values() for node in walk(feature) if isinstance(node, Reference)
            ]
    for view in views.values():
        yield from sources_of({name: view.reference(name) for name in view.features})
        yield view
