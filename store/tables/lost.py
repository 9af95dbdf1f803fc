"""A file that is not where it was. Whoever meets one looks at the ledger again before calling it damage: it may have been removed since."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from ...engine.errors import Conflict, Corrupt, NotFound
from ..ports import Ledger


class LostFile(Corrupt):
    """A file that is not there any more: removed, or lost."""

    @classmethod
    def at(cls, path: str) -> Self:
        """The error of a path."""
        return cls(f"{path} is missing. Restore it from a backup: nowthen verify --repair.")

    @property
    def path(self) -> str:
        """Where the file was; there is no blank in a path of the store."""
        return str(self).partition(" ")[0]


@contextmanager
def looked_again(ledger: Ledger) -> Iterator[None]:
    """A file that is missing inside because of a cleanup or a forget becomes the error that says so."""
    try:
        yield
    except LostFile as error:
        removed = ledger.removed_by(error.path)
        if removed is None:
            raise
        if removed.kind == "forget":
            raise Conflict(
                f"rows were forgotten (entry {removed.number}, {removed.what}) while they were read. Ask again."
            ) from error
        raise NotFound(
            f"{error.path} was removed by entry {removed.number} ({removed.what}). Versions before {removed.oldest} are no longer kept: "
            f"read as of that one or later."
        ) from error
