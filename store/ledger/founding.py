"""The file that says what a folder is: `store.json`, made before the first entry.

Until that entry is there `notes/founding` lies beside it. So a store without entries whose first writer died is told from one whose ledger was lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import uuid4

from ...engine.errors import Corrupt, Invalid, NotFound
from ...engine.folds.hashing import HASH_VERSION
from ..folders import ballast
from ..folders.canonical import sealed, unsealed
from ..folders.place import STORE
from ..ports import Folder
from .entry import FORMAT, number_of, path_of

FOUNDING: Final = "notes/founding"  # a cleanup removes one that a crash left behind the first entries
_FIRST: Final = b'{"format": 1, "hash": 1}'  # what stood there in stores of the first format


def founded(folder: Folder) -> None:
    """Make a folder a store, unless it is one."""
    if identity(folder) is None:
        folder.put_new(FOUNDING, b"")
        folder.put_new(STORE, sealed({"format": FORMAT, "hash": HASH_VERSION, "store": str(uuid4())}))
        ballast.kept(folder)
    refuse_lost(folder)


def refuse_lost(folder: Folder) -> None:
    """`Corrupt` where the ledger of a store is gone."""
    if lost(folder):
        raise Corrupt(
            f"{path_of(1)} is missing, and all entries with it, though {folder.url} was a store: its ledger was lost, or this is a backup "
            "that was broken off. Restore a backup, or put ledger/ back."
        )


def lost(folder: Folder) -> bool:
    """Whether there is no entry, though there was one: the founding is over. Looks at the ledger last, as another may found the store meanwhile."""
    if not _there(folder, STORE) or _there(folder, FOUNDING):
        return False
    return all(number_of(path) is None for path, *_ in folder.listed("ledger"))


def identity(folder: Folder) -> Mapping[str, Any] | None:
    """What `store.json` says: format, hash version, and an id of the store; None where nothing was stored yet."""
    content = _content(folder)
    if content is None:
        return None
    if content == _FIRST:
        raise Invalid(_another(folder, 1, HASH_VERSION))
    said = unsealed(content, STORE)
    if "store" not in said:
        raise Corrupt(f"{folder.url}: {STORE} is damaged: it holds another file. Copy it from a backup of this store.")
    if (said.get("format"), said.get("hash")) != (FORMAT, HASH_VERSION):
        raise Invalid(_another(folder, said.get("format"), said.get("hash")))
    return said


def _content(folder: Folder) -> bytes | None:
    for _ in range(2):  # another may make it a store between the looks at the file and at the ledger
        try:
            return folder.get(STORE)
        except NotFound:
            if not any(True for _ in folder.listed("ledger")):
                return None
    raise Corrupt(f"{folder.url}: {STORE} is missing, though there is a ledger. Copy it from a backup of this store.")


def _there(folder: Folder, path: str) -> bool:
    try:
        folder.get(path)
    except NotFound:
        return False
    return True


def _another(folder: Folder, version: object, hashed: object) -> str:
    return (
        f"{folder.url} is a store of format {version} with hash {hashed}; this is NowThen for format {FORMAT} with hash {HASH_VERSION}. "
        f"Export from the NowThen that wrote it, or ingest again."
    )
