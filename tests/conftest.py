"""What tests share: one local Ray for the whole run, and both forms of the loops."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(params=["numpy", "compiled"])
def loops(request: pytest.FixtureRequest) -> Iterator[None]:
    """Both forms of the engine's loops, whatever the size of the data."""
    from nowthen.engine.folds import compiled

    found = compiled.warm() if request.param == "compiled" else None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiled, "kernels", lambda work: found)
        yield


@pytest.fixture(scope="session")
def ray_cluster() -> Iterator[Any]:
    """A real local Ray with two CPUs. Tests that ask for it carry the marker `ray`."""
    import ray

    started = not ray.is_initialized()
    if started:
        _start(ray)
    yield ray
    if started:
        ray.shutdown()


def _start(ray: Any, attempts: int = 3) -> None:
    """Start Ray; on a busy machine its processes may find each other too late, then once more."""
    for attempt in range(1, attempts + 1):
        try:
            ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False)
            return
        except Exception:
            ray.shutdown()
            if attempt == attempts:
                raise


@pytest.fixture
def bucketed() -> Iterator[None]:
    """Every At streamed or, with keys, answered bucket by bucket, however small; several pieces, several buckets a step."""
    module = importlib.import_module("nowthen.engine.rules.choose_way")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_SMALL", -1)
        patch.setattr(module, "_LARGEST_PIECE", 2)
        patch.setattr(module, "_PASSED", 2)
        patch.setattr(importlib.import_module("nowthen.store.sources.parquet"), "_SMALL", 0)
        patch.setattr(
            importlib.import_module("nowthen.engine.running.training_set"), "slots", lambda engine, most: most or 8
        )
        yield


@pytest.fixture
def without_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing but this process, whatever cluster other tests have joined: its workers know no secrets and no modules of a test."""
    monkeypatch.setattr("nowthen.engine.running.executor._connected", lambda: False)
