"""Errors of the operating system, as errors of ours."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from ..engine.errors import Forbidden, Invalid, NotFound, NowThenError, StorageFull


@contextmanager
def typed() -> Iterator[None]:
    """Have a file that cannot be read or written be told as one; a pipe that is closed goes on as it is: nobody listens."""
    try:
        yield
    except (NowThenError, BrokenPipeError):
        raise
    except OSError as error:
        raise _typed(error) from error


def _typed(error: OSError) -> NowThenError:
    what = str(error) if error.filename is None else f"{error.filename}: {error.strerror}"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageFull(f"{what}. Free some space, and run the same command again.")
    if isinstance(error, PermissionError):
        return Forbidden(f"{what}. Name another place, or ask for the right to use this one.")
    if isinstance(error, FileNotFoundError):
        return NotFound(f"{what}. Check the path.")
    return Invalid(f"{what}. Name another place, or free this one.")
