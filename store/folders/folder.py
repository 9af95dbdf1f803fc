"""Folders by path or URL: where a store's bytes are."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike, fspath
from pathlib import Path
from urllib.parse import urlsplit

from ...engine.errors import Invalid
from ..ports import Folder

_OBJECTS = ("s3", "s3a", "gs", "az", "abfs", "abfss")


def open_folder(url: str | PathLike[str], storage: Mapping[str, str] | None = None) -> Folder:
    """The folder of that path or URL. Nothing is made or asked yet.

    `storage` holds options and secrets of an object store; without it the environment of each process is asked.
    """
    address = fspath(url)
    scheme = address.split("://", 1)[0].lower() if "://" in address else ""
    if scheme in _OBJECTS:
        from .object_folder import ObjectFolder

        return ObjectFolder.at(address, storage)
    if scheme not in ("", "file"):
        raise Invalid(f"a store cannot be at {scheme}://. Use a folder, or an address that begins with {_listed()}.")
    if storage:
        raise Invalid(f"storage= is for object stores; {address!r} is a local folder.")
    from .local_folder import LocalFolder

    return LocalFolder(_root(address, scheme))


def _root(address: str, scheme: str) -> Path:
    path = urlsplit(address).path if scheme == "file" else address
    if not path or "\0" in path:
        raise Invalid(f"{address!r} is not a folder.")
    return Path(path).expanduser().absolute()


def _listed() -> str:
    return ", ".join(f"{one}://" for one in _OBJECTS)
