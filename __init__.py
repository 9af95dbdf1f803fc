"""NowThen: define a feature once; get the same value when training on the past and when serving now.

    import nowthen as nt

The names below are all there is to import. Each is loaded from its home when it is first used, so that `import nowthen` stays
instant and loads neither Ray nor Lance nor Polars.
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING

# The allocators of Polars and of Arrow read these once, when they are loaded. By themselves they gave pages back in the middle of a run
# and took them anew a moment later, which cost a tenth of the CPU time of joins and windows (2026-11, benchmarks/join.py, windows.py).
os.environ.setdefault("_RJEM_MALLOC_CONF", "dirty_decay_ms:30000,muzzy_decay_ms:30000")
os.environ.setdefault("MIMALLOC_PURGE_DELAY", "30000")

# Every public name, under the module it lives in.
_HOMES: dict[str, tuple[str, ...]] = {
    ".engine.language.entity": ("Entity",),
    ".engine.language.source": ("Source",),
    ".engine.language.request": ("Request",),
    ".engine.language.function": ("function",),
    ".engine.language.view": ("FeatureView", "feature_view"),
    ".engine.language.service": ("FeatureService",),
    ".engine.language.build": ("at", "feature"),
    ".ops.when": ("when",),
    ".ops.missing": ("coalesce",),
    ".engine.language.window": ("hopping", "tumbling"),
    ".store.sources.training": ("preview", "training_set"),
    ".store.sources.frame": ("Frame",),
    ".store.sources.grid": ("grid",),
    ".store.sources.parquet": ("Parquet",),
    ".store.sources.csv_files": ("Csv",),
    ".store.sources.lance_table": ("Lance",),
    ".store.store_care": ("restore",),
    ".serve.connect": ("connect",),
    ".serve.online": ("online",),
    ".serve.handle": ("handle",),
    ".engine.errors": (
        "NowThenError",
        "NotFound",
        "UnknownColumn",
        "Invalid",
        "WrongType",
        "FunctionFailed",
        "Conflict",
        "CommitUnknown",
        "Unavailable",
        "Overloaded",
        "Deadline",
        "Corrupt",
        "StorageFull",
        "Forbidden",
    ),
}
_HOME: dict[str, str] = {name: module for module, names in _HOMES.items() for name in names}

if TYPE_CHECKING:
    from .engine.errors import (
        CommitUnknown,
        Conflict,
        Corrupt,
        Deadline,
        Forbidden,
        FunctionFailed,
        Invalid,
        NotFound,
        NowThenError,
        Overloaded,
        StorageFull,
        Unavailable,
        UnknownColumn,
        WrongType,
    )
    from .engine.language.build import at, feature
    from .engine.language.entity import Entity
    from .engine.language.function import function
    from .engine.language.request import Request
    from .engine.language.service import FeatureService
    from .engine.language.source import Source
    from .engine.language.view import FeatureView, feature_view
    from .engine.language.window import hopping, tumbling
    from .ops.missing import coalesce
    from .ops.when import when
    from .serve.connect import connect
    from .serve.handle import handle
    from .serve.online import online
    from .store.sources.csv_files import Csv
    from .store.sources.frame import Frame
    from .store.sources.grid import grid
    from .store.sources.lance_table import Lance
    from .store.sources.parquet import Parquet
    from .store.sources.training import preview, training_set
    from .store.store_care import restore

__all__ = [
    "CommitUnknown",
    "Conflict",
    "Corrupt",
    "Csv",
    "Deadline",
    "Entity",
    "FeatureService",
    "FeatureView",
    "Forbidden",
    "Frame",
    "FunctionFailed",
    "Invalid",
    "Lance",
    "NotFound",
    "NowThenError",
    "Overloaded",
    "Parquet",
    "Request",
    "Source",
    "StorageFull",
    "Unavailable",
    "UnknownColumn",
    "WrongType",
    "at",
    "coalesce",
    "connect",
    "feature",
    "feature_view",
    "function",
    "grid",
    "handle",
    "hopping",
    "online",
    "preview",
    "restore",
    "training_set",
    "tumbling",
    "when",
]


def __getattr__(name: str) -> object:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(_unknown(name))
    loading = importlib.import_module(".engine.loading", __name__)
    value: object = getattr(loading.loaded(home, __name__), name)
    globals()[name] = value  # the next look-up does not come here
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _unknown(name: str) -> str:
    # No relative import here: pytest loads this file as the `__init__.py` of the checkout, outside of any package, and asks it for names.
    from difflib import get_close_matches

    near = get_close_matches(name, __all__, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return f"module {__name__!r} has no attribute {name!r}.{hint}"
