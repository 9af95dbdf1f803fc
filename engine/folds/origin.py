"""What machine code of loops is made of, as far as it is in memory: files may be replaced while a process runs."""

from __future__ import annotations

import hashlib
import pkgutil
import sys
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from importlib.metadata import distribution, version
from types import CodeType
from typing import Any

import numpy as np

from .jit import MARKED
from .layout import DATA, FORM, SHAPE


@cache
def origin() -> str:
    """A digest of all loops with the constants they name, of how arrays lie, and of what compiles them."""
    for module in pkgutil.iter_modules(sys.modules[__package__].__path__):
        if module.name.startswith("kernels_"):
            import_module(f".{module.name}", __package__)
    compilers = [_described(package) for package in ("numba", "llvmlite")]
    loops = sorted(essence(function) for function in MARKED)
    return digest((FORM, DATA, SHAPE, sys.version, np.__version__, compilers, loops))


def _described(package: str) -> str:
    """What is written of a package, its version among it: as text, as parsing takes 3 ms."""
    return distribution(package).read_text("METADATA") or version(package)


def essence(function: Callable[..., Any]) -> str:
    """What a function does: its code, and the constants of its module that it names."""
    known = {name: value for name in _names(function.__code__) if _is_plain(value := function.__globals__.get(name))}
    return repr((function.__module__, function.__name__, list(_parts(function.__code__)), sorted(known.items())))


def digest(content: Any) -> str:
    """The SHA-256 of how something is written."""
    return hashlib.sha256(repr(content).encode()).hexdigest()


def _parts(code: CodeType) -> Iterator[Any]:
    yield code.co_code, code.co_names, code.co_varnames
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _parts(constant)
        else:
            yield constant


def _names(code: CodeType) -> set[str]:
    inner = (one for one in code.co_consts if isinstance(one, CodeType))
    return set(code.co_names).union(*map(_names, inner))


def _is_plain(value: Any) -> bool:
    return isinstance(value, int | float | np.generic)
