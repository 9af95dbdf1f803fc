"""What the system does for loops: its linker makes shared libraries of object files, which its loader takes into memory in no time.

Where there is no linker, or libraries may not be loaded from where they lie, LLVM does that (`by_llvm`).
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from .layout import ENTRY


def linked(code: bytes) -> bytes | None:
    """A library made of an object file; None where that cannot be done."""
    linker = shutil.which("ld") if sys.platform == "linux" else None
    if linker is None or not os.path.isabs(linker):
        return None  # what lies in the folder one works in is no linker
    with suppress(OSError, subprocess.SubprocessError), TemporaryDirectory(prefix="nowthen-") as folder:
        file, library = Path(folder, "loop.o"), Path(folder, "loop.so")
        file.write_bytes(code)
        options = "-shared", "-z", "text", "-z", "noexecstack"
        subprocess.run([linker, *options, "-o", str(library), str(file)], check=True, capture_output=True, timeout=20)
        return library.read_bytes()
    return None


def address_in(library: Path) -> int | None:
    """Where the entry of a library is, now in memory, where it stays; None where it may not be loaded or has none."""
    with suppress(OSError, AttributeError):
        return ctypes.cast(ctypes.CDLL(str(library))[ENTRY], ctypes.c_void_p).value
    return None
