from __future__ import annotations

from pathlib import Path

import pytest

import nowthen as nt
from nowthen.store.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store that nothing was written to yet."""
    made: Store = nt.connect(tmp_path / "store")
    return made


@pytest.fixture
def without_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing but this process, whatever cluster other tests have joined: its workers know no secrets."""
    monkeypatch.setattr("nowthen.engine.running.executor._connected", lambda: False)
