"""What NowThen's ways through join.py and windows.py share: the sources and how a training set is collected."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

import nowthen as nt

holder = nt.Entity("holder", keys={"key": pl.Int64}, about="Whoever the events are about.")


def source(data: Path, table: str) -> nt.Source:
    """One table of events."""
    return nt.Source(table, nt.Parquet(data / f"{table}.parquet"), event_time="time", entities=[holder])


def collecting(
    data: Path, features: Mapping[str, Any], engine: str, memory: str | None, workers: int | None
) -> Callable[[], pl.DataFrame | pl.LazyFrame]:
    """A function that collects the features at every row of the spine once; `memory` is passed on only where it is given.

    The engine "store" is this process, and reads the tables from a store; "file" is this process too, and leaves a file beside the data.
    """
    if engine == "ray":
        from ray_cluster import start_ray  # only here: the local engine does without Ray

        start_ray(workers)
    view = nt.feature_view("measured", entity=holder, features=features)
    budget: dict[str, Any] = {"memory": memory} if memory else {}
    if engine == "store":
        from travel_store import stored  # only here: the others do without a store

        store = stored(data, sorted({feature.source.name for feature in features.values()}))
        return lambda: store.training_set(data / "spine.parquet", view, at="time").collect(engine="local", **budget)
    made = nt.training_set(data / "spine.parquet", view, at="time")
    if engine == "file":
        return lambda: sunk(made, data / "features.parquet", budget)
    return lambda: made.collect(engine=engine, **budget)


def sunk(made: nt.TrainingSet, path: Path, budget: Mapping[str, Any]) -> pl.LazyFrame:
    """The features in a file, which nobody has read yet."""
    made.sink_parquet(path, engine="local", **budget)
    return pl.scan_parquet(path)
