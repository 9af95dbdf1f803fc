"""A backfill before it runs: which features, over which rows, from where, and how it will be carried out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from ..engine.errors import Invalid, NotFound, did_you_mean
from ..engine.language.duration import positive
from ..engine.language.nodes import Reference
from ..engine.plan.budget import bytes_of
from ..engine.plan.lower import Open
from ..engine.plan.reader import Reader
from ..engine.plan.way import Resources
from ..engine.record import record
from ..engine.running.executor import on
from ..engine.running.training_set import TrainingSet
from ..engine.running.training_set import training_set as over_spine
from ..store.sources.grid import AT
from ..store.sources.reading import reader_of
from ..store.sources.training import columns_of, opened
from .backfill_out import check_apart, resume_folder
from .backfill_spine import grid_over
from .definitions import Definitions, load
from .out_file import checked_out, in_job
from .settings import Settings, definitions_path, settings


@record
class Asked:
    """What the command line asks for: features, and the rows to fill with them, a spine's or a grid's."""

    target: str
    spine: str | None = None
    at: str | None = None
    start: str | None = None
    end: str | None = None
    every: str = "1d"
    keys: str | None = None
    known_at: str | None = None
    full_names: bool = False


@record
class How:
    """Where to, and with what."""

    out: str | None
    engine: str = "auto"
    memory: str | None = None
    workers: int | None = None
    deadline: str | None = None
    resume: str | None = None
    fresh: bool = False
    status: bool = False

    def check(self) -> None:
        """Refuse options that make no sense before anything long begins."""
        on(self.engine)
        bytes_of(self.memory)
        if self.deadline is not None:
            positive(self.deadline, "--deadline")
        if self.workers is not None and self.workers < 1:
            raise Invalid(f"--workers {self.workers}: give at least one.")


@record
class Ready:
    """A backfill that can run."""

    target: str
    train: TrainingSet
    out: Path
    engine: str
    how: How
    resume: Path | None  # None where what is read may change between two runs

    @property
    def on_ray(self) -> bool:
        """Whether it runs on a cluster, or in this process."""
        return on(self.engine) == "run_ray"

    @property
    def options(self) -> dict[str, Any]:
        """What the plan depends on."""
        how = self.how
        return {"engine": self.engine, "status": how.status, "memory": how.memory, "workers": how.workers}


def prepared(asked: Asked, how: How, store: str | None, definitions: str | None, *, read_sources: bool) -> Ready:
    """Check all that can be checked before rows are read. Only a grid over all keys reads them here, for its keys."""
    assert how.out is not None, "else the values go into the store"
    out = checked_out(how.out)
    how.check()
    given = settings(store, definitions)
    features, open_source = _features(asked, given, read_sources)
    spine = _spine(asked, features, open_source, how.memory)
    at = str(asked.at) if asked.spine else AT
    known = _known_at(asked.known_at, spine.schema())
    train = over_spine(spine, features, at=at, open_source=open_source, known_at=known)
    check_apart(out, train, *([reader_of(asked.keys, "keys")] if asked.keys else []))
    engine = joined(how)
    return Ready(asked.target, train, out, engine, how, resume_folder(train, how.resume, out))


def _features(asked: Asked, given: Settings, read_sources: bool) -> tuple[dict[str, Reference], Open]:
    """The features by column, and what opens their sources: a store's tables, all as they are now, or the sources themselves."""
    if read_sources or not given.store:
        target = _defined(load(definitions_path(given)), asked.target)
        return columns_of(target, full_names=asked.full_names), lambda spec: opened(spec, spec.open())
    from ..store.rows.pinned import opener, resolved
    from .store_here import store_of

    store = store_of(given)
    chosen = resolved(store.registry, target_of(asked.target, given), full_names=asked.full_names)
    return chosen, opener(store.here, None)


def target_of(target: str, given: Settings) -> Any:
    """What is asked for, by the definitions, if they are known and no version is named; else by its name, for the store to find."""
    if given.definitions and "@" not in target:
        return _defined(load(definitions_path(given)), target)
    return target


def _defined(found: Definitions, name: str) -> Any:
    """The service, view or feature of that name; the views of services count too, wherever they were written."""
    plain, _, feature = name.partition(":")
    if plain in found.services and not feature:
        return found.services[plain]
    within = [reference.view for service in found.services.values() for reference in service.features.values()]
    views = {view.name: view for view in [*within, *(view.spec for view in found.views.values())]}
    if plain not in views:
        known = views if feature else [*views, *found.services]
        raise NotFound(
            f"the definitions have no {'view' if feature else 'service or view'} {plain!r}. {did_you_mean(plain, known)}"
        )
    return [views[plain].reference(one) for one in ([feature] if feature else views[plain].features)]


def _spine(asked: Asked, features: Mapping[str, Reference], open_source: Open, memory: str | None) -> Reader:
    if asked.spine is not None:
        unused = [
            name for name, value in (("--from", asked.start), ("--to", asked.end), ("--keys", asked.keys)) if value
        ]
        if unused:
            raise Invalid(
                f"{', '.join(unused)}: only for a grid. With --spine the rows are those of its file; pass one or the other."
            )
        if asked.at is None:
            raise Invalid("--spine needs --at COLUMN: which of its columns holds the time to compute features at?")
        return reader_of(asked.spine, "spine")
    if asked.start is None or asked.end is None:
        raise Invalid(
            "which rows? Pass --spine FILE --at COLUMN, or --from TIME --to TIME (and --every) for a grid over all keys."
        )
    if asked.at is not None:
        raise Invalid(f"--at names a column of --spine FILE; the time of a grid is its column {AT!r}.")
    return grid_over(features, open_source, (asked.start, asked.end, asked.every), asked.keys, bytes_of(memory))


def _known_at(given: str | None, schema: Mapping[str, pl.DataType]) -> str | datetime | None:
    """A column, "latest", or the time that is written."""
    if given is None or given == "latest" or given in schema:
        return given
    try:
        return datetime.fromisoformat(given)
    except ValueError:
        raise Invalid(
            f"--known-at {given!r} is not a column of the spine, an ISO time or 'latest'. {did_you_mean(given, schema)}"
        ) from None


def joined(how: How) -> str:
    """The engine, connected to the cluster where there is one to join."""
    if how.engine == "ray" or (how.engine == "auto" and in_job()):
        from ..engine.running import run_ray

        run_ray.connect(Resources(bytes_of(how.memory), 1).of_shelf)
        return "ray"
    return how.engine
