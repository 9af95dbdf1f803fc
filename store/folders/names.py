"""One rule for every name and path that comes from outside: what passes here can be no other file, no markup and no other name."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from uuid import uuid4

from ...engine.errors import Conflict, Corrupt, Invalid
from ...engine.language.entity import checked_name

_SEGMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.,=+@-]{0,199}")
_NOTE = re.compile(r"[0-9a-f]{12}-[0-9a-f]{32}")
_LABEL_LENGTH = 200


def new_token() -> str:
    """What makes the paths of one attempt its own: 12 random hexadecimal digits."""
    return uuid4().hex[:12]


def checked_path(path: str) -> str:
    """A path below a store, if it is plain segments: it can lead nowhere else and hides no file.

    >>> checked_path("ledger/00000000000000000001.json")
    'ledger/00000000000000000001.json'
    """
    if not isinstance(path, str) or not all(_SEGMENT.fullmatch(part) for part in path.split("/")):
        raise Invalid(
            f"{path!r} is not a path inside a store. Use letters, digits, and _ . , = + @ - between slashes; no part begins with a dot."
        )
    return path


def checked_note(name: object) -> str:
    """The name of a note: the token of its attempt and a digest. A reference that is none was not written by a store."""
    if not isinstance(name, str) or not _NOTE.fullmatch(name):
        raise Corrupt(f"{name!r} is not the name of a note; what refers to it is damaged.")
    return name


def checked_label(label: object, what: str) -> str:
    """The name of a training set or tag: any printable text of one line, never used as a path.

    >>> checked_label("fraud/2026-11", "a training set")
    'fraud/2026-11'
    """
    if not isinstance(label, str) or not label.strip() or len(label) > _LABEL_LENGTH:
        raise Invalid(f"{what} cannot be named {label!r}. Use 1 to {_LABEL_LENGTH} printable characters.")
    if label != unicodedata.normalize("NFC", label.strip()) or not label.isprintable():
        raise Invalid(
            f"{what} cannot be named {label!r}. Leave out control characters and blanks at its ends, and compose its accents."
        )
    return label


def checked_new(name: object, what: str, known: Iterable[str]) -> str:
    """A plain name that is not taken by one that differs in case alone: some file systems would take them for one.

    >>> checked_new("rides", "a view", ["rides", "shops"])
    'rides'
    """
    plain = checked_name(name, what)
    twins = [one for one in known if one != plain and one.lower() == plain.lower()]
    if twins:
        raise Conflict(f"{what} cannot be named {plain!r}: there is {twins[0]!r}, which differs in case alone.")
    return plain
