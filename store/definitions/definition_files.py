"""Definitions as files for review in git: one JSON file each, `<kind>s/<name>.json`, with its expressions in words beside it.

What is read back must be exactly what would be written: another hash, words that do not say what the JSON means, or anything unknown is
refused. So a reviewer may trust the words.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from os import PathLike
from pathlib import Path
from typing import Any

from ...engine.errors import Invalid, NotFound
from ...engine.language.source import Rows
from ...engine.language.view import ViewType
from ..folders.durable import publish
from .definition_diff import parts_of
from .definition_note import KINDS, Definition
from .given import of_one_name_each

_LARGEST_BYTES = 16 << 20
Json = dict[str, Any]


def exported(definitions: Iterable[Definition], folder: str | PathLike[str]) -> list[Path]:
    """Write a file for each definition, and remove files of definitions that no longer exist; returns the paths written."""
    root = Path(folder)
    if root.exists() and not root.is_dir():
        raise Invalid(f"{str(root)!r} is a file; definitions are exported into a folder.")
    files = {root / f"{one.kind}s" / f"{one.name}.json": one for one in definitions}
    for path, one in files.items():
        if path.is_symlink() or path.parent.is_symlink():
            raise Invalid(f"{path} is or lies behind a link, which may lead anywhere. Remove the link.")
        publish(path, (json.dumps(_file(one), indent=2, ensure_ascii=False) + "\n").encode())
    for path in _found(root):
        if path not in files and _is_ours(path):
            path.unlink()
    return sorted(files)


def imported(folder: str | PathLike[str]) -> list[Definition]:
    """The definitions in a folder, checked as if they were written here."""
    root = Path(folder)
    if not root.is_dir():
        raise NotFound(f"{str(root)!r}: there is no such folder. Pass one that store.export(...) wrote.")
    paths = _found(root)
    if not paths:
        listed = ", ".join(f"{kind}s/" for kind in KINDS)
        raise NotFound(f"{str(root)!r} holds no definitions. They are JSON files below {listed}.")
    return of_one_name_each(map(_read, paths))


def _found(root: Path) -> list[Path]:
    return [path for kind in KINDS for path in sorted((root / f"{kind}s").glob("*.json"))]


def _file(one: Definition) -> Json:
    """What stands in the file of a definition; the words come first."""
    words = {"owner": one.owner, "tags": dict(sorted(one.tags.items())), "about": one.about}
    said = {name: text for name, (text, _) in parts_of(one).items()}
    return {
        "kind": one.kind,
        "name": one.name,
        "version": one.version,
        **words,
        "says": said,
        "definition": _sorted(one.body),
    }


def _sorted(body: Any) -> Any:
    return json.loads(json.dumps(body, sort_keys=True))


def _read(path: Path) -> Definition:
    if path.is_symlink() or path.stat().st_size > _LARGEST_BYTES:
        raise Invalid(f"{path} is a link, or larger than {_LARGEST_BYTES:,} bytes. Definitions are plain small files.")
    try:
        content = json.loads(path.read_bytes())
        given = Definition(content["kind"], content["name"], content["version"], content["definition"])
        made = given.made()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Invalid(f"{path} is not a definition: {type(error).__name__} {error}. Export it again.") from error
    found = Definition.of(made.spec if isinstance(made, ViewType | Rows) else made)
    wanted = _file(found)
    for part in {**wanted, **content}:
        if content.get(part) != wanted.get(part):
            raise Invalid(
                f"{path}: {part!r} is not what its definition means. Change definitions in Python, and export them."
            )
    if path.stem != found.name or path.parent.name != f"{found.kind}s":
        raise Invalid(f"{path} holds {found.kind} {found.name!r}; it belongs in {found.kind}s/{found.name}.json.")
    return found


def _is_ours(path: Path) -> bool:
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return False
    return isinstance(content, dict) and {"kind", "name", "version", "says", "definition"} <= set(content)
