"""The door to running steps: the same steps, in this process or on a cluster."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from ..errors import Invalid
from ..plan.way import Resources

Open = Callable[[Resources], AbstractContextManager[Any]]  # a Pool, for as long as it is needed


def executor(engine: str) -> Open:
    """What opens a pool of that name; "auto" is Ray where this process is connected to a cluster, else this process."""
    made: Open = _module(engine).pool
    return made


def slots(engine: str, most: int | None) -> int:
    """How many steps run at a time there, at most `most`."""
    found: int = _module(engine).cores()
    return max(min(found, most or found), 1)


def on(engine: str) -> str:
    """The module of an engine."""
    if engine not in ("auto", "local", "ray"):
        raise Invalid(f"engine={engine!r}; it is 'auto', 'local' or 'ray'.")
    return "run_ray" if engine == "ray" or (engine == "auto" and _connected()) else "run_local"


def _module(engine: str) -> Any:
    return importlib.import_module(f".{on(engine)}", __package__)


def _connected() -> bool:
    ray = sys.modules.get("ray")
    return ray is not None and hasattr(ray, "is_initialized") and bool(ray.is_initialized())
