"""What Lance says of broken bytes, in our words. Some of its errors are panics, which Python's `Exception` does not hold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from ..engine.errors import Corrupt, NowThenError, Unavailable
from .lost import LostFile

_FILE = re.compile(r"data/[\w.=+@%-]+\.lance")


@contextmanager
def speaking(what: str, *, remote: bool) -> Iterator[None]:
    """Errors of Lance inside, about the table at `what`, become `Corrupt`, `LostFile`, or `Unavailable` where a remote store does not answer."""
    try:
        yield
    except NowThenError:
        raise
    except (OSError, ValueError, RuntimeError) as error:
        raise _said(what, error, remote=remote) from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise Corrupt(f"{what} cannot be read: Lance gave up with {str(error)[:200]!r}") from error


def _said(what: str, error: Exception, *, remote: bool) -> NowThenError:
    text = str(error)
    if "not found" in text.lower() or "no such file" in text.lower():
        named = _FILE.search(text)
        return LostFile.at(f"{what}/{named[0]}" if named else what)
    if remote and isinstance(error, OSError):
        return Unavailable(f"{what} could not be read: {text[:200]}")
    return Corrupt(f"{what} cannot be read: {text[:200]}")
