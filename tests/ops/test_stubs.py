"""What type checkers are told about expressions is what the registry holds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

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


def test_homes_are_written_anew_whatever_stands_there(tmp_path: Path) -> None:
    code = """
import sys
from nowthen.engine.language import stubs
sys.modules["nowthen.ops.homes"] = type(sys)("homes")
sys.modules["nowthen.ops.homes"].HOMES = {"gone": "nowhere"}
assert '"sum": "sum"' in stubs.homes() and "gone" not in stubs.homes()
assert "gone" not in stubs.stub()
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)


def test_an_operator_whose_file_another_thread_is_loading_is_waited_for(tmp_path: Path) -> None:
    code = """
import sys, threading, time
from importlib.machinery import SourceFileLoader
from nowthen.engine.language.registry import operators
ran = SourceFileLoader.exec_module
def slow(self, module):
    if module.__name__ != "nowthen.ops.arithmetic":
        return ran(self, module)
    begun.set(); time.sleep(0.2)
    ran(self, module)
    time.sleep(0.2)
    module.WHOLE = True
begun = threading.Event()
SourceFileLoader.exec_module = slow
first = threading.Thread(target=lambda: operators()["add"])
first.start(); begun.wait(); time.sleep(0.3)
operators()["add"]
assert sys.modules["nowthen.ops.arithmetic"].WHOLE
first.join()
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)
