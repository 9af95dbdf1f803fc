"""Where an array object keeps its data and its lengths: what compiled loops read of it, given its address.

The C interface of numpy fixes it (`PyArrayObject_fields`: data, number of axes, lengths, ...), behind what every Python object begins with.
"""

from __future__ import annotations

import ctypes
from typing import Any, NamedTuple

import numpy as np

ENTRY = "entry"  # what the function of an object file is called
FORM = 1  # of what it is given and returns (`native`, `compiling`): another number wherever that changes
WORD = 8  # bytes
DATA = object.__basicsize__ // WORD  # words from the object's begin to the address of its data
SHAPE = DATA + 2  # and to the address of its lengths


class Kind(NamedTuple):
    """What a loop is compiled for, of one argument."""

    dtype: np.dtype[Any]
    ndim: int | None  # None: a number alone


def is_as_expected() -> bool:
    """Whether arrays of this interpreter and this numpy lie so."""
    probe = np.zeros((3, 5), dtype=np.int64)
    words = (ctypes.c_int64 * (SHAPE + 1)).from_address(id(probe))
    if ctypes.sizeof(ctypes.c_void_p) != WORD or words[DATA] != probe.ctypes.data:
        return False
    return tuple((ctypes.c_int64 * 2).from_address(words[SHAPE])) == probe.shape
