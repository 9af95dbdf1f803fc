"""Which functions are compiled: loops and what they call.

They stay as they are: to be read, called and tested as Python. `native` calls their compiled form, `compiling` makes it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from .column import Array

Function = TypeVar("Function", bound=Callable[..., Any])

MARKED: list[Callable[..., Any]] = []


def jit(function: Function) -> Function:
    """Mark a function. It makes no arrays and raises nothing: what it fills is given to it."""
    MARKED.append(function)
    return function


def prefetch(array: Array, index: int) -> None:
    """Have the processor bring what begins at `array[index]` to its caches, while it does something else; outside of the array it is nothing.

    Worth it where what is read decides what is done next: only then does the processor not look ahead by itself. Called from Python it does
    nothing.
    """
