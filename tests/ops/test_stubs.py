"""What type checkers are told about expressions is what the registry holds."""

from __future__ import annotations

import subprocess
import sys

from nowthen.engine.language.stubs import HOMES, WRITTEN, homes, stub


def test_the_written_stub_is_that_of_the_registered_operators() -> None:
    assert WRITTEN.read_text() == stub(), "an operator changed: run `make stubs`"


def test_the_written_homes_are_the_files_of_the_operators() -> None:
    assert HOMES.read_text() == homes(), "an operator came, went or moved: run `make stubs`"


def test_looking_an_operator_up_loads_its_file_and_no_other() -> None:
    code = """
import sys
from nowthen.engine.language.registry import operators
assert "sum" in operators() and len(operators()) > 50
assert not [name for name in sys.modules if name.startswith("nowthen.ops.") and name != "nowthen.ops.homes"]
assert operators()["sum"].name == "sum" and "nowthen.ops.quantile" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)
