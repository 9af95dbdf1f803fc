"""Loading modules with the collector at rest: what modules make stays, and looking through it again and again costs a fifth of the time."""

from __future__ import annotations

import atexit
import gc
import importlib
from types import ModuleType

from .leaving import leave

atexit.register(leave)


def loaded(name: str, package: str) -> ModuleType:
    """The module, loaded if it is not yet; `name` is relative to the package."""
    works = gc.isenabled()
    gc.disable()
    try:
        return importlib.import_module(name, package)
    finally:
        if works:
            gc.enable()
