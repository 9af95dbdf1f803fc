"""`@nt.function`: the user's own map, written as a function of `pl.Series`.

It is a Map that is known by its import path and by the digest of its source, and is in no registry. A definition holds these two, never its
code; what comes back from one imports the module when a value is first asked for, and no earlier.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, update_wrapper
from typing import Any, ClassVar, overload

import polars as pl

from ..errors import Invalid, NotFound, WrongType
from ..folds.column import Column
from . import dtype as types
from .build import applied
from .definition_values import value_json
from .expr import Expr
from .function_path import imported, standing
from .function_source import check_parameters, source_version
from .function_values import as_declared, called, refuse_if_not_rowwise
from .map import Map

Body = Callable[..., pl.Series]


def function(returns: Any) -> Callable[[Body], Function]:
    """Make a map of a function of `pl.Series` that returns a series of equal length, each value computed from its own row alone.

    Positional parameters are columns, keyword-only ones parameters, whose values are part of the version. Called with expressions it is
    an expression of type `returns`; called with series it just runs. It sees nulls as they are. Its version is its source and `returns`,
    wherever it is defined and whatever it is called: moving it changes nothing, and what it reads by a global name does not count.

    >>> @function(returns=pl.Float64)
    ... def taxed(price: pl.Series, *, rate: float = 0.2) -> pl.Series:
    ...     return price * (1 + rate)
    >>> taxed(pl.Series([100.0]))[0]
    120.0
    >>> from .request import Request
    >>> taxed(Request({"price": pl.Float64}).price, rate=0.1)
    taxed(request.price, rate=0.1)
    """
    if not isinstance(returns, type | pl.DataType):
        raise WrongType(f"write @nt.function(returns=pl.Float64), with the type it returns; got {returns!r}.")
    dtype = _checked_type(types.instance(returns))

    def decorate(body: Body) -> Function:
        version = source_version(body)
        check_parameters(body)
        return Function(f"{body.__module__}:{body.__qualname__}", version, dtype, body)

    return decorate


class Function(Map):
    """A function of the user as a map: import path, version of its source, and declared type. The body may be elsewhere until it is needed."""

    built_in: ClassVar[bool] = False
    version: str

    def __init__(self, path: str, version: str, dtype: pl.DataType, body: Body | None = None) -> None:
        vars(self).update(name=path, version=version)  # fields of a Map, which is frozen
        self.dtype = dtype
        self._body, self._by_path = body, body is None
        self._tried = False  # whether it was seen to look at one row at a time
        self.__name__ = path.rpartition(":")[2].rpartition(".")[2]
        if body is not None:
            update_wrapper(self, body, updated=())

    @overload
    def __call__(self, *args: pl.Series, **params: Any) -> pl.Series: ...
    @overload
    def __call__(self, *args: object, **params: Any) -> Expr: ...
    def __call__(self, *args: Any, **params: Any) -> Any:
        """The expression of it on expressions and literals; on series, what the function gives."""
        if any(isinstance(arg, pl.Series) for arg in args) and not any(isinstance(arg, Expr) for arg in args):
            return self.function(*args, **params)
        made = applied(self, args, params)
        self.content(made.params)  # parameters that cannot be written down are refused here
        return made

    # -- as a map -------------------------------------------------------------------------------------------------------
    @property
    def function(self) -> Body:
        """The body, imported if it is not at hand."""
        if self._body is None:
            self._body = self._found().function
        return self._body

    def returns(self, *dtypes: pl.DataType, **params: Any) -> pl.DataType:
        """The declared type, whatever it is given."""
        return self.dtype

    def run(self, columns: list[Column], params: Mapping[str, Any], dtype: pl.DataType) -> Column:
        """The column it gives, checked. It is not asked about no rows."""
        body, n = self.function, len(columns[0])
        if n == 0:
            return Column.nulls(0, dtype)
        given = [column.to_series(name) for column, name in zip(columns, self._names(len(columns)), strict=True)]

        def ask(series: Sequence[pl.Series]) -> pl.Series:
            return as_declared(self.name, called(self.name, body, series, params), len(series[0]), dtype)

        made = ask(given)
        if n > 1 and not self._tried:
            refuse_if_not_rowwise(self.name, ask, given, made)
            self._tried = True
        return Column.from_series(made)

    def _names(self, n: int) -> list[str]:
        """What n columns are called in the function."""
        named, rest = self._columns
        return [*named, *(f"{rest}_{number}" for number in range(n - len(named)))]

    @cached_property
    def _columns(self) -> tuple[list[str], str]:
        """The names of its columns, and that of the further ones."""
        rest = inspect.Parameter.VAR_POSITIONAL
        return [p.name for p in self.columns if p.kind is not rest], next(
            (p.name for p in self.columns if p.kind is rest), ""
        )

    def content(self, params: Sequence[tuple[str, Any]]) -> list[Any]:
        """Its source and declared type, and the parameters: neither path nor name."""
        return ["function", self.version, str(self.dtype), [[name, value_json(value)] for name, value in params]]

    def call(self, args: Sequence[str], params: Sequence[tuple[str, Any]]) -> str:
        """As one writes it: `distance(tx.a, tx.b, unit='km')`."""
        return f"{self.__name__}({', '.join([*args, *(f'{name}={value!r}' for name, value in params)])})"

    def load(self) -> None:
        """See that the body is at hand: import its module if need be, or say why that cannot be done."""
        assert self.function is not None

    # -- where it stands ------------------------------------------------------------------------------------------------
    def written(self) -> dict[str, Any]:
        """Path and version. Refused for a function that nobody else could import."""
        if not self._by_path_alone():
            raise Invalid(
                f"function {self.name!r} cannot be written into a definition: others find it by its path, and it is not defined at the top "
                "of a module that can be imported, under names of letters, digits and underscores. Move it from the notebook, script, "
                "class or function it is in to a module, and import it from there."
            )
        return {"node": "function", "function": self.name, "version": self.version}

    def __reduce__(self) -> tuple[Any, ...]:
        """By path where others can import it, else by value: cloudpickle, and so Ray, takes functions of notebooks along."""
        named = self.name, self.version, self.dtype
        return Function, named if self._by_path_alone() else (*named, self.function)

    def _by_path_alone(self) -> bool:
        if self._by_path:
            return True
        try:
            return self._is(standing(self.name))
        except Invalid:
            return False

    def _found(self) -> Function:
        """The function of its path, if it is the same."""
        found = imported(self.name)
        if not isinstance(found, Function):
            raise NotFound(
                f"function {self.name!r}: its module is here, but has no nt.function of that name. Install the version of the module "
                "that has it, or apply the definition again."
            )
        if not self._is(found) or found._body is None:
            raise Invalid(
                f"function {self.name!r} differs here (source {found.version[:12]}, returns {found.dtype}) from where it was defined "
                f"(source {self.version[:12]}, returns {self.dtype}). Install that version of the module, or apply the definition again."
            )
        return found

    def _is(self, other: object) -> bool:
        return isinstance(other, Function) and (other.version, other.dtype) == (self.version, self.dtype)

    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return f"<nt.function {self.name} -> {self.dtype}, source {self.version[:12]}>"


def _checked_type(dtype: pl.DataType) -> pl.DataType:
    try:
        types.read(types.written(dtype))
    except Invalid:
        pass
    else:
        if types.settled(dtype) == dtype and not isinstance(dtype, pl.Null):
            return dtype
    raise WrongType(
        f"returns={dtype}: a feature cannot have that type. Use a number, Boolean, String, Date, Datetime('us'), Duration('us') or a list of these."
    )
