"""Every example in the documentation runs: docstrings of all installed modules, and the README's."""

from __future__ import annotations

import doctest
import importlib
import os
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import nowthen

README = Path(__file__).parents[1] / "README.md"
# The block that follows this mark in the README is a whole program.
MARK = "<!-- example -->"
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
# Modules that stand on an extra, which may be missing.
EXTRAS = {"nowthen.engine.running.torch_data": "torch"}
MODULES = [
    "nowthen",
    *(
        found.name
        for found in pkgutil.walk_packages(nowthen.__path__, "nowthen.")
        if found.name.split(".")[1] in ("engine", "ops", "store", "serve")
    ),
]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if name in EXTRAS:
        pytest.importorskip(EXTRAS[name], reason=f"{EXTRAS[name]} is an extra")
    monkeypatch.chdir(tmp_path)
    assert doctest.testmod(importlib.import_module(name), optionflags=OPTIONS).failed == 0


def test_the_readme_has_its_example() -> None:
    assert len(examples()) == 1


def test_the_readme_example_runs(tmp_path: Path) -> None:
    (tmp_path / "example.py").write_text(examples()[0])
    ran = subprocess.run(
        [sys.executable, "-W", "error::UserWarning:nowthen", "example.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env=os.environ,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr


def examples() -> list[str]:
    """The marked Python blocks of the README."""
    return re.findall(re.escape(MARK) + r"\s*```python\n(.*?)```", README.read_text(), re.S)
