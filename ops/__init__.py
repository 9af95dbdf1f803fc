"""The operators: maps over a row and folds over the past, one small file each.

Importing this folder imports every file in it, and each registers what it defines: adding an operator is adding a file.
"""

from __future__ import annotations

import importlib
import pkgutil

for _module in pkgutil.iter_modules(__path__, __name__ + "."):
    importlib.import_module(_module.name)
