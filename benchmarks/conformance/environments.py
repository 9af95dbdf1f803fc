"""An environment for each peer, made with pip under a cache folder and kept until what it installs changes.

Peers do not fit into one environment with NowThen or with each other: Feast's Ray engine needs another Ray, and its pandas is older.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

from .tools import Tool

_CACHE = "NOWTHEN_CONFORMANCE_CACHE"
_LIMIT_S = 1800.0
_ASK_VERSIONS = """
import json, sys
from importlib.metadata import PackageNotFoundError, version
found = {}
for name in sys.argv[1:]:
    try:
        found[name] = version(name)
    except PackageNotFoundError:
        pass
print(json.dumps(found))
"""


class CannotInstall(RuntimeError):
    """An environment could not be made; the message ends with what pip said."""


def interpreter(tool: Tool) -> Path:
    """The Python that runs the tool, after its environment was made where there was none."""
    if not tool.installs:
        return Path(sys.executable)
    folder = cache() / tool.environment
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = folder / "installed.json"
    if not stamp.exists() or json.loads(stamp.read_text()) != list(tool.installs):
        install(tool, folder, python)
        stamp.write_text(json.dumps(tool.installs))
    return python


def install(tool: Tool, folder: Path, python: Path) -> None:
    """Make the environment anew."""
    venv.create(folder, with_pip=True, clear=True)
    command = [str(python), "-m", "pip", "install", "--quiet", *tool.installs]
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=_LIMIT_S, check=False)
    except subprocess.TimeoutExpired:
        raise CannotInstall(f"pip took longer than {_LIMIT_S:g} s") from None
    if ran.returncode:
        raise CannotInstall("\n".join(ran.stderr.strip().splitlines()[-3:]))


def cache() -> Path:
    """Where environments are kept; NOWTHEN_CONFORMANCE_CACHE says otherwise."""
    given = os.environ.get(_CACHE)
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = Path(given) if given else base / "nowthen" / "conformance"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def versions(tool: Tool, python: Path) -> dict[str, str]:
    """The versions of the packages that matter for a tool."""
    ran = subprocess.run([str(python), "-c", _ASK_VERSIONS, *tool.versions], capture_output=True, text=True, check=True)
    found: dict[str, str] = json.loads(ran.stdout)
    return found
