"""Is everything there that NowThen needs, and does it work?"""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..engine.errors import NowThenError
from .definitions import load
from .settings import Settings, definitions_path

_PACKAGES = ("polars", "pyarrow", "numpy", "numba", "pylance", "ray", "fastapi")


def checks(found: Settings, url: str | None) -> list[dict[str, Any]]:
    """Each check with its outcome: name, ok, detail."""
    wanted: list[tuple[str, Callable[[], str]]] = [
        ("python", _python),
        *((name, _package(name)) for name in _PACKAGES),
        ("kernels", _kernels),
    ]
    if found.store:
        wanted.append(("store", lambda: _store(found)))
    if found.definitions:
        wanted.append(("definitions", lambda: _definitions(found)))
    if url:
        wanted.append(("server", lambda: _server(url)))
    return [_checked(name, check) for name, check in wanted]


def told(found: list[dict[str, Any]]) -> str:
    """The checks in lines."""
    return "\n".join(f"{'ok  ' if check['ok'] else 'FAIL'}  {check['name']:12} {check['detail']}" for check in found)


def _checked(name: str, check: Callable[[], str]) -> dict[str, Any]:
    try:
        return {"name": name, "ok": True, "detail": check()}
    except (NowThenError, OSError, ImportError, importlib.metadata.PackageNotFoundError) as error:
        return {"name": name, "ok": False, "detail": f"{type(error).__name__}: {error}"}


def _python() -> str:
    return platform.python_version()


def _package(name: str) -> Callable[[], str]:
    return lambda: importlib.metadata.version(name)


def _kernels() -> str:
    from ..engine.folds import compiled

    return "compiled" if compiled.warm() else "numpy (install numba for speed)"


def _store(found: Settings) -> str:
    from ..store.snapshots.manifest import published
    from .store_here import store_of

    store = store_of(found)
    where = store.here.folder.url
    if "://" not in where:
        root = Path(where)
        if not os.access(root if root.exists() else root.parent, os.W_OK):
            raise PermissionError(f"{where} cannot be written to")
    return f"{where}: {', '.join(published(store.here.folder)) or 'nothing published yet'}"


def _definitions(known: Settings) -> str:
    found = load(definitions_path(known))
    return f"{len(found.sources)} sources, {len(found.views)} views, {len(found.services)} services"


def _server(url: str) -> str:
    from .online import online

    return f"{url}: {', '.join(online(url).services()) or 'nothing published yet'}"
