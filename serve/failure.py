"""Typed errors as values: how they cross processes and networks, and come out on the other side as what they were."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..engine.errors import NowThenError, Unavailable
from ..engine.record import record


@record
class Failure:
    """An error on its way.

    >>> from nowthen.engine.errors import NotFound
    >>> Failure.of(NotFound("no such thing")).error()
    NotFound('no such thing')
    """

    kind: str
    message: str
    retry_after: float = 0.0

    @staticmethod
    def of(error: NowThenError) -> Failure:
        """The error, packed."""
        return Failure(type(error).__name__, str(error), getattr(error, "retry_after", 0.0))

    def error(self) -> NowThenError:
        """The error, to be raised."""
        found = KINDS.get(self.kind, NowThenError)
        return found(self.message, self.retry_after) if issubclass(found, Unavailable) else found(self.message)

    def as_json(self) -> dict[str, Any]:
        """What an HTTP answer says."""
        return {"error": self.kind, "message": self.message}


def _tree(root: type[NowThenError]) -> Iterator[type[NowThenError]]:
    yield root
    for child in root.__subclasses__():
        yield from _tree(child)


KINDS: dict[str, type[NowThenError]] = {error.__name__: error for error in _tree(NowThenError)}
