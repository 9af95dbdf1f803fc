"""Request fields: values that come with the question instead of from a source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from ..errors import UnknownColumn, WrongType, did_you_mean
from . import dtype as types
from .expr import Expr, shared
from .nodes import RequestField
from .reserved import refuse_reserved


class Request:
    """The fields a caller sends with a request; in training they are the spine's columns of the same names.

    >>> import polars as pl
    >>> Request({"amount": pl.Float64}).amount
    request.amount
    """

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self._fields = types.schema(fields, "nt.Request")
        refuse_reserved(self._fields, "the request")
        for name, dtype in self._fields.items():
            if isinstance(dtype, pl.List):
                raise WrongType(
                    f"request field {name!r} is {dtype}; a request holds plain values. Make its entries fields."
                )
            if not types.is_plain(dtype):
                raise WrongType(
                    f"request field {name!r} is {dtype}; it may be an integer of up to 64 bits, Float32, Float64, String, Boolean, Date, "
                    "Datetime or Duration."
                )

    def __getitem__(self, name: str) -> Expr:
        if name not in self._fields:
            raise UnknownColumn(f"the request has no field {name!r}. {did_you_mean(name, self._fields)}")
        return shared(RequestField(name, types.settled(self._fields[name])))

    def __getattr__(self, name: str) -> Expr:
        if name.startswith("_"):
            raise AttributeError(name)
        return self[name]

    def __dir__(self) -> list[str]:
        return sorted(self._fields)

    def __repr__(self) -> str:
        return f"Request({self._fields})"
