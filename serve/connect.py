"""What `nt.connect` gives: a store that also answers online."""

from __future__ import annotations

from os import PathLike
from typing import TYPE_CHECKING

from ..store.store import Store

if TYPE_CHECKING:
    from .online import Features


def connect(path: str | PathLike[str]) -> ConnectedStore:
    """The store in a folder, which is made when something is first written to it."""
    return ConnectedStore.in_folder(path)


class ConnectedStore(Store):
    """A store and what answers from it. `store/` knows no server, so the two meet here."""

    def online(self) -> Features:
        """The client of the published services, held in this process; close it, or use it in a `with`.

        Every call loads the snapshots anew, into memory of its own. Pushes to the store, whoever makes them, are seen by the next `get`.
        """
        from .in_process import InProcess
        from .online import Features
        from .published import StorePublication
        from .shard import Shard

        return Features(InProcess(Shard(StorePublication(self))))
