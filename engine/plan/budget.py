"""How much memory a run may take."""

from __future__ import annotations

import os
import re
from pathlib import Path

from ..errors import Invalid, WrongType

_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}
_WRITTEN = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*)\s*")
_SHARE = 0.6  # of what this machine, or its container, has
_LEAST = 64 << 20
_CGROUP = Path("/sys/fs/cgroup/memory.max")


def bytes_of(memory: str | int | None) -> int:
    """The bytes meant by "4GiB", "500MB" or a number; None is a good part of what the machine has.

    >>> bytes_of("1.5GiB")
    1610612736
    """
    if memory is None:
        return int(_SHARE * _installed())
    found = _written(memory) if isinstance(memory, str) else memory
    if isinstance(found, bool) or not isinstance(found, int):
        raise WrongType(f"memory={memory!r}; pass bytes as an int, or text such as '4GiB'.")
    if found < _LEAST:
        raise Invalid(f"memory={memory!r} is less than 64MiB, which is too little for any run.")
    return found


def _written(memory: str) -> int:
    parts = _WRITTEN.fullmatch(memory)
    if parts is None or parts[2].upper() not in _UNITS:
        raise Invalid(f"memory={memory!r} is no size. Write it as '4GiB' or '500MB'.")
    return int(float(parts[1]) * _UNITS[parts[2].upper()])


def _installed() -> int:
    installed = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        return min(int(_CGROUP.read_text()), installed)
    except (OSError, ValueError):  # no limit, or another system
        return installed
