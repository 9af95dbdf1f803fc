"""Leaving a process with the collector at rest: what modules made goes with the process, and taking it apart first costs more than starting did."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import Any

# What may have something left to do though it has no `__del__`: a `finally` that has not been reached.
_WAITING = frozenset({AsyncGeneratorType, CoroutineType, GeneratorType})


def leave() -> None:
    """Keep the collector from what is alive, unless some of it has to do something at its end, as a file that is not written yet."""
    if not any(_all_with_an_end()):
        gc.freeze()


def _all_with_an_end() -> Iterator[Any]:
    """What the collector would find and finish, the standard streams left out, which Python flushes itself."""
    alive = gc.get_objects()
    kinds = {kind for kind in set(map(type, alive)) if kind in _WAITING or _has_a_del(kind)}
    streams = {id(layer) for stream in (sys.__stdin__, sys.__stdout__, sys.__stderr__) for layer in _layers(stream)}
    return (True for thing in alive if type(thing) in kinds and id(thing) not in streams)


def _has_a_del(kind: type) -> bool:
    """Whether things of a kind want to be told of their end; asked of the classes themselves, so that no code of theirs runs."""
    return any("__del__" in vars(one) for one in kind.__mro__)


def _layers(stream: Any) -> Iterator[Any]:
    """A stream of text, its buffer, and the file below."""
    while stream is not None:
        yield stream
        stream = getattr(stream, "buffer", None) or getattr(stream, "raw", None)
