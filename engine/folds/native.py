"""Loops as machine code. It is loaded from a file in a fraction of a millisecond; only who has no such file yet loads numba to make it.

numba and what it loads cost a process 0.3 s of CPU, and 0.25 s more when it ends (2026-11).
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np

from . import native_files
from .column import Array
from .layout import Kind

_SCALARS: dict[str, tuple[Callable[[Any], Any], Kind, Any]] = {
    "int": (int, Kind(np.dtype(np.int64), None), ctypes.c_int64),
    "bool": (bool, Kind(np.dtype(np.bool_), None), ctypes.c_bool),
}
_RETURNS = {"None": None, "int": ctypes.c_int64, "bool": ctypes.c_bool}


class Loop:
    """A loop, called as the function it is made of: with arrays, whole numbers and truth values.

    It is compiled for each combination of types that comes, and runs without the interpreter's lock. Arrays that do not lie in one piece
    are copied for it, and back. What it fills may be written to, and shares no memory with what it reads: nobody checks that.
    """

    def __init__(self, loop: Callable[..., Any]) -> None:
        names = loop.__code__.co_varnames[: loop.__code__.co_argcount]
        self._loop = loop
        self._scalars = [_SCALARS.get(loop.__annotations__[name]) for name in names]
        self._compiled: dict[tuple[Any, ...], Callable[..., Any]] = {}

    def __call__(self, *given: Any) -> Any:
        """What the function returns."""
        kinds: list[Any] = []
        passed = []
        for value, scalar in zip(given, self._scalars, strict=True):
            if scalar is not None:
                passed.append(scalar[0](value))
                continue
            if not value.flags.c_contiguous:
                return self._in_one_piece(given)
            kinds += value.dtype, value.ndim
            passed.append(id(value))
        compiled = self._compiled.get(tuple(kinds))
        return (compiled or self._for(tuple(kinds), given))(*passed)

    def _in_one_piece(self, given: tuple[Any, ...]) -> Any:
        copied = [value if scalar else np.ascontiguousarray(value) for value, scalar in zip(given, self._scalars)]
        returned = self(*copied)
        for value, copy in zip(given, copied):
            if copy is not value and value.flags.writeable:
                value[...] = copy
        return returned

    def _for(self, key: tuple[Any, ...], given: tuple[Array, ...]) -> Callable[..., Any]:
        kinds = [
            Kind(value.dtype, value.ndim) if scalar is None else scalar[1]
            for value, scalar in zip(given, self._scalars, strict=True)
        ]
        address = native_files.address_of(self._loop, kinds)
        types = [ctypes.c_void_p if scalar is None else scalar[2] for scalar in self._scalars]
        made = ctypes.CFUNCTYPE(_RETURNS[self._loop.__annotations__["return"]], *types)(address)
        return self._compiled.setdefault(key, made)
