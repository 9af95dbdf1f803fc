"""Files with the machine code of loops, beside the compiled Python of this folder or, where nobody may write there, in the user's cache.

A file is `<loop>-<origin>-<kinds and processor>.o`: the SHA-256 of an object file, then that. The origin is what all code is made of, so
that other sources and other libraries have other files; what is damaged is made anew.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

from .layout import Kind
from .origin import digest, essence, origin

_making = Lock()  # numba compiles one at a time


def any_made() -> bool:
    """Whether loops like these were compiled here before."""
    for folder in _folders():
        with suppress(OSError):
            if next(folder.glob(f"*-{_mark()}-*.o"), None) is not None:
                return True
    return False


def code_of(loop: Callable[..., Any], kinds: Sequence[Kind], processor: tuple[str, str]) -> bytes:
    """The object file of a loop for arguments of some kinds on a processor of a name and features: read, or else made and kept."""
    name = f"{loop.__name__}-{_mark()}-{digest((essence(loop), kinds, processor))[:16]}.o"
    found = _read(name)
    if found is not None:
        return found
    with _making:
        return _read(name) or _made(name, loop, kinds)  # another may have been faster


def _read(name: str) -> bytes | None:
    for folder in _folders():
        with suppress(OSError):
            kept = (folder / name).read_bytes()
            if kept[:32] == hashlib.sha256(kept[32:]).digest():
                return kept[32:]
    return None


def _made(name: str, loop: Callable[..., Any], kinds: Sequence[Kind]) -> bytes:
    from .compiling import object_code

    code = object_code(loop, kinds)
    _keep(name, hashlib.sha256(code).digest() + code)
    return code


def _keep(name: str, content: bytes) -> None:
    """Write a file whole, in the first folder where that is possible."""
    for folder in _folders():
        beside = folder / f"{name}.{os.getpid()}"
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            beside.write_bytes(content)
            beside.replace(folder / name)
            return
        with suppress(OSError):
            beside.unlink()


@cache
def _folders() -> tuple[Path, ...]:
    beside = Path(importlib.util.cache_from_source(__file__)).parent
    given = os.environ.get("XDG_CACHE_HOME", "")
    cached = given if os.path.isabs(given) else os.path.expanduser("~/.cache")  # the standard says so of relative ones
    return (beside, Path(cached) / "nowthen" / "loops") if os.path.isabs(cached) else (beside,)


def _mark() -> str:
    return origin()[:12]


def _forget_who_was_making() -> None:
    """In a child of a fork nobody else is there, whoever was compiling in the parent."""
    global _making
    _making = Lock()


os.register_at_fork(after_in_child=_forget_who_was_making)
