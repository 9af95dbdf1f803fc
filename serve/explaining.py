"""How a service's features are computed, for people and as data."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from ..engine.errors import Invalid
from ..engine.folds.online import Online
from ..engine.language import dtype as types
from ..engine.language.duration import written
from ..engine.language.service import FeatureService
from ..engine.record import record
from ..engine.running.training_set import TrainingSet
from ..engine.showing.explained import Explained
from .definitions import load
from .out_file import checked_out
from .settings import definitions_path, settings

_AT = "__at"  # of a spine without rows


@record
class Asked:
    """What the command line asks for."""

    service: str
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
    """The service that was asked for, and what makes training sets of it."""

    asked: Asked
    service: FeatureService
    training_set: Callable[..., TrainingSet]

    @cached_property
    def explained(self) -> Explained:
        """The training set's plan; run, if that was asked for."""
        one = self.asked
        train = self.training_set(_spine(one, self.service), self.service, at=one.at or _AT)
        return train.explain(analyze=one.analyze, engine=one.engine, memory=one.memory, workers=one.workers)


def asked_for(asked: Asked, store: str | None, definitions: str | None) -> Found:
    """The service from the definitions, over the sources themselves, else from the store, over its tables."""
    given = settings(store, definitions)
    if given.definitions:
        from ..store.sources.training import training_set

        return Found(asked, load(definitions_path(given)).service(asked.service), training_set)
    from .store_here import store_of

    place = store_of(given)
    return Found(asked, place.service(asked.service), place.training_set)


def _spine(asked: Asked, service: FeatureService) -> Any:
    """The file, or the columns it would need without a row."""
    if asked.spine is not None:
        return asked.spine
    online = Online(service.features)
    return pl.DataFrame(schema={**online.request, **online.keys, _AT: types.UTC})


def drawn(plan: Explained, place: str) -> Path:
    """The plan as a picture in a file."""
    path = checked_out(place, "--svg", suffix="")
    path.write_text(plan.svg())
    return path


def explained(service: FeatureService) -> dict[str, Any]:
    """The groups of folds, what they read and how far back, and the features over them."""
    online = Online(service.features)
    return {
        "service": service.name,
        "version": service.version,
        "features": {name: repr(reference.feature) for name, reference in service.features.items()},
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


def told(facts: dict[str, Any]) -> str:
    """The same in lines."""
    lines = [f"{facts['service']} {facts['version'][:12]}"]
    lines += [f"  {name} = {expr}" for name, expr in facts["features"].items()]
    for group in facts["groups"]:
        by = ", ".join(group["keys"]) or "nothing (global)"
        lines += [
            f"  {group['source']} by {by}, reaching back {group['reach'] or 'forever'}, columns {', '.join(group['columns'])}"
        ]
        lines += [f"    {fold}" for fold in group["folds"]]
    return "\n".join(lines)
