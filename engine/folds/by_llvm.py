"""What LLVM does for loops: it says what processor this is, and takes object files into memory. Loading it costs a process 20 ms of CPU."""

from __future__ import annotations

from functools import cache
from typing import Any
from uuid import uuid4

import llvmlite.binding as llvm

from .layout import ENTRY


@cache
def host() -> tuple[str, str]:
    """The name and the features of this processor."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()


def target() -> Any:
    """The processor here with all it can do, for code that may lie anywhere in memory."""
    name, features = host()
    native = llvm.Target.from_default_triple()
    made: Any = native.create_target_machine(name, features, opt=3, reloc="pic", codemodel="small")
    return made


# Made when this file is loaded, which one thread does. JITLink keeps the parts of an object file near each other, which ARM needs.
_LINKER = llvm.create_lljit_compiler(target(), use_jit_link=True)


def address_in(code: bytes) -> int:
    """Where the entry of an object file is, now in memory, where it stays."""
    file = llvm.JITLibraryBuilder().add_object_img(code).add_current_process().export_symbol(ENTRY)
    library = file.link(_LINKER, f"loop-{uuid4()}")
    library.detach()
    return int(library[ENTRY])
