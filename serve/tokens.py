"""Tokens: positions in the logs of sources, as text. `get(after=token)` answers from a state at least as new."""

from __future__ import annotations

from collections.abc import Mapping

from ..engine.errors import Invalid


def written(positions: Mapping[str, int]) -> str:
    """The token of positions.

    >>> written({"transactions": 12, "devices": 3})
    'devices@3,transactions@12'
    """
    return ",".join(f"{name}@{position}" for name, position in sorted(positions.items()))


def read(token: str) -> dict[str, int]:
    """The positions of a token.

    >>> read("devices@3,transactions@12")
    {'devices': 3, 'transactions': 12}
    """
    try:
        pairs = [part.rsplit("@", 1) for part in token.split(",") if part]
        return {name: int(position) for name, position in pairs}
    except (AttributeError, ValueError):
        raise Invalid(f"after={token!r} is not a token. Pass what a push returned, unchanged.") from None
