"""An environment of its own for Daft, which does not go with the pyarrow that NowThen needs."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

# What run_engine.py and join_daft.py import.
PACKAGES = ("daft>=0.7,<0.8", "pyarrow<26", "polars>=2.1,<3", "psutil>=7.2,<8")


def python_with_daft(cache: Path) -> str | None:
    """The interpreter of an environment with Daft, made once in the cache folder; None if it cannot be made, after pip has said why."""
    folder = cache / "daft-environment"
    python = folder / "bin" / "python"
    if not has_daft(python):
        print(f"making an environment for Daft in {folder} ...", file=sys.stderr)
        try:
            venv.create(folder, with_pip=True)
        except (OSError, subprocess.CalledProcessError) as error:
            print(error, file=sys.stderr)
            return None
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], stdout=sys.stderr, check=False)
    return str(python) if has_daft(python) else None


def has_daft(python: Path) -> bool:
    """Whether the interpreter exists and can import Daft."""
    return (
        python.exists() and subprocess.run([python, "-c", "import daft, polars, psutil"], check=False).returncode == 0
    )
