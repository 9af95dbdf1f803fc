"""Where a user's function stands: `module:name`, the one way to it from a definition."""

from __future__ import annotations

import importlib
import sys

from ..errors import Invalid, NotFound
from .entity import checked_name


def parted(path: object) -> tuple[str, str]:
    """Module and name of `module:name`, each part of both a plain word; nothing else is ever imported.

    >>> parted("shop.features:taxed")
    ('shop.features', 'taxed')
    """
    module, colon, name = path.partition(":") if isinstance(path, str) else ("", "", "")
    if not colon:
        raise Invalid(f"{path!r} is not the path of a function. Write it as module:name.")
    for part in (*module.split("."), name):
        checked_name(part, f"a part of the path {path!r} of a function")
    return module, name


def standing(path: str) -> object:
    """What stands at a path in this process; None where its module was not imported, or has nothing of that name."""
    module, name = parted(path)
    return vars(sys.modules.get(module, object)).get(name)


def imported(path: str) -> object:
    """What stands at a path, its module imported; None where it has nothing of that name. Nothing but the module's own code is run."""
    module, name = parted(path)
    try:
        return vars(importlib.import_module(module)).get(name)
    except ModuleNotFoundError as error:
        raise NotFound(
            f"function {path!r} needs module {error.name!r}, which is not installed here. Install it or put its folder on PYTHONPATH, "
            "on Ray also by runtime_env."
        ) from error
    except (Exception, SystemExit) as error:
        raise Invalid(
            f"module {module!r} of function {path!r} cannot be imported: {type(error).__name__}: {error}"
        ) from error
