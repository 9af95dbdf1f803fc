"""Feature views: named features of one entity (or several), defined together."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import polars as pl

from ..errors import Invalid, UnknownColumn, WrongType, did_you_mean
from .duration import Duration, not_negative, positive, written
from .entity import Entity, checked_name, entities, keys_of
from .expr import Expr, digest, is_uncalled
from .instant import DAY_US
from .nodes import Feature, FoldOver, Reference, SourceColumn, walk
from .plain import told
from .registry import operator

_OWN = frozenset({"spec", "select"})


@dataclass(frozen=True, eq=False)
class ViewSpec:
    """What a view is: names, features and the clocks its values follow (microseconds)."""

    name: str
    entities: tuple[Entity, ...]
    features: Mapping[str, Feature]
    every: int | None = None
    ttl: int | None = None
    history: int = DAY_US
    owner: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    about: str = ""

    @cached_property
    def keys(self) -> dict[str, pl.DataType]:
        """The key columns of its entities."""
        return keys_of(self.entities)

    def version(self, name: str) -> str:
        """Content hash of a feature: equal iff its values are equal by definition."""
        return digest([self.features[name].key, list(self.keys), self.every, self.ttl])

    def reference(self, name: str) -> Reference:
        """The feature of that name, or `UnknownColumn` with the nearest one."""
        if name not in self.features:
            raise UnknownColumn(f"view {self.name!r} has no feature {name!r}. {did_you_mean(name, self.features)}")
        return Reference(self, name)

    def __repr__(self) -> str:
        return f"view {self.name} ({', '.join(self.features)})"


class ViewType(type):
    """The type of feature views: makes `View.feature` a reference and a wrong name a clear error."""

    spec: ViewSpec

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("_") or name == "spec":
            raise AttributeError(name)
        return cls.spec.reference(name)

    def __repr__(cls) -> str:
        return repr(cls.spec) if "spec" in vars(cls) else f"<class '{cls.__name__}'>"

    def _repr_html_(cls) -> str:
        from html import escape  # loaded where a notebook shows something

        if "spec" not in vars(cls):
            return escape(repr(cls))
        lines = "".join(
            f"<tr><td>{name}</td><td>{f.dtype}</td><td><code>{escape(repr(f))}</code></td><td>{escape(f.about)}</td></tr>"
            for name, f in cls.spec.features.items()
        )
        head = "<tr><th>feature</th><th>type</th><th>expression</th><th>about</th></tr>"
        return f"<table><caption>{escape(cls.spec.name)}: {escape(cls.spec.about)}</caption>{head}{lines}</table>"


class FeatureView(metaclass=ViewType):
    """Features of an entity. Subclass it and write one feature per line; names with a leading underscore are helpers.

    Class arguments: `entity=` (one, several, or [] for a global view), `name=`, `owner=`, `tags=`, `every=` (values stand still
    between grid points), `ttl=` (rows older than that do not exist for folds over "forever"), `history=` (how far back the online
    state can be asked), `about=` (by default the docstring).
    """

    def __init_subclass__(
        cls,
        *,
        entity: Entity | Sequence[Entity],
        name: str | None = None,
        owner: str = "",
        tags: Mapping[str, str] | None = None,
        every: Duration | None = None,
        ttl: Duration | None = None,
        history: Duration = "1d",
        about: str = "",
    ) -> None:
        """Check the features and make each a reference."""
        title = checked_name(name or _snake(cls.__name__), "a view")
        written_features = {
            key: value for key, value in vars(cls).items() if isinstance(value, Expr) and not key.startswith("_")
        }
        _refuse_uncalled(title, vars(cls))
        view = ViewSpec(
            title, entities(entity, f"view {title!r}"), {key: _feature(value) for key, value in written_features.items()},
            None if every is None else positive(every, "every"), None if ttl is None else positive(ttl, "ttl"), not_negative(history, "history"),
            owner, dict(tags or {}), (about or cls.__doc__ or "").strip(),
        )  # fmt: skip
        _check(view)
        cls.spec = view
        for key in view.features:
            setattr(cls, key, Reference(view, key))

    def __new__(cls, *_: object, **__: object) -> FeatureView:
        """Refused: a view is a definition."""
        raise WrongType(
            f"{cls.__name__} is a definition and cannot be called. Read features as {cls.__name__}.<feature>."
        )

    @classmethod
    def select(cls, *names: str) -> list[Reference]:
        """Some features of the view."""
        return [cls.spec.reference(name) for name in names]


def feature_view(
    name: str,
    *,
    entity: Entity | Sequence[Entity],
    features: Mapping[str, Any],
    owner: str = "",
    tags: Mapping[str, str] | None = None,
    every: Duration | None = None,
    ttl: Duration | None = None,
    history: Duration = "1d",
    about: str = "",
) -> type[FeatureView]:
    """A feature view made from a mapping of names to expressions; the keywords are those of the class form."""
    for key, value in features.items():
        if not isinstance(value, Expr):
            raise WrongType(f"view {name!r}: feature {key!r} is {told(value)}, not an expression.")
    return ViewType(  # type: ignore[return-value]
        checked_name(name, "a view"), (FeatureView,), dict(features), entity=entity, name=name, owner=owner, tags=tags,
        every=every, ttl=ttl, history=history, about=about,
    )  # fmt: skip


def _refuse_uncalled(view: str, written: Mapping[str, Any]) -> None:
    """Refuse a public name that would silently not be a feature: an operator that was not called, or a plain value."""
    for name, value in written.items():
        if not name.startswith("_") and (is_uncalled(value) or not isinstance(value, Expr)):
            raise WrongType(
                f"view {view!r}: {name} = {told(value)} is no expression. Call it, or begin the name of a helper with an underscore."
            )


def _feature(value: Expr) -> Feature:
    """A feature of any expression; one on rows means its last row."""
    made = value if isinstance(value, Feature) else Feature(value)
    if made.expr.rows is None:
        return made
    from .build import fold_over

    return Feature(fold_over(operator("last"), made.expr), made.default, made.about)  # type: ignore[arg-type]


def _check(view: ViewSpec) -> None:
    if not view.features:
        raise Invalid(
            f"view {view.name!r} has no features. Write one per line: name = source.column.mean().over('7d')."
        )
    for name, feature in view.features.items():
        if name in _OWN:
            raise Invalid(f"view {view.name!r}: a feature cannot be named {name!r}.")
        checked_name(name, f"a feature of view {view.name!r}")
        for node in _own_folds(feature):
            _check_fold(view, name, node)


def _own_folds(feature: Expr) -> list[FoldOver]:
    """The folds written in this view, not those behind references."""
    found, stack = [], [feature]
    while stack:
        node = stack.pop()
        if isinstance(node, FoldOver):
            found.append(node)
        elif not isinstance(node, Reference):
            stack.extend(node.children)
    return found


def _check_fold(view: ViewSpec, name: str, node: FoldOver) -> None:
    missing = [key for key in view.keys if key not in node.source.keys]
    if missing:
        about = ", ".join(entity.name for entity in node.source.entities) or "nothing"
        raise Invalid(
            f"{view.name}:{name} folds source {node.source.name!r} by {missing}, but that source is about {about}. Name the entity in entities=."
        )
    for column in walk(node):
        if isinstance(column, SourceColumn):
            _check_known(view, name, node, column)


def _check_known(view: ViewSpec, name: str, node: FoldOver, column: SourceColumn) -> None:
    wait = node.source.known_after.get(column.name, 0)
    if node.window.delay < wait:
        raise Invalid(
            f"{view.name}:{name} could read {column!r} before it is known, {written(wait)} after its row. Use over(..., delay='{written(wait)}')."
        )


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
