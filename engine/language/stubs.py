"""What is written of the operators: their types for editors and mypy, and in which file each is. `make stubs` writes both, a test compares.

Nothing at run time reads methods.pyi: `Expr` finds its methods in the registry, and type checkers see them on its base class. The registry
reads ops/homes.py, so that it need not load all files to know one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from importlib import import_module
from inspect import Parameter
from itertools import groupby
from pathlib import Path
from pkgutil import iter_modules

from .expr import SYMBOLS
from .fold import Fold
from .map import Map
from .registry import OPS, registered

WRITTEN = Path(__file__).with_name("methods.pyi")
HOMES = Path(__file__).parents[2] / "ops" / "homes.py"
_HEAD = '''"""Methods of expressions. Written by `make stubs` from the registry of operators; do not edit."""

# fmt: off
from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import polars as pl

from .expr import Expr
'''
_HOMES_HEAD = '''"""In which file each operator is. Written by `make stubs` from the files of this folder; do not edit."""

HOMES = {
'''
_GIVEN = {"pl.DataType": "pl.DataType | type[pl.DataType]", "tuple[Any, ...]": "Iterable[Any]"}


def stub() -> str:
    """The text of methods.pyi for the operators there are."""
    spaces = groupby(sorted(_all()), key=lambda name: name.partition(".")[0] if "." in name else "")
    by_space: dict[str, list[str]] = {}
    for space, names in spaces:
        by_space.setdefault(space, []).extend(names)
    plain = by_space.pop("", [])
    parts = [_class(_class_name(space), names) for space, names in by_space.items()]
    properties = [f"    @property\n    def {space}(self) -> {_class_name(space)}: ..." for space in by_space]
    return _HEAD + "".join(parts) + _class("Methods", plain) + "\n".join([*properties, *_python_operators()]) + "\n"


def homes() -> str:
    """The text of ops/homes.py for the files that are there now."""
    homes = {name: _module(found) for name, found in sorted(_all().items())}
    lines = [
        f'    "{name}": "{home.removeprefix(OPS + ".")}",' for name, home in homes.items() if home.startswith(OPS + ".")
    ]
    return _HOMES_HEAD + "\n".join(lines) + "\n}\n"


def _all() -> Mapping[str, Map | type[Fold]]:
    """The operators of all files that are there, whatever was written of them before."""
    for module in iter_modules([str(HOMES.parent)]):
        import_module(f"{OPS}.{module.name}")
    return registered()


def _module(found: Map | type[Fold]) -> str:
    return found.function.__module__ if isinstance(found, Map) else found.__module__


def _class_name(space: str) -> str:
    return f"{space.capitalize()}Methods"


def _class(name: str, members: list[str]) -> str:
    methods = [_method(member) for member in members]
    return f"\nclass {name}:\n" + "\n".join(methods) + "\n"


def _method(name: str) -> str:
    found = registered()[name]
    parameters = _of_map(found) if isinstance(found, Map) else _of_fold(found)
    doc = ((found.function if isinstance(found, Map) else found).__doc__ or "").partition("\n")[0]
    return f'    def {name.rpartition(".")[2]}({", ".join(["self", *parameters])}) -> Expr:\n        """{doc}"""'


def _of_map(found: Map) -> list[str]:
    several = [column for column in found.columns if column.kind is Parameter.VAR_POSITIONAL]
    columns = [f"{column.name}: object" for column in found.columns[1:]]
    if several:
        columns = [f"*{several[0].name}: object"]
    params = [
        _parameter(name, _written(p.annotation), p.default is not Parameter.empty) for name, p in found.params.items()
    ]
    return [*columns, *params]


def _of_fold(found: type[Fold]) -> list[str]:
    own = [_parameter(f.name, _written(f.type), f.default is not MISSING) for f in fields(found)]
    return [*own, "*", "where: Expr | None = ..."]


def _parameter(name: str, annotation: str, given: bool) -> str:
    kind = _GIVEN.get(annotation, annotation)
    return f"{name}: {kind} = ..." if given else f"{name}: {kind}"


def _written(annotation: object) -> str:
    return annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))


def _python_operators() -> list[str]:
    """Those of numbers and truth; == and != stand in `Expr` itself."""
    lines = [f"    def __{name}__(self) -> Expr: ..." for name in ("neg", "invert", "abs")]
    for name in SYMBOLS:
        if name in ("eq", "ne"):
            continue
        lines.append(f"    def __{name}__(self, other: object) -> Expr: ...")
        if name not in ("lt", "le", "gt", "ge"):
            lines.append(f"    def __r{name}__(self, other: object) -> Expr: ...")
    return lines


if __name__ == "__main__":
    HOMES.write_text(homes())
    WRITTEN.write_text(stub())
