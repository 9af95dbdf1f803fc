"""The store that an option or the settings name."""

from __future__ import annotations

from .connect import ConnectedStore, connect
from .definitions import reachable
from .settings import Settings, settings, store_path


def store_here(place: str | None) -> ConnectedStore:
    """The store at `--store`, else where NOWTHEN_STORE or pyproject.toml says."""
    return store_of(settings(place, None))


def store_of(found: Settings) -> ConnectedStore:
    """The store that settings name; the log of one that is not local is where they say, and so are functions of users."""
    if found.definitions:
        reachable(found.definitions)
    place = store_path(found)
    return connect(place, log=found.log if "://" in place else None)
