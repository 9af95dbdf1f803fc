"""The processor that loops are compiled for: this one, with all it can do."""

from __future__ import annotations

from functools import cache
from typing import Any

import llvmlite.binding as llvm


@cache
def described() -> tuple[str, str]:
    """Its name and its features, as LLVM knows them."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()


def target() -> Any:
    """LLVM's description of it; an engine takes it over."""
    name, features = described()
    return llvm.Target.from_default_triple().create_target_machine(name, features, opt=3, jit=True)
