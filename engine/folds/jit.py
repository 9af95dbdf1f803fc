"""Which functions are compiled: loops and what they call.

They stay as they are: to be read, called and tested as Python. `native` calls their compiled form, `compiling` makes it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])

MARKED: list[Callable[..., Any]] = []


def jit(function: Function) -> Function:
    """Mark a function. It makes no arrays and raises nothing: what it fills is given to it."""
    MARKED.append(function)
    return function
