"""The store that an option or the settings name."""

from __future__ import annotations

from .connect import ConnectedStore, connect
from .settings import settings, store_path


def store_here(place: str | None) -> ConnectedStore:
    """The store at `--store`, else where NOWTHEN_STORE or pyproject.toml says."""
    return connect(store_path(settings(place, None)))
