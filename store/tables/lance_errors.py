"""What Lance says of broken bytes, in our words. Some of its errors are panics, which Python's `Exception` does not hold."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from ...engine.errors import Corrupt, Forbidden, NowThenError, Unavailable
from .lost import LostFile

_FILE = re.compile(r"data/[\w.=+@%-]+\.lance")
_QUOTED = re.compile(r"\?[^\s\"'>]*|<.*|(?<=//)[^/@\s]+(?=@)")  # queries may be signed, answers of servers name keys
_REFUSED = ("403", "401", "AccessDenied", "Unauthorized", "Unauthenticated")


@contextmanager
def speaking(what: str, options: Mapping[str, str] | None = None) -> Iterator[None]:
    """Errors of Lance inside, about the table at `what`, become `Corrupt` or `LostFile`.

    With the options of an object store, none of which is ever shown, also `Unavailable` where it does not answer, and `Forbidden`.
    """
    try:
        yield
    except NowThenError:
        raise
    except (OSError, ValueError, RuntimeError) as error:
        raise _said(what, error, options) from (error if options is None else None)
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise Corrupt(f"{what} cannot be read: Lance gave up with {str(error)[:200]!r}") from error


def _said(what: str, error: Exception, options: Mapping[str, str] | None) -> NowThenError:
    text = str(error)
    if "not found" in text.lower() or "no such file" in text.lower():
        named = _FILE.search(text)
        return LostFile.at(f"{what}/{named[0]}" if named else what)
    if options is None or not isinstance(error, OSError):
        return Corrupt(f"{what} cannot be read: {text[:200]}")
    kind = Forbidden if any(sign in text for sign in _REFUSED) else Unavailable
    return kind(f"{what} could not be read: {_clean(text, options)}")


def _clean(text: str, options: Mapping[str, str]) -> str:
    """The first line, without what may be a secret."""
    line = _QUOTED.sub("..", text.split("\n", 1)[0])
    for value in sorted(options.values(), key=len, reverse=True):
        line = line.replace(value, "..") if len(value) > 7 else line
    return line[:200]
