"""Where a store may be: what is wrong with a path is said before anything is made."""

from __future__ import annotations

from os import PathLike, fspath
from pathlib import Path
from typing import Final

from ...engine.errors import Invalid, WrongType
from ..sources.files import MissingFile

STORE: Final = "store.json"  # the mark of a store
_OWN = frozenset({STORE, "ledger", "notes", "tables", "features", "training", "snapshots", "log", "draft", "ballast"})


def checked_place(place: str | PathLike[str]) -> str:
    """The path or address, if there is a store or may be one: an empty folder, or none in a folder that is there."""
    if not isinstance(place, str | bytes | PathLike):
        raise WrongType(f"{place!r} is not a place for a store. Pass a path, or an address as text.")
    given = fspath(place)
    if not isinstance(given, str):
        raise Invalid(f"connect({place!r}): pass a path or an address as text.")
    scheme, _, rest = given.partition("://")
    if scheme.lower() == "file" and rest[:1] not in ("", "/"):
        raise Invalid(
            "an address that begins with file:// names a folder of this machine: file:///path, without a host."
        )
    if scheme.lower() == "file" or not rest:
        given = rest or given
        _check_local(given, Path(given).expanduser().absolute() if "\0" not in given else None)
    return given


def _check_local(given: str, root: Path | None) -> None:
    if root is None or not given:
        raise Invalid(f"connect({given!r}): that is not a path.")
    if root.exists() and not root.is_dir():
        raise Invalid(f"{given!r} is a file; a store is a folder.")
    if not root.parent.is_dir():
        raise MissingFile(f"store {given!r} cannot be made: there is no folder {str(root.parent)!r}. Make it first.")
    strange = [one.name for one in root.iterdir() if not one.name.startswith(".")] if root.is_dir() else []
    if STORE not in strange and not set(strange) <= _OWN:
        raise Invalid(f"{str(root)!r} is not a store: it has other files and no {STORE}. Use an empty or new folder.")
