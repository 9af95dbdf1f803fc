"""What the system does for loops: its linker makes shared libraries of object files, which its loader takes into memory in no time.

Where there is no linker, or libraries may not be loaded from where they lie, LLVM does that (`by_llvm`).
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from .layout import ENTRY

_libraries: list[ctypes.CDLL] = []  # code is in memory as long as its library is


def linked(code: bytes) -> bytes | None:
    """A library made of an object file; None where that cannot be done."""
    linker = shutil.which("ld") if sys.platform == "linux" else None
    if linker is None:
        return None
    with suppress(OSError, subprocess.SubprocessError), TemporaryDirectory(prefix="nowthen-") as folder:
        file, library = Path(folder, "loop.o"), Path(folder, "loop.so")
        file.write_bytes(code)
        options = "-shared", "-z", "text", "-z", "noexecstack"
        subprocess.run([linker, *options, "-o", str(library), str(file)], check=True, capture_output=True, timeout=60)
        return library.read_bytes()
    return None


def address_in(library: Path) -> int | None:
    """Where the entry of a library is, now in memory; None where it may not be loaded."""
    with suppress(OSError):
        loaded = ctypes.CDLL(str(library))
        _libraries.append(loaded)
        return ctypes.cast(loaded[ENTRY], ctypes.c_void_p).value
    return None
