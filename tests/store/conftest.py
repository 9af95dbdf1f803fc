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
