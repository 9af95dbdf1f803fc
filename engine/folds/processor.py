"""What kind of processor this is: loops are compiled for it, with all it can do."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_CORES = Path("/proc/cpuinfo")
_KIND = {
    "vendor_id", "cpu family", "model", "model name", "stepping", "flags", "CPU implementer", "CPU architecture",
    "CPU variant", "CPU part", "CPU revision", "Features", "isa", "uarch",
}  # fmt: skip


@cache
def described() -> str:
    """What tells its kind from others: what Linux says of its first core, elsewhere what LLVM does."""
    try:
        with _CORES.open() as cores:
            first = cores.read(1 << 14).partition("\n\n")[0]
    except OSError:
        first = ""
    kind = [line for line in first.splitlines() if line.partition(":")[0].strip() in _KIND]
    return "\n".join(kind) if len(kind) > 1 else _as_llvm_says()


def _as_llvm_says() -> str:
    from .by_llvm import host

    return repr(host())
