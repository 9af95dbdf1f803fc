"""Files with the machine code of loops, beside the compiled Python of this folder or, where nobody may write there, in the user's cache.

A file is `<loop>-<kinds and processor>.o`: 32 bytes, then an object file. The 32 bytes are the SHA-256 of what the code was made of (the
loops' sources, the versions of numba and LLVM's Python) and of the code itself. So what is stale or damaged is not what it says, and made anew.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from .layout import Kind

_HERE = Path(__file__).parent
_MADE_BY = ("numba", "llvmlite", "numpy")


def any_made() -> bool:
    """Whether loops were compiled here before."""
    return any(next(folder.glob("*.o"), None) for folder in _folders())


def code_of(loop: Callable[..., Any], kinds: Sequence[Kind], processor: tuple[str, str]) -> bytes:
    """The object file of a loop for arguments of some kinds on a processor of a name and features: read, or else made and kept."""
    name = f"{loop.__name__}-{_digest(kinds, processor)[:16]}.o"
    for folder in _folders():
        with suppress(OSError):
            kept = (folder / name).read_bytes()
            if kept[:32] == _seal(kept[32:]):
                return kept[32:]
    from .compiling import object_code

    code = object_code(loop, kinds)
    _keep(name, _seal(code) + code)
    return code


def _keep(name: str, content: bytes) -> None:
    """Write a file whole, in the first folder where that is possible."""
    for folder in _folders():
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            beside = folder / f"{name}.{os.getpid()}"
            beside.write_bytes(content)
            beside.replace(folder / name)
            return


@cache
def _folders() -> tuple[Path, ...]:
    cached = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
    return Path(importlib.util.cache_from_source(str(_HERE / "kernels.py"))).parent, cached / "nowthen" / "loops"


def _seal(code: bytes) -> bytes:
    return hashlib.sha256(_origin() + code).digest()


@cache
def _origin() -> bytes:
    """What all code is made of."""
    sources = [path.read_bytes() for path in (*sorted(_HERE.glob("kernels*.py")), _HERE / "compiling.py")]
    versions = [f"{package} {version(package)}".encode() for package in _MADE_BY]
    return hashlib.sha256(b"\0".join((*sources, *versions))).digest()


def _digest(*parts: Any) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()
