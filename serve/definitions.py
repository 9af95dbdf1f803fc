"""Definitions as people keep them: a Python file or module that holds sources, views and services."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from ..engine.errors import Invalid, NotFound, NowThenError, did_you_mean
from ..engine.language.service import FeatureService
from ..engine.language.source import Rows
from ..engine.language.view import ViewType
from ..engine.record import record


@record
class Definitions:
    """What a module defines, by name."""

    services: dict[str, FeatureService]
    views: dict[str, ViewType]
    sources: dict[str, Rows]

    @property
    def everything(self) -> list[Any]:
        """What there is to apply."""
        return [*self.sources.values(), *self.views.values(), *self.services.values()]

    def source(self, name: str) -> Rows:
        """The source of that name, or NotFound with the nearest one."""
        if name not in self.sources:
            raise NotFound(f"the definitions have no source {name!r}. {did_you_mean(name, self.sources)}")
        return self.sources[name]


def load(place: str) -> Definitions:
    """The definitions in a file (`features.py`) or an importable module (`bank.features`)."""
    module = _module(place)
    found = [value for name, value in vars(module).items() if not name.startswith("_")]
    made = Definitions(
        {value.name: value for value in found if isinstance(value, FeatureService)},
        {value.spec.name: value for value in found if isinstance(value, ViewType) and "spec" in vars(value)},
        {value.spec.name: value for value in found if isinstance(value, Rows)},
    )
    if not made.everything:
        raise Invalid(
            f"definitions {place!r} hold no source, view or service. Write them at the top level of the module."
        )
    return made


def reachable(place: str) -> None:
    """Have imports find definitions and what lies beside them, as functions of users that a store names. Nothing is imported."""
    _reach(str(Path(place).parent.absolute()) if place.endswith(".py") else os.getcwd())


def _module(place: str) -> ModuleType:
    try:
        return _from_file(Path(place)) if place.endswith(".py") else _by_name(place)
    except NowThenError:
        raise
    except Exception as error:
        raise Invalid(f"definitions {place!r} cannot be imported: {type(error).__name__}: {error}") from error


def _by_name(name: str) -> ModuleType:
    """A module as `python -m` finds it: the folder we are in comes first."""
    reachable(name)
    return importlib.import_module(name)


def _from_file(path: Path) -> ModuleType:
    """A file as `python FILE` runs it: it finds what lies beside it."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise NotFound(f"definitions {str(path)!r}: there is no such file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    reachable(str(path))
    spec.loader.exec_module(module)
    return module


def _reach(folder: str) -> None:
    """Have imports look in a folder first."""
    if folder not in sys.path:
        sys.path.insert(0, folder)
