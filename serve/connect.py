"""What `nt.connect` gives: a store that also answers online."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from typing import TYPE_CHECKING

from ..store.store import Store

if TYPE_CHECKING:
    from .online import Features


def connect(
    place: str | PathLike[str],
    *,
    storage: Mapping[str, str] | None = None,
    log: str | PathLike[str] | None = None,
) -> ConnectedStore:
    """The store in a folder, or at an address such as s3://bucket/folder; it is created when something is first written to it.

    `storage` holds options and secrets of an object store; without it each process looks in its environment, which is how workers of
    a cluster get them. `log` is a local folder for the pushed rows of a store that is not local itself.
    """
    return ConnectedStore.at(place, storage=storage, log=log)


class ConnectedStore(Store):
    """A store and what answers from it. `store/` knows no server, so the two meet here."""

    def online(self) -> Features:
        """The client of the published services, held in this process; close it, or use it in a `with`.

        Every client loads the snapshots again, into memory of its own. Pushes to the store, whoever makes them, are seen by the next `get`.
        """
        from .in_process import InProcess
        from .online import Features
        from .published import StorePublication
        from .shard import Shard

        return Features(InProcess(Shard(StorePublication(self)), f"{self!r} in this process"))
