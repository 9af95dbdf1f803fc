"""The store that an option or the settings name."""

from __future__ import annotations

from ..engine.errors import NotFound
from ..store.ledger.founding import identity
from .connect import ConnectedStore, connect
from .definitions import reachable
from .settings import Settings, settings, store_path


def store_here(place: str | None) -> ConnectedStore:
    """The store at `--store`, else where NOWTHEN_STORE or pyproject.toml says."""
    return store_of(settings(place, None))


def stored_here(place: str | None) -> ConnectedStore:
    """The same for commands that only make sense where something was stored."""
    return existing(store_here(place))


def existing(store: ConnectedStore) -> ConnectedStore:
    """A store that is there, or NotFound: a path that was mistyped is not taken for an empty store."""
    if identity(store.here.folder) is None:
        raise NotFound(
            f"there is no store at {store.here.folder.url!r}. Check --store, NOWTHEN_STORE or pyproject.toml; `nowthen apply` makes a new one."
        )
    return store


def store_of(found: Settings) -> ConnectedStore:
    """The store that settings name; the log of one that is not local is where they say, and so are functions of users."""
    if found.definitions:
        reachable(found.definitions)
    place = store_path(found)
    return connect(place, log=found.log if "://" in place else None)
