"""The one way to write JSON: keys sorted, no blanks, UTF-8. Equal values are equal bytes, so a digest stands for the value."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from ...engine.errors import Corrupt

_SEAL = "sha256"


def written(value: Any) -> bytes:
    """A value as canonical JSON. NaN and infinities are refused.

    >>> written({"b": 1, "a": [True, None]})
    b'{"a":[true,null],"b":1}'
    """
    return _plain(json.loads(json.dumps(value, allow_nan=False)))  # numbers as keys become text, and sort as such


def digest(content: bytes) -> str:
    """The sha256 of some bytes, in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def sealed(value: Mapping[str, Any]) -> bytes:
    """A mapping as canonical JSON with one field more, `sha256`: the digest of the JSON without it."""
    return written({**value, _SEAL: digest(written(value))})


def unsealed(content: bytes, place: str) -> dict[str, Any]:
    """What was sealed, `sha256` included. `Corrupt` names the place if one bit of it is another."""
    value = parsed(content, place)
    seal = value.pop(_SEAL, None)
    if seal != digest(_plain(value)):
        raise Corrupt(f"{place} is damaged: its digest is not the one written in it.")
    return {**value, _SEAL: seal}


def parsed(content: bytes, place: str) -> dict[str, Any]:
    """A mapping written as canonical JSON. `Corrupt` names the place if it is anything else."""
    try:
        value = json.loads(content)
        same = isinstance(value, dict) and _plain(value) == content
    except (ValueError, RecursionError):
        same = False
    if not same:
        raise Corrupt(f"{place} is damaged: it is not the JSON that was written.")
    return dict(value)


def _plain(value: Any) -> bytes:
    """What was read from JSON, as canonical JSON."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
