"""What tests of serving share: the bank's store, a shard over it, and one Ray for all that need it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nowthen.serve.connect import ConnectedStore
from nowthen.serve.online import Features
from nowthen.serve.published import StorePublication
from nowthen.serve.shard import Shard

from . import bank


@pytest.fixture
def store(tmp_path: Path) -> Any:
    return bank.published(tmp_path)


@pytest.fixture
def shard(store: Any) -> Shard:
    return Shard(StorePublication(store))


@pytest.fixture
def features(store: ConnectedStore) -> Features:
    return store.online()


@pytest.fixture(scope="session")
def cluster() -> Iterator[None]:
    import ray
    from ray import serve

    started = not ray.is_initialized()
    if started:
        ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield
    serve.shutdown()  # type: ignore[no-untyped-call]
    if started:
        ray.shutdown()
