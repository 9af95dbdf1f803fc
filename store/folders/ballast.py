"""A file of 1 MiB that is worth its room: on a full disk cleanup removes it first, so that what it has to write finds room."""

from __future__ import annotations

from contextlib import suppress

import numpy as np

from ...engine.errors import StorageFull
from ..ports import Folder
from .names import new_token

_PATH, _BYTES = "ballast", 1 << 20
_PROBE = 1 << 18  # more than a cleanup of a small disk writes; one page may be free where two are needed


def kept(folder: Folder) -> None:
    """Make the ballast of a local store where there is none; without room for it there is none."""
    if "://" in folder.url:
        return
    with suppress(StorageFull):
        # Noise: zeros would take no room on a file system that compresses.
        folder.put_new(_PATH, np.random.default_rng(0).bytes(_BYTES))


def released_if_full(folder: Folder) -> None:
    """Give the room of the ballast free, if nothing else can be written."""
    if "://" in folder.url:
        return
    probe = f"notes/probe.{new_token()}"
    try:
        folder.put_new(probe, np.random.default_rng(1).bytes(_PROBE))
    except StorageFull:
        folder.delete([_PATH])
    else:
        folder.delete([probe])
