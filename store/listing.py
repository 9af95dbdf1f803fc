"""Lists that show themselves: a line for each thing, and a table in notebooks."""

from __future__ import annotations

import html
from typing import TypeVar

T = TypeVar("T")


class Listing(list[T]):
    """A list whose text is a line for each of its things.

    >>> Listing([1, 2])
    1
    2
    """

    def __repr__(self) -> str:
        return "\n".join(map(str, self)) or "none"

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(repr(self))}</pre>"
