"""At the end of a process the collector rests, and whatever has something to do at its end still does it."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path

import pytest

# Handlers run last in, first out: what is registered before NowThen is loaded sees what NowThen's left.
_BEGIN = """
import atexit, gc, sys
atexit.register(lambda: print("frozen" if gc.get_freeze_count() else "not frozen"))
import nowthen as nt
nt.Entity
class Ring:
    def __init__(self): self.me = self
ring = Ring()
"""
_GOODBYE = "Ring.__del__ = lambda self: print('goodbye')"
_WAITING = """
def waiting(ring):
    try: yield
    finally: print("goodbye")
ring.waits = waiting(ring)
next(ring.waits)
"""


def _said(code: str, *arguments: str) -> list[str]:
    ran = subprocess.run([sys.executable, "-c", _BEGIN + code, *arguments], capture_output=True, text=True, check=True)
    assert not ran.stderr
    return ran.stdout.split("\n")[:-1]


@pytest.mark.parametrize("code", ["", "import polars, numpy", "sys.stdout.write('')", "sys.stdin = None"])
def test_what_is_alive_is_left_to_the_system(code: str) -> None:
    assert _said(code) == ["frozen"]


@pytest.mark.parametrize("code", [_GOODBYE, _WAITING])
def test_what_a_cycle_holds_still_says_goodbye(code: str) -> None:
    assert _said(code) == ["not frozen", "goodbye"]


@pytest.mark.parametrize("opened", ["open(sys.argv[1], 'w')", "__import__('gzip').open(sys.argv[1], 'wt')"])
def test_a_file_that_a_cycle_holds_is_written(opened: str, tmp_path: Path) -> None:
    path = tmp_path / "rows"
    assert _said(f"ring.file = {opened}\nring.file.write('all of it')", str(path)) == ["not frozen"]
    text = path.read_bytes()
    assert (gzip.decompress(text) if "gzip" in opened else text) == b"all of it"


@pytest.mark.parametrize(
    "opened",
    [
        "pyarrow.output_stream(sys.argv[1], buffer_size=65536)",
        "pyarrow.BufferedOutputStream(pyarrow.OSFile(sys.argv[1], 'wb'), 65536)",
    ],
)
def test_a_stream_that_is_no_object_of_pythons_is_written(opened: str, tmp_path: Path) -> None:
    path = tmp_path / "rows"
    code = f"import pyarrow\nout = {opened}\nout.write(b'all of it')\ndef holds_the_module(): pass"
    assert _said(code, str(path)) == ["not frozen"]
    assert path.read_bytes() == b"all of it"


@pytest.mark.parametrize("library", ["duckdb", "sqlite3", "pandas", "lance"])
def test_libraries_of_which_nothing_is_known_are_taken_apart(library: str) -> None:
    assert _said(f"import {library}") == ["not frozen"]


def test_a_module_or_a_stream_that_is_none_is_left_alone() -> None:
    code = """
class Odd:
    def __getattr__(self, name): raise ValueError(name)
sys.modules["odd"] = Odd()
sys.__stdin__ = Odd()
"""
    assert _said(code) == ["not frozen"]


def test_a_process_without_standard_streams_ends_well(tmp_path: Path) -> None:
    code = "import sys; sys.stdout = sys.__stdout__ = None; import nowthen as nt; nt.Entity"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
