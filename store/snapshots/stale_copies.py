"""The copies of snapshots' notes that servers look at, put right before the shards that an old one names are removed."""

from __future__ import annotations

from ...engine.errors import NotFound
from ..folders.canonical import sealed
from ..ports import Here
from .manifest import copy_of, put_copy

_NAME = "snapshot/"


def put_stale_copies(here: Here) -> None:
    """Put every copy that is not what the ledger names, as a publisher leaves it that dies between its entry and the copy."""
    for name, note in here.ledger.head().names.items():
        if name.startswith(_NAME):
            service = name.removeprefix(_NAME)
            try:
                same = here.folder.get(copy_of(service)) == sealed(here.notes.get(note))
            except NotFound:
                same = False
            if not same:
                put_copy(here, service)
