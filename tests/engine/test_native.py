"""Loops as machine code: they do what the functions they are made of do, and files that are stale or damaged are made anew."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nowthen.engine.folds import by_llvm, by_system, compiled, kernels_order, native_files, processor
from nowthen.engine.folds.column import Array, Index
from nowthen.engine.folds.jit import MARKED, jit
from nowthen.engine.folds.layout import is_as_expected
from nowthen.engine.folds.native import Loop
from nowthen.engine.folds.origin import essence

needs_a_linker = pytest.mark.skipif(shutil.which("ld") is None or sys.platform != "linux", reason="no linker here")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty place for object files."""
    monkeypatch.setattr(native_files, "_folders", lambda: (tmp_path,))
    return tmp_path


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the loops that are compiled from now on."""
    from nowthen.engine.folds import compiling

    names: list[str] = []
    compile_it = compiling.object_code

    def counted(loop: Callable[..., Any], kinds: Any) -> bytes:
        names.append(loop.__name__)
        return compile_it(loop, kinds)

    monkeypatch.setattr(compiling, "object_code", counted)
    return names


def rising(loop: Loop) -> bool:
    """What `rises` says of three numbers."""
    return bool(loop(np.array([1, 2, 3])))


def test_arrays_lie_as_loops_expect() -> None:
    assert is_as_expected()


@pytest.mark.parametrize("dtype", ["int64", "int32", "float64", "float32", "bool", "uint8"])
def test_a_loop_does_what_its_function_does(dtype: str) -> None:
    values, rows = np.arange(6).astype(dtype), np.array([5, 0, 3])
    ours, pythons = np.zeros(3, dtype=dtype), np.zeros(3, dtype=dtype)
    Loop(kernels_order.take)(values, rows, ours)
    kernels_order.take(values, rows, pythons)
    assert ours.tolist() == pythons.tolist() == values[rows].tolist()


@pytest.mark.parametrize("values, expected", [([1, 2, 3], True), ([1, 1], False), ([], True)])
def test_truth_values_come_back_as_such(values: list[int], expected: bool) -> None:
    assert Loop(kernels_order.rises)(np.array(values, dtype=np.int64)) is expected


def test_arrays_that_may_not_be_written_are_read() -> None:
    values = np.array([1, 2, 3])
    values.flags.writeable = False
    assert rising(Loop(kernels_order.rises))
    assert Loop(kernels_order.rises)(values)


def test_arrays_in_several_pieces_are_read_and_filled() -> None:
    values, out = np.arange(10), np.zeros((3, 2), dtype=np.int64)
    Loop(kernels_order.take)(values[::-2], np.array([0, 1, 4]), out[:, 1])
    assert out.tolist() == [[0, 9], [0, 7], [0, 1]]


def test_wrong_numbers_of_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match="argument"):
        Loop(kernels_order.rises)()


def test_a_loop_is_compiled_once_for_each_combination_of_types(folder: Path, made: list[str]) -> None:
    loop = Loop(kernels_order.rises)
    assert rising(loop)
    assert rising(loop)
    assert loop(np.array([1.0, 2.0]))
    assert made == ["rises", "rises"]
    assert rising(Loop(kernels_order.rises))
    assert made == ["rises", "rises"]
    assert len(list(folder.iterdir())) == 2


@pytest.mark.parametrize(
    "damage", [lambda code: code[:-1], lambda code: b"", lambda code: code[:40] + b"?" + code[41:]]
)
def test_a_damaged_file_is_made_anew(folder: Path, made: list[str], damage: Callable[[bytes], bytes]) -> None:
    assert rising(Loop(kernels_order.rises))
    (file,) = folder.iterdir()
    content = file.read_bytes()
    file.unlink()  # what is in memory of it must not change
    file.write_bytes(damage(content))
    assert rising(Loop(kernels_order.rises))
    assert rising(Loop(kernels_order.rises))
    assert made == ["rises", "rises"]


def test_code_of_other_sources_lies_beside(folder: Path, made: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert rising(Loop(kernels_order.rises))
    with monkeypatch.context() as other:
        other.setattr(native_files, "origin", lambda: "others")
        assert not native_files.any_made()
        assert rising(Loop(kernels_order.rises))
        assert native_files.any_made()
    assert rising(Loop(kernels_order.rises))
    assert native_files.any_made()
    assert made == ["rises", "rises"]
    assert len(list(folder.iterdir())) == 2


def test_code_is_named_by_what_is_in_memory_whatever_files_say_by_now() -> None:
    def counted(values: Index) -> int:
        return len(values) + _MORE

    before = essence(counted)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(globals(), "_MORE", 2)
        assert essence(counted) != before
    assert essence(counted) == before


_MORE = 1


@pytest.mark.parametrize("home", [{}, {"HOME": "relative"}, {"HOME": "/nowhere", "XDG_CACHE_HOME": "relative"}])
def test_no_folder_is_taken_for_one_of_the_users_that_may_be_anybodys(home: dict[str, str], tmp_path: Path) -> None:
    code = """
import os, pwd
def nobody(uid):
    raise KeyError(uid)
pwd.getpwuid = nobody
from nowthen.engine.folds import native_files
assert all(folder.is_absolute() for folder in native_files._folders()), native_files._folders()
native_files.any_made()
"""
    env = {name: value for name, value in os.environ.items() if name not in ("HOME", "XDG_CACHE_HOME")} | home
    subprocess.run([sys.executable, "-c", code], check=True, env=env, cwd=tmp_path)


def test_a_folder_that_may_not_be_entered_holds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(self: Path, pattern: str) -> Iterator[Path]:
        raise PermissionError(self)

    monkeypatch.setattr(Path, "glob", refused)
    assert not native_files.any_made()


@pytest.mark.parametrize("asked", ["DISABLE_JIT=1", "BOUNDSCHECK=1", "DEBUGINFO=1", "OPT=0"])
def test_loops_are_compiled_whatever_numba_is_asked_for(asked: str, tmp_path: Path) -> None:
    code = f"""
import pathlib
import numpy as np
from nowthen.engine.folds import kernels, native_files
native_files._folders = lambda: (pathlib.Path({str(tmp_path)!r}),)
assert kernels.rises(np.array([1, 2]))
kernels.falls(np.zeros(3, np.int64), np.arange(3), np.empty((0, 0), np.int64), 1, np.zeros(2, np.int64))
"""
    name, value = asked.split("=")
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, f"NUMBA_{name}": value})
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("fails", ["write_bytes", "replace"])
def test_a_file_that_cannot_be_written_leaves_nothing_behind(
    fails: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, content: object) -> None:
        self.touch()
        raise OSError

    monkeypatch.setattr(Path, fails, full)
    assert rising(Loop(kernels_order.rises))
    assert not list(folder.iterdir())


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_child_of_a_fork_compiles_though_its_parent_was_compiling(folder: Path) -> None:
    with native_files._making:
        child = os.fork()
        if child == 0:
            signal.alarm(60)
            os._exit(0 if rising(Loop(kernels_order.rises)) else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_code_that_can_be_written_nowhere_runs_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a file").write_text("")
    monkeypatch.setattr(native_files, "_folders", lambda: (tmp_path / "a file" / "below",))
    assert rising(Loop(kernels_order.rises))


def test_code_goes_to_the_next_folder_where_the_first_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a file").write_text("")
    monkeypatch.setattr(native_files, "_folders", lambda: (tmp_path / "a file" / "below", tmp_path / "next"))
    assert rising(Loop(kernels_order.rises))
    assert [path.stem.partition("-")[0] for path in (tmp_path / "next").iterdir()] == ["rises"]


@pytest.fixture
def no_linker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(by_system, "linked", lambda code: None)


@needs_a_linker
def test_where_a_linker_is_the_system_loads_the_library(folder: Path, made: list[str]) -> None:
    assert rising(Loop(kernels_order.rises))
    assert [path.suffix for path in folder.iterdir()] == [".so"]
    assert rising(Loop(kernels_order.rises))
    assert made == ["rises"]


@pytest.mark.usefixtures("no_linker")
def test_where_none_is_llvm_loads_the_object_file(folder: Path, made: list[str]) -> None:
    assert rising(Loop(kernels_order.rises))
    assert [path.suffix for path in folder.iterdir()] == [".o"]
    assert rising(Loop(kernels_order.rises))
    assert made == ["rises"]


def test_libraries_that_may_not_be_loaded_give_way_to_object_files(
    folder: Path, made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(path: str) -> None:
        raise OSError(f"{path}: failed to map segment from shared object")

    monkeypatch.setattr("nowthen.engine.folds.by_system.ctypes.CDLL", refused)
    monkeypatch.setattr(by_system, "linked", lambda code: code)
    assert rising(Loop(kernels_order.rises))
    assert rising(Loop(kernels_order.rises))
    assert [path.suffix for path in folder.iterdir()] == [".o"]
    assert made == ["rises"]


@pytest.mark.parametrize("ld", ["#!/bin/sh\nexit 1\n", "no program"])
def test_a_linker_that_fails_is_none(ld: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ld").write_text(ld)
    (tmp_path / "ld").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert by_system.linked(b"no object file") is None


@needs_a_linker
def test_a_loop_does_the_same_from_a_library_and_from_an_object_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(5)
    values, rows = rng.normal(size=1000), rng.integers(0, 1000, 300)
    taken = []
    for _ in range(2):
        taken.append(np.empty(300))
        Loop(kernels_order.take)(values, rows, taken[-1])
        (file,) = folder.glob("take-*.so") if len(taken) == 1 else folder.glob("take-*.o")
        file.unlink()
        monkeypatch.setattr(by_system, "linked", lambda code: None)
    assert taken[0].tolist() == taken[1].tolist() == values[rows].tolist()


@needs_a_linker
def test_a_library_without_the_entry_gives_way_to_an_object_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(by_system, "ENTRY", "another")
    assert rising(Loop(kernels_order.rises))
    assert rising(Loop(kernels_order.rises))
    assert [path.suffix for path in folder.iterdir()] == [".o"]


def test_what_a_killed_process_left_behind_is_no_compiled_loop(folder: Path) -> None:
    assert rising(Loop(kernels_order.rises))
    (file,) = folder.iterdir()
    file.rename(file.with_name(f"{file.name}.draft"))
    assert not native_files.any_made()


def test_a_linker_in_the_folder_one_works_in_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ld").write_text("#!/bin/sh\ntouch ran\n")
    (tmp_path / "ld").chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", ".")
    assert by_system.linked(b"an object file") is None
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("cores", [None, "", "processor\t: 0\nBogoMIPS\t: 50.00\n\n"])
def test_llvm_tells_the_processor_where_linux_does_not(
    cores: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if cores is not None:
        (tmp_path / "cpuinfo").write_text(cores)
    monkeypatch.setattr(processor, "_CORES", tmp_path / "cpuinfo")
    assert processor.described.__wrapped__() == repr(by_llvm.host())


def test_what_changes_from_core_to_core_does_not_tell_a_kind_of_processor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processor, "_CORES", tmp_path / "cpuinfo")
    core = "processor : {}\nvendor_id : A\nmodel name : B\ncpu MHz : {}\nflags : fpu {}\n\n"
    described = []
    for number, flag in ((0, "avx"), (1, "avx"), (0, "avx2")):
        (tmp_path / "cpuinfo").write_text(core.format(number, 2000 + number, flag) * 2)
        described.append(processor.described.__wrapped__())
    assert described[0] == described[1] != described[2]


def test_threads_may_call_one_loop_at_once(folder: Path, made: list[str]) -> None:
    loop = Loop(kernels_order.rises)
    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(lambda _: rising(loop), range(64)))
    assert made == ["rises"]


def makes_an_array(values: Index) -> int:
    return len(np.sort(values + 1))


def raises(values: Array) -> int:
    if len(values) == 0:
        raise ValueError
    return 1


@pytest.mark.parametrize("function", [makes_an_array, raises])
def test_what_could_not_stand_alone_is_refused(function: Callable[..., Any], folder: Path) -> None:
    jit(function)
    with pytest.raises(TypeError, match=f"{function.__name__} needs"):
        Loop(function)(np.array([1, 2]))
    assert not list(folder.iterdir())


def test_a_process_that_finds_its_loops_made_loads_no_numba() -> None:
    code = """
import sys
import numpy as np
from nowthen.engine.folds import compiled
loops = compiled.kernels(10**6)
assert loops.rises(np.array([1, 2]))
print("numba" in sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
    again = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert again.stdout.strip() == "False"


@pytest.mark.parametrize(
    "work, any_made, loads", [(10, True, False), (60_000, True, True), (60_000, False, False), (10**6, False, True)]
)
def test_loops_are_worth_less_work_where_they_were_compiled_before(
    work: int, any_made: bool, loads: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiled, "_any_made", lambda: any_made)
    monkeypatch.delitem(sys.modules, "nowthen.engine.folds.kernels", raising=False)
    monkeypatch.setattr(compiled, "warm", lambda: "loops")
    assert compiled.kernels(work) == ("loops" if loads else None)


def test_without_numba_there_are_no_loops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "_can_compile", lambda: False)
    assert compiled.warm() is None


def test_marking_a_function_leaves_it_as_it_is() -> None:
    def plain() -> None: ...

    assert jit(plain) is plain
    MARKED.remove(plain)
