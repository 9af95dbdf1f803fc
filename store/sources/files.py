"""Files that a path means: one, the files of a folder, those of a glob, or an object-store address."""

from __future__ import annotations

import glob
import re
from pathlib import Path

from ...engine.errors import Invalid, NotFound, did_you_mean

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+://")


class MissingFile(NotFound, FileNotFoundError):
    """There is no such file."""


def is_address(path: str) -> bool:
    """Whether a path is an address of an object store."""
    return _ADDRESS.match(path) is not None


def files(path: str, endings: tuple[str, ...]) -> list[str]:
    """The files a path means, in path order. Addresses (`s3://...`) are handed on as they are.

    A path that means no file is `MissingFile`; an empty file is `Invalid`.
    """
    if _ADDRESS.match(path):
        return [path]
    found = _found(path, endings)
    for one in found:
        if Path(one).stat().st_size == 0:
            raise Invalid(f"{one!r} is empty: 0 bytes. Write it again, or leave it out.")
    return found


def _found(path: str, endings: tuple[str, ...]) -> list[str]:
    place = Path(path)
    if place.is_dir():
        found = [
            str(one)
            for one in sorted(place.rglob("*"))
            if one.is_file() and _counts(one.relative_to(place)) and one.name.endswith(endings)
        ]
        if not found:
            raise MissingFile(f"folder {path!r} has no {' or '.join(endings)} file. {_listing(place)}")
        return found
    if place.exists():
        return [path]
    found = sorted(one for one in glob.glob(path, recursive=True) if Path(one).is_file())
    if not found:
        raise MissingFile(_not_there(place))
    return found


def _counts(relative: Path) -> bool:
    """False for what writers hide: `_SUCCESS`, `.part-0.crc`, `_temporary/...`."""
    return not any(part.startswith(("_", ".")) for part in relative.parts)


def _not_there(place: Path) -> str:
    parent = next(folder for folder in (place, *place.absolute().parents) if folder.is_dir())
    return f"nothing is at {str(place)!r}. {_listing(parent, place.name)}"


def _listing(folder: Path, wanted: str = "") -> str:
    return f"In {str(folder)!r}: {did_you_mean(wanted, [one.name for one in folder.iterdir() if not one.name.startswith('.')])}"


def shown(path: str) -> str:
    """A path as people may see it: without user, password or query of an address.

    >>> shown("s3://key:secret@bucket/tx.parquet?token=1")
    's3://bucket/tx.parquet'
    """
    if not _ADDRESS.match(path):
        return path
    scheme, rest = path.split("://", 1)
    host, slash, tail = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{tail.partition('?')[0]}"
