"""Starting over: what a writer does whose work does not hold any more, as another was first, or files it began on were removed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from ...engine.errors import Conflict, Corrupt, NotFound
from ..ports import Entry, Ledger
from ..tables.lost import LostFile, looked_again

_ATTEMPTS = 20
T = TypeVar("T")


class StartOver(Exception):
    """Another commit came first."""


def until_done(attempt: Callable[[], T], whose: str) -> T:
    """What an attempt gives, made again as long as others are first."""
    for _ in range(_ATTEMPTS):
        try:
            return attempt()
        except StartOver:
            continue
    raise Conflict(f"gave up on {whose!r} after {_ATTEMPTS} attempts: other writers kept committing first. Try again.")


@contextmanager
def losing(ledger: Ledger) -> Iterator[None]:
    """A commit inside that lost, and a file that a cleanup or a forget removed under it, mean to start over."""
    try:
        with looked_again(ledger):
            yield
    except (Conflict, NotFound) as gone:
        if isinstance(gone.__cause__, LostFile):
            raise StartOver from gone
        raise


@contextmanager
def committing() -> Iterator[None]:
    """A `Conflict` inside means to start over."""
    try:
        yield
    except Conflict as lost:
        raise StartOver from lost


@contextmanager
def undisturbed(ledger: Ledger, head: Entry) -> Iterator[None]:
    """What is missing inside is no damage where the head has moved: a cleanup or forget may have removed it. `StartOver` then."""
    try:
        yield
    except (Corrupt, NotFound) as error:
        if ledger.head().number == head.number:
            raise
        raise StartOver from error
