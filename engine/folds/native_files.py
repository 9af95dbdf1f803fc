"""Files with the machine code of loops, beside the compiled Python of this folder or, where nobody may write there, in the user's cache.

A file is `<loop>-<origin>-<kinds and processor>` and `.so`, a shared library, or `.o`, an object file; the SHA-256 of it stands at its end. The
origin is what all code is made of, so that other sources and other libraries have other files; what is damaged is made anew.
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
from uuid import uuid4

from . import by_system
from .layout import Kind
from .origin import digest, essence, origin
from .processor import described

_SEAL = hashlib.sha256().digest_size
_making = Lock()  # numba compiles one at a time


def any_made() -> bool:
    """Whether loops like these were compiled here before."""
    for folder in _folders():
        with suppress(OSError):
            if any(path.suffix in _FORMS for path in folder.glob(f"*-{_mark()}-*")):
                return True
    return False


def address_of(loop: Callable[..., Any], kinds: Sequence[Kind]) -> int:
    """Where the compiled form of a loop is in memory, for arguments of some kinds: found in a file, or else made and kept in one."""
    name = f"{loop.__name__}-{_mark()}-{digest((essence(loop), kinds, described()))[:16]}"
    found = _found(name)
    if found is not None:
        return found
    with _making:
        return _found(name) or _made(name, loop, kinds)  # another may have been faster


def _found(name: str) -> int | None:
    for folder in _folders():
        for suffix, load in _FORMS.items():
            code = _whole(folder / (name + suffix))
            found = None if code is None else load(folder / (name + suffix), code)
            if found is not None:
                return found
    return None


def _made(name: str, loop: Callable[..., Any], kinds: Sequence[Kind]) -> int:
    from .compiling import object_code

    code = object_code(loop, kinds)
    library = by_system.linked(code)
    forms = {".o": code} if library is None else {".so": library, ".o": code}
    for folder in _folders():
        for suffix, content in forms.items():
            path = folder / (name + suffix)
            if _kept(path, content):
                found = _FORMS[suffix](path, content)
                if found is not None:
                    return found
                path.unlink(missing_ok=True)
    return _by_llvm(code)


def _by_llvm(code: bytes) -> int:
    from .by_llvm import address_in  # only here: who has libraries does without LLVM

    return address_in(code)


_FORMS: dict[str, Callable[[Path, bytes], int | None]] = {
    ".so": lambda path, _: by_system.address_in(path),
    ".o": lambda _, code: _by_llvm(code),
}


def _whole(path: Path) -> bytes | None:
    """What was kept in a file, if it is there and undamaged."""
    with suppress(OSError):
        content = path.read_bytes()
        if hashlib.sha256(content[:-_SEAL]).digest() == content[-_SEAL:]:
            return content[:-_SEAL]
    return None


def _kept(path: Path, code: bytes) -> bool:
    """Write a file whole, if that is possible."""
    beside = path.with_name(f"{path.name}.{uuid4()}")
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(code + hashlib.sha256(code).digest())
        beside.replace(path)
        return True
    with suppress(OSError):
        beside.unlink()
    return False


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
