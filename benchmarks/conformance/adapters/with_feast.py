"""Feast: get_historical_features with the offline store that is named, and get_online_features from SQLite.

Columns have the names of Feast's documentation; frames go in as pandas, whose integers are nullable where a null is among them, and come out as Arrow.

* point-in-time joins: https://docs.feast.dev/getting-started/concepts/point-in-time-joins
* offline stores: https://docs.feast.dev/reference/offline-stores
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig, ValueType
from feast.types import Float64, Int64, String

from .wire import Case, NotApplicable, arrow, duration, moved, serve

LACKS = {
    "window": "offline stores join, they do not aggregate over windows",
    "row": "Feast knows no identity of a row beside key and times",
}
_JOINS_BY_BROADCAST_MB = 1  # the least that RayOfflineStoreConfig takes; larger tables are joined the distributed way
_OTHERS = 100_000  # rows of a key nobody asks, which make a table that large
_NOBODY = 1_000_000
_OFFLINE: dict[str, dict[str, Any]] = {
    "dask": {"type": "dask"},
    "duckdb": {"type": "duckdb"},
    "ray": {"type": "ray"},
    "ray-distributed": {"type": "ray", "broadcast_join_threshold_mb": _JOINS_BY_BROADCAST_MB},
}


def answer(case: Case, engine: str) -> pa.Table:
    """The spine with the feature `found`."""
    return served(moved(case, datetime.now(UTC)), engine) if case["ask"]["online"] else trained(case, engine)


def trained(case: Case, engine: str) -> pa.Table:
    """What get_historical_features says."""
    ask = case["ask"]
    spine = renamed(arrow(case["spine"]))
    events = arrow(case["events"])
    if engine == "ray-distributed":
        events = pa.concat_tables([events, others(events)])
    as_known = ask["known"] and ask["known_at"] is None
    with feature_store(case, events, engine) as store:
        asked = pandas(spine)
        try:
            job = store.get_historical_features(asked, ["view:found"], filter_by_created_timestamp=as_known)
        except NotImplementedError as refused:
            raise NotApplicable(str(refused)) from None
        found = job.to_arrow()
    return found.rename_columns(["time" if name == "event_timestamp" else name for name in found.column_names])


def served(case: Case, engine: str) -> pa.Table:
    """What get_online_features says now, after the events were materialized and the pushes written."""
    spine = arrow(case["spine"])
    with feature_store(case, arrow(case["events"]), engine) as store:
        now = datetime.now(UTC)
        store.materialize(now - timedelta(days=365), now + timedelta(minutes=1))
        store.write_to_online_store("view", pandas(renamed(arrow(case["pushed"]).drop_columns(["row"]))))
        got = store.get_online_features(["view:found"], [{"key": key} for key in spine["key"].to_pylist()])
        return spine.append_column("found", pa.array(got.to_dict()["found"], type=pa.int64()))


@contextmanager
def feature_store(case: Case, events: pa.Table, engine: str) -> Iterator[FeatureStore]:
    """A repository with the events in a file and one view on them."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.parquet"
        pq.write_table(renamed(events), path)
        store = FeatureStore(config=configured(engine, Path(folder)))
        store.apply(definitions(case, path))
        yield store


def configured(engine: str, folder: Path) -> RepoConfig:
    """The configuration that feature_store.yaml would have."""
    offline = dict(_OFFLINE[engine])
    if offline["type"] == "ray":
        offline["storage_path"] = str(folder / "ray")
    return RepoConfig(
        project="conformance",
        registry=str(folder / "registry.db"),
        provider="local",
        offline_store=offline,
        online_store={"type": "sqlite", "path": str(folder / "online.db")},
        entity_key_serialization_version=3,
    )


def definitions(case: Case, path: Path) -> list[Any]:
    """The entities, the source and the view. A ttl of 0 is for ever."""
    ask, columns = case["ask"], case["events"]["columns"]
    entities = [Entity(name=key, join_keys=[key], value_type=value_type(columns[key])) for key in ask["keys"]]
    source = FileSource(
        name="events",
        path=str(path),
        timestamp_field="event_timestamp",
        created_timestamp_column="created" if ask["known"] else "",
    )
    view = FeatureView(
        name="view",
        entities=entities,
        ttl=duration(ask["ttl"]) if ask["ttl"] else timedelta(0),
        schema=[
            *(Field(name=key, dtype=feast_type(columns[key])) for key in ask["keys"]),
            Field(name="found", dtype=feast_type(columns["value"])),
        ],
        source=source,
        online=ask["online"],
    )
    return [*entities, source, view]


def value_type(kind: str) -> ValueType:
    """The type of a key as entities have it."""
    return {"int64": ValueType.INT64, "int32": ValueType.INT64, "string": ValueType.STRING}[kind]


def feast_type(kind: str) -> Any:
    """The type of a column as fields have it."""
    return {"int64": Int64, "float64": Float64, "string": String}[kind]


def renamed(table: pa.Table) -> pa.Table:
    """The table with the names of Feast's documentation."""
    names = {"time": "event_timestamp", "known": "created", "value": "found"}
    return table.rename_columns([names.get(name, name) for name in table.column_names])


def pandas(table: pa.Table) -> pd.DataFrame:
    """The table as pandas; integers with a null among them stay integers."""
    with_null = [
        name for name in table.column_names if table[name].null_count and table.schema.field(name).type == pa.int64()
    ]
    frame = table.to_pandas()
    return frame.assign(**{name: pd.array(table[name].to_pylist(), dtype="Int64") for name in with_null})


def others(events: pa.Table) -> pa.Table:
    """Many rows of a key that no case asks."""
    return pa.table([filling(field) for field in events.schema], schema=events.schema)


def filling(field: pa.Field) -> pa.Array:
    """One column of them; the values differ, so that they take the room they have in real tables."""
    if pa.types.is_timestamp(field.type):
        return pa.array([datetime(2026, 1, 5, 11, 30)] * _OTHERS, type=pa.timestamp("us")).cast(field.type)
    if field.name == "value":
        return pa.array(range(_OTHERS), type=pa.int64()).cast(field.type)
    return pa.array([_NOBODY] * _OTHERS, type=pa.int64()).cast(field.type)


if __name__ == "__main__":
    chosen = sys.argv[1] if len(sys.argv) > 1 else "dask"
    serve(lambda case: answer(case, chosen), LACKS)
