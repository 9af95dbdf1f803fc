"""Typed errors as values: how they cross processes and networks, and come out on the other side as what they were."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
    retry_after: float | None = None  # of errors that have one

    @staticmethod
    def of(error: NowThenError) -> Failure:
        """The error, packed."""
        return Failure(type(error).__name__, str(error), getattr(error, "retry_after", None))

    def error(self) -> NowThenError:
        """The error, to be raised."""
        found = KINDS.get(self.kind, NowThenError)
        if issubclass(found, Unavailable) and self.retry_after is not None:
            return found(self.message, self.retry_after)
        return found(self.message)

    def as_json(self) -> dict[str, Any]:
        """What an HTTP answer says; `retry_after` is there for errors that have one."""
        said = {"error": self.kind, "message": self.message}
        return said if self.retry_after is None else {**said, "retry_after": self.retry_after}

    @staticmethod
    def from_json(parts: Mapping[str, Any]) -> Failure:
        """The failure that `as_json` wrote."""
        return Failure(str(parts.get("error")), str(parts.get("message", parts)), parts.get("retry_after"))


def _tree(root: type[NowThenError]) -> Iterator[type[NowThenError]]:
    yield root
    for child in root.__subclasses__():
        yield from _tree(child)


KINDS: dict[str, type[NowThenError]] = {error.__name__: error for error in _tree(NowThenError)}
