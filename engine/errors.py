"""The one tree of errors.

    NowThenError
    ├── NotFound (LookupError)            asked for something that is not there
    │   └── UnknownColumn (AttributeError, KeyError)
    ├── Invalid (ValueError)              what was given cannot mean anything
    │   ├── WrongType (TypeError)
    │   └── FunctionFailed (RuntimeError)    a user's function raised, or returned what it must not
    ├── Conflict (RuntimeError)           two changes collide; one of them lost
    ├── CommitUnknown (RuntimeError)      a commit may or may not have happened; retry with the same key
    ├── Unavailable (ConnectionError)     nobody answers now; try again after `retry_after` seconds
    │   └── Overloaded
    ├── Deadline (TimeoutError)           not done in the time given
    ├── Corrupt (OSError)                 stored bytes are not what was written
    ├── StorageFull (OSError)             no room left to write
    └── Forbidden (PermissionError)       not allowed

A message says what was asked, what was found and what to do.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class NowThenError(Exception):
    """Any error NowThen raises on purpose."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class NotFound(NowThenError, LookupError):
    """What was asked for does not exist."""


class UnknownColumn(NotFound, AttributeError, KeyError):
    """A column, feature or operator of that name does not exist."""


class Invalid(NowThenError, ValueError):
    """What was given cannot mean anything."""


class WrongType(Invalid, TypeError):
    """An operator was given a type it does not take."""


class FunctionFailed(Invalid, RuntimeError):
    """A function made with `nt.function` raised, or returned what it must not."""


class Conflict(NowThenError, RuntimeError):
    """Two changes collide."""


class CommitUnknown(NowThenError, RuntimeError):
    """A commit whose outcome is unknown."""


class Unavailable(NowThenError, ConnectionError):
    """Nobody can answer now."""

    def __init__(self, message: str, retry_after: float = 1.0) -> None:
        super().__init__(message, retry_after)
        self.retry_after = retry_after


class Overloaded(Unavailable):
    """Too much work is queued already."""


class Deadline(NowThenError, TimeoutError):
    """Not done in the time given."""


class Corrupt(NowThenError, OSError):
    """Stored bytes are not what was written."""


class StorageFull(NowThenError, OSError):
    """No room left to write."""


class Forbidden(NowThenError, PermissionError):
    """Not allowed."""


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """A hint with the nearest known name to what was given as one, and the names there are.

    >>> did_you_mean("amuont", ["amount", "fraud"])
    "Did you mean 'amount'? There are: amount, fraud."
    """
    names = sorted(known)
    near = difflib.get_close_matches(str(name), names, n=1, cutoff=0.5)
    hint = f"Did you mean {near[0]!r}? " if near else ""
    listed = ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
    return f"{hint}There are: {listed or 'none'}."
