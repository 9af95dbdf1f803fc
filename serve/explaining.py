"""How the features of a service or view are computed, for people and as data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from ..engine.errors import Invalid, NotFound
from ..engine.folds.online import Online
from ..engine.language import dtype as types
from ..engine.language.duration import written
from ..engine.language.nodes import Reference
from ..engine.language.service import FeatureService
from ..engine.plan.reader import Loaded, Reader
from ..engine.record import record
from ..engine.running.training_set import TrainingSet
from ..engine.showing.explained import Explained
from ..store.sources.reading import reader_of
from ..store.sources.training import columns_of, training_set
from .backfill import target_of
from .out_file import checked_out
from .settings import settings

if TYPE_CHECKING:
    from ..store.store import Store

_AT = "time of each row"  # of a spine without rows, for people; no key is named so


@record
class Asked:
    """What the command line asks for."""

    target: str
    spine: str | None
    at: str | None
    analyze: bool
    engine: str
    memory: str | None
    workers: int | None

    def check(self) -> None:
        """Refuse what lacks its other half."""
        if (self.spine is None) != (self.at is None):
            raise Invalid(
                "--spine FILE and --at COLUMN go together: the rows, and the column that holds the time to compute features at."
            )
        if self.analyze and self.spine is None:
            raise Invalid("--analyze computes a training set. Over which rows? Pass --spine FILE --at COLUMN.")


@record
class Found:
    """The service or features that were asked for, and what makes training sets of them."""

    asked: Asked
    features: FeatureService | list[Reference]
    training_set: Callable[..., TrainingSet]

    @cached_property
    def columns(self) -> Mapping[str, Reference]:
        """The features by column."""
        return columns_of(self.features)

    @cached_property
    def explained(self) -> Explained:
        """The training set's plan; run, if that was asked for."""
        one = self.asked
        train = self.training_set(_spine(one, self.columns), self.features, at=one.at or _AT)
        return train.explain(analyze=one.analyze, engine=one.engine, memory=one.memory, workers=one.workers)


def asked_for(asked: Asked, store: str | None, definitions: str | None) -> Found:
    """What the definitions have of that name, over the sources themselves, else what the store has, over its tables."""
    given = settings(store, definitions)
    if not given.definitions and not given.store:
        raise Invalid(
            "features of which definitions? Pass --definitions FILE_OR_MODULE, or --store PATH for those that were applied; "
            "or set NOWTHEN_DEFINITIONS or NOWTHEN_STORE, or write either under [tool.nowthen] in pyproject.toml."
        )
    target = target_of(asked.target, given)
    if not isinstance(target, str):
        return Found(asked, target, training_set)
    from .store_here import existing, store_of

    place = existing(store_of(given))
    return Found(asked, _applied(place, target), place.training_set)


def _applied(store: Store, name: str) -> FeatureService | list[Reference]:
    """The service of that name in a store, else the features of the view."""
    from ..store.rows.pinned import resolved

    try:
        return store.service(name)
    except NotFound:
        return list(resolved(store.registry, name).values())


class _NoRows(Loaded):
    """A spine without rows, called what it stands for."""

    def describe(self) -> str:
        """What any spine is."""
        return "the rows asked about"


def _spine(asked: Asked, features: Mapping[str, Reference]) -> Reader:
    """The file, or the columns it would need without a row."""
    if asked.spine is not None:
        return reader_of(asked.spine, "labels")
    online = Online(features)
    return _NoRows(pl.DataFrame(schema={**online.request, **online.keys, _AT: types.UTC}))


def drawn(plan: Explained, place: str) -> Path:
    """The plan as a picture in a file."""
    path = checked_out(place, "--svg", suffix="")
    path.write_text(plan.svg())
    return path


def explained(found: Found) -> dict[str, Any]:
    """The groups of folds, what they read and how far back, and the features over them."""
    online = Online(found.columns)
    return {
        **_named(found),
        "features": {name: repr(reference.feature) for name, reference in found.columns.items()},
        "groups": [
            {
                "source": side.scan.source.name,
                "keys": [name for name, _ in side.keys],
                "columns": list(side.scan.columns),
                "reach": None if side.reach is None else written(side.reach),
                "folds": [folding.describe() for folding in side.foldings],
            }
            for side in online.sides
        ],
    }


def _named(found: Found) -> dict[str, str]:
    if isinstance(found.features, FeatureService):
        return {"service": found.features.name, "version": found.features.version}
    return {"view": found.asked.target}


def told(facts: dict[str, Any]) -> str:
    """The same in lines."""
    lines = [f"{facts['service']} {facts['version'][:12]}" if "service" in facts else f"view {facts['view']}"]
    lines += [f"  {name} = {expr}" for name, expr in facts["features"].items()]
    for group in facts["groups"]:
        by = ", ".join(group["keys"]) or "nothing (global)"
        lines += [
            f"  {group['source']} by {by}, reaching back {group['reach'] or 'forever'}, columns {', '.join(group['columns'])}"
        ]
        lines += [f"    {fold}" for fold in group["folds"]]
    return "\n".join(lines)
