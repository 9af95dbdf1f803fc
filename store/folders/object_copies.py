"""Copies of objects on the local disk, to be mapped into memory."""

from __future__ import annotations

import hashlib
import time
from contextlib import suppress
from pathlib import Path

from .durable import storing
from .names import new_token
from .object_client import Client

_KEPT_S = 7 * 86_400.0


class Copies:
    """A folder of copies, each named by address, path and the tag that the object store gives to its bytes."""

    def __init__(self, folder: Path, client: Client) -> None:
        self._folder = folder
        self._client = client

    def copy(self, path: str) -> Path:
        """The copy of an object as it is now; it is made unless it is there. Files are mapped: one that is removed stays readable to who has it."""
        meta = self._client.asked(lambda: self._client.store.head(path), f"reading {path}")
        said = f"{self._client.settings.url}\n{path}\n{meta['e_tag']}\n{meta['version']}\n{meta['size']}"
        place = self._folder / f"{hashlib.sha256(said.encode()).hexdigest()[:32]}{Path(path).suffix}"
        if place.is_file() and place.stat().st_size == meta["size"]:
            with suppress(FileNotFoundError):
                place.touch()
                return place
        self._client.asked(lambda: self._fetched(path, place), f"reading {path}")
        return place

    def swept(self) -> int:
        """Remove copies that nobody asked for in a week; the bytes that this freed."""
        old = [one for one in self._folder.glob("*") if one.stat().st_mtime < time.time() - _KEPT_S]
        freed = sum(one.stat().st_size for one in old)
        for one in old:
            one.unlink(missing_ok=True)
        return freed

    def _fetched(self, path: str, place: Path) -> None:
        draft = place.with_name(f"{place.name}.{new_token()}")
        with storing(place):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                with draft.open("wb") as file:
                    for part in self._client.bulk.get(path).stream():
                        file.write(part)
                draft.replace(place)
            finally:
                draft.unlink(missing_ok=True)
