"""What NowThen uses of numba, typed: a compiled function keeps the type of the function it was made from."""

from collections.abc import Callable
from typing import Any, TypeVar, overload

_Function = TypeVar("_Function", bound=Callable[..., Any])

@overload
def njit(function: _Function, /) -> _Function: ...
@overload
def njit(*signatures: Any, **options: Any) -> Callable[[_Function], _Function]: ...

prange = range

def get_num_threads() -> int: ...
def set_num_threads(n: int) -> None: ...
def __getattr__(name: str) -> Any: ...
