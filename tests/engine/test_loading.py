"""Modules are loaded with the collector at rest, and it works again after, whatever happened."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from nowthen.engine.folds import compiled
from nowthen.engine.loading import loaded


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A module that says whether the collector worked while it was loaded."""
    (tmp_path / "asks_the_collector.py").write_text("import gc\nworked = gc.isenabled()\n")
    (tmp_path / "fails_to_load.py").write_text("raise RuntimeError\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield "asks_the_collector"
    sys.modules.pop("asks_the_collector", None)


def test_the_collector_rests_while_a_module_is_loaded(module: str) -> None:
    assert not loaded(module, "").worked
    assert gc.isenabled()


def test_the_collector_works_again_after_a_module_that_fails(module: str) -> None:
    with pytest.raises(RuntimeError):
        loaded("fails_to_load", "")
    assert gc.isenabled()


def test_a_collector_that_was_stopped_stays_so(module: str) -> None:
    gc.disable()
    try:
        loaded(module, "")
        assert not gc.isenabled()
    finally:
        gc.enable()


@pytest.mark.parametrize("work, begins", [(0, False), (10**9, True)])
def test_loops_are_loaded_ahead_of_large_work_alone(work: int, *, begins: bool) -> None:
    code = f"""
import threading
from nowthen.engine.folds import compiled
compiled.ahead({work})
print([one.name for one in threading.enumerate()[1:]])
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == ("['nowthen-loops']" if begins else "[]")
    assert not ran.stderr


def test_loops_that_cannot_be_loaded_ahead_make_no_noise(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fails() -> None:
        raise ImportError("numba is broken here")

    monkeypatch.delitem(sys.modules, "nowthen.engine.folds.kernels", raising=False)
    monkeypatch.setattr(compiled, "warm", fails)
    compiled.ahead(10**9)
    for thread in threading.enumerate():
        if thread.name == "nowthen-loops":
            thread.join()
    assert capfd.readouterr().err == ""


def test_a_process_that_folds_again_takes_its_arrays_from_arrow() -> None:
    code = """
import sys
from nowthen.engine.folds import compiled
assert compiled.warm() and "pyarrow" not in sys.modules
compiled.ahead(10)
assert "pyarrow" not in sys.modules
compiled.ahead(10**9)
assert "pyarrow" in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)
