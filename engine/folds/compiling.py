"""Machine code of a loop for arguments of some kinds, made by numba: a few KB that need neither numba nor Python when they run.

The entry takes the addresses of array objects and reads in them where the data is and how long. Whatever numba adds for errors and for
counting references is found dead by LLVM once nothing but the entry can be called from outside, and thrown away; a loop of which
something stays (it makes an array, or raises) is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import llvmlite.binding as llvm
import numba
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, overload, register_jitable

from . import by_llvm
from .jit import MARKED, prefetch
from .layout import DATA, ENTRY, SHAPE, Kind

_IN_EVERY_PROCESS = {"memcpy", "memmove", "memset", "sqrt"}  # of the C library, which Python stands on
_RETURNS = {"None": types.void, "bool": types.boolean, "int": types.int64}


def object_code(loop: Callable[..., Any], kinds: Sequence[Kind]) -> bytes:
    """An object file with the function ENTRY."""
    with _as_usual():
        _tell_numba()
        callback = numba.cfunc(_signature(loop, kinds), error_model="numpy")(_entry(loop, kinds))
        module = llvm.parse_assembly(callback.inspect_llvm())
    _hidden(module, callback.native_name)
    target = by_llvm.target()
    builder = llvm.create_pass_builder(target, llvm.create_pipeline_tuning_options(speed_level=3))
    builder.getModulePassManager().run(module, builder)
    _stands_alone(loop, module)
    return bytes(target.emit_object(module))


@contextmanager
def _as_usual() -> Iterator[None]:
    """numba without what its environment variables may ask for (checks of bounds, debugging, no compiling): it would not stand alone."""
    usual = {"DISABLE_JIT": 0, "BOUNDSCHECK": 0, "DEBUGINFO_DEFAULT": 0, "OPT": type(numba.config.OPT)(3)}
    asked = {name: getattr(numba.config, name) for name in usual}
    try:
        vars(numba.config).update(usual)
        yield
    finally:
        vars(numba.config).update(asked)


_told: set[Callable[..., Any]] = set()


def _tell_numba() -> None:
    """Let numba know all that was marked since, as loops call each other."""
    for function in MARKED:
        if function not in _told:
            register_jitable(error_model="numpy")(function)
            _told.add(function)


def _signature(loop: Callable[..., Any], kinds: Sequence[Kind]) -> Any:
    address = types.CPointer(types.int64)
    return _RETURNS[loop.__annotations__["return"]](
        *(_scalar(kind) if kind.ndim is None else address for kind in kinds)
    )


def _scalar(kind: Kind) -> Any:
    return numba.from_dtype(kind.dtype)


def _entry(loop: Callable[..., Any], kinds: Sequence[Kind]) -> Callable[..., Any]:
    """A function that calls the loop with the arrays that stand at addresses."""
    names = [f"x{place}" for place in range(len(kinds))]
    given = [
        name if kind.ndim is None else f"carray(at({name}[{DATA}], {name}t), ({_lengths(name, kind.ndim)}))"
        for name, kind in zip(names, kinds, strict=True)
    ]
    written = f"def {ENTRY}({', '.join(names)}):\n    return loop({', '.join(given)})\n"
    known: dict[str, Any] = {"loop": loop, "carray": numba.carray, "at": _at, "int64": types.int64}
    known.update({f"{name}t": _scalar(kind) for name, kind in zip(names, kinds, strict=True)})
    exec(written, known)  # numba wants a function of as many arguments
    entry: Callable[..., Any] = known[ENTRY]
    return entry


def _lengths(name: str, ndim: int) -> str:
    return "".join(f"at({name}[{SHAPE}], int64)[{axis}], " for axis in range(ndim))


def _hidden(module: Any, entry: str) -> None:
    """Leave nothing but the entry to be called from outside."""
    for one in (*module.functions, *module.global_variables):
        if one.name == entry:
            one.name = ENTRY
        elif not one.is_declaration:
            one.linkage = "internal"


def _stands_alone(loop: Callable[..., Any], module: Any) -> None:
    """Refuse a loop that would call what only numba or Python has."""
    called = [one.name for one in module.functions if one.is_declaration]
    strange = [name for name in called if not name.startswith("llvm.") and name not in _IN_EVERY_PROCESS]
    if strange:
        raise TypeError(f"{loop.__name__} needs {strange}; a loop makes no arrays and raises nothing.")


@intrinsic  # type: ignore[untyped-decorator]
def _at(context: Any, address: Any, dtype: Any) -> Any:  # noqa: ARG001  (numba calls it so)
    """What stands at an address, as a pointer."""
    made = types.CPointer(dtype.dtype)

    def pointer(target: Any, builder: ir.IRBuilder, signature: Any, given: Sequence[Any]) -> Any:
        return builder.inttoptr(given[0], target.get_value_type(signature.return_type))

    return made(address, dtype), pointer


@overload(prefetch, strict=False)  # type: ignore[untyped-decorator]
def _prefetch(array: Any, index: Any) -> Any:  # noqa: ARG001  (numba calls it so)
    return lambda array, index: _instruction(array, index)


@intrinsic  # type: ignore[untyped-decorator]
def _instruction(context: Any, array: Any, index: Any) -> Any:  # noqa: ARG001  (numba calls it so)
    """LLVM's prefetch of data that will be read, to all caches."""

    def fetched(target: Any, builder: ir.IRBuilder, signature: Any, given: Sequence[Any]) -> Any:
        found = target.make_array(signature.args[0])(target, builder, given[0])
        (step, *_), word = cgutils.unpack_tuple(builder, found.strides), ir.IntType(64)
        begin = builder.add(builder.ptrtoint(found.data, word), builder.mul(builder.sext(given[1], word), step))
        address = builder.inttoptr(begin, ir.IntType(8).as_pointer())
        how = [ir.Constant(ir.IntType(32), one) for one in (0, 3, 1)]
        function = ir.FunctionType(ir.VoidType(), [address.type, *(one.type for one in how)])
        builder.call(cgutils.get_or_insert_function(builder.module, function, "llvm.prefetch.p0i8"), [address, *how])
        return target.get_dummy_value()

    return types.void(array, index), fetched
