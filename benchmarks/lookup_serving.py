"""What a lookup is timed on: the demo's transactions published in a store of their own, NowThen serving it, and an empty method beside it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
from ray import serve

import nowthen as nt
from nowthen.serve.deployment import start, stop

sys.path.insert(0, str(Path(__file__).parents[1] / "examples" / "fraud"))

import features  # the example is no package, so its folder is put on the path first
import generate

ASKED = 2_000


def publish(folder: Path, rows: int) -> pl.DataFrame:
    """Questions with their right answers, once the transactions are ingested and the service is published in `folder`."""
    path = folder / "transactions.parquet"
    generate.transactions(rows).write_parquet(path)
    source = features.source(path)
    service = features.define(source)
    store = nt.connect(folder / "store")
    store.apply(service)
    store.ingest(source)
    store.snapshot(service)
    return answers(path, service)


def answers(path: Path, service: nt.FeatureService) -> pl.DataFrame:
    """Some transactions moved to the time of the last one, with the features the training set has for them then.

    The end of the data, not the wall clock: years later every window would be empty, and cheap.
    """
    rows = pl.read_parquet(path)
    asked = rows.sample(min(ASKED, rows.height), seed=7).with_columns(tx_datetime=pl.lit(rows["tx_datetime"].max()))
    return nt.training_set(asked.drop("fraud"), service, at="tx_datetime").collect(engine="local")


@contextmanager
def serving(folder: Path) -> Iterator[Any]:
    """A handle of the published service while NowThen serves the store, and the empty deployment beside it."""
    start(nt.connect(str(folder / "store")), port=None)
    try:
        serve.run(empty_application(), name="empty", route_prefix=None)
        yield nt.handle("fraud_model")
        serve.delete("empty")
    finally:
        stop()


def empty_handle() -> Any:
    """The handle of the empty deployment."""
    return serve.get_app_handle("empty")


def empty_application() -> serve.Application:
    """The least a Serve deployment can do; a class in here, so that replicas get it by value and need not find this file."""

    class Empty:
        async def nothing(self) -> None: ...

    return serve.deployment(max_ongoing_requests=100)(Empty).bind()
