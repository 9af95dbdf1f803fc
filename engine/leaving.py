"""Leaving a process with the collector at rest: what modules made goes with the process, and taking it apart first costs more than starting did.

Only where nobody can notice. What the collector frees at the end may write as it goes: a stream of Arrow, a connection of DuckDB, whatever else is made of
compiled code, none of which can be asked. So it rests only where all compiled modules are Python's own, NumPy's and Polars'; and nothing alive has an end.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from importlib.machinery import EXTENSION_SUFFIXES
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import Any, Final

_WRITE_AS_THEY_GO: Final = {"sqlite3", "_sqlite3", "_dbm", "_gdbm"}  # of Python's own
_KNOWN: Final = (sys.stdlib_module_names | {"numpy", "polars"}) - _WRITE_AS_THEY_GO
# What may have something left to do though it has no `__del__`: a `finally` that has not been reached.
_WAITING: Final = frozenset({AsyncGeneratorType, CoroutineType, GeneratorType})


def leave() -> None:
    """Keep the collector from what is alive, where that is sure to change nothing."""
    try:
        if _all_known() and not any(_all_with_an_end()):
            gc.freeze()
    except Exception:  # a module or stream that is none: nothing is sure
        return


def _all_known() -> bool:
    """Whether nothing compiled was loaded but what makes nothing that has an end."""
    origins = ((name, getattr(module, "__spec__", None)) for name, module in list(sys.modules.items()))
    compiled = (name for name, spec in origins if str(getattr(spec, "origin", "")).endswith(tuple(EXTENSION_SUFFIXES)))
    return all(name.startswith("_polars_runtime") or name.partition(".")[0] in _KNOWN for name in compiled)


def _all_with_an_end() -> Iterator[Any]:
    """What the collector would find and finish, the standard streams left out, which Python flushes itself."""
    alive = gc.get_objects()
    kinds = {kind for kind in set(map(type, alive)) if kind in _WAITING or _has_a_del(kind)}
    streams = {id(layer) for stream in (sys.__stdin__, sys.__stdout__, sys.__stderr__) for layer in _layers(stream)}
    return (True for thing in alive if type(thing) in kinds and id(thing) not in streams)


def _has_a_del(kind: type) -> bool:
    """Whether things of a kind want to be told of their end; asked of the classes themselves, so that no code of theirs runs."""
    return any("__del__" in vars(one) for one in kind.__mro__)


def _layers(stream: Any) -> list[Any]:
    """A stream of text, its buffer, and the file below."""
    buffer = getattr(stream, "buffer", None)
    return [stream, buffer, getattr(buffer, "raw", None)]
